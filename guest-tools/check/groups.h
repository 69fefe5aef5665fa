/* SPDX-License-Identifier: MIT */
/* These are the tables of checks. Each is in the file of its name and ends with a row of zeros. */
#pragma once

#include "guest-tools/check/check.h"

extern const struct check device_checks[];
extern const struct check kernel_checks[];
extern const struct check nodes_checks[];
extern const struct check ioctl_checks[];
extern const struct check mesa_checks[];
extern const struct check truth_checks[];
extern const struct check kms_checks[];
extern const struct check server_checks[];
extern const struct check desktop_checks[];
