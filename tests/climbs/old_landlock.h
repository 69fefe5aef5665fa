/* SPDX-License-Identifier: MIT */
/*
 * old_landlock gives what is executed next an older Landlock than the kernel has: Debian 12's is of
 * ABI 2. The version that the kernel tells cannot be changed by a filter alone, so one asks a
 * process beside, which also refuses what the older one does not know.
 */
#pragma once

/*
 * Must be called before the process gives up rights, since the one beside looks into memory. It
 * ends by itself, when nobody is left whom it would answer. Returns 0 or -errno.
 */
int old_landlock_begin(unsigned abi);
