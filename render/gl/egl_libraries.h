/* SPDX-License-Identifier: MIT */
/*
 * egl_libraries loads what EGL will need, and starts nothing: no device is opened, and no thread
 * begins. On Mesa these are half of the time that its start takes, most of them LLVM.
 */
#pragma once

/* What is not there is left out: EGL itself will say so. The process has one thread. */
void egl_libraries_load(void);
