/* SPDX-License-Identifier: MIT */
/*
 * `vitrine-render --report` prints a key file (GLib's format) of one group, which `vitrine gpus`
 * reads. render/gpu_report.h says which keys it has.
 */
#pragma once

#define GPU_REPORT_GROUP "gpu"
