/* SPDX-License-Identifier: MIT */
/*
 * gpu_report: reports what one render node, or the software renderer, can do for a desktop.
 * `vitrine gpus` starts a process of its own for each, since a driver may crash.
 *
 * Nothing is inferred: a format and layout is listed when a buffer of it could be made, exported,
 * drawn to and read back. The report is a key file on standard output:
 *
 *   [gpu]       works, software, fences, virgl: true or false; driver (the kernel's),
 *               platform, renderer, opengl;
 *               why: why it does not work; virgl-why: why virglrenderer does not start
 *   [scanout]   for each DRM format, by its name, the layouts that GPU buffers may have: "implicit"
 *               (left to the driver), or "0x... NAME" with the modifier. No keys: no GPU buffers.
 */
#pragma once

#include <stdbool.h>

/*
 * Prints the report. The main thread calls it, in a process that does nothing else. Returns false
 * when the report could not be written.
 */
bool gpu_report_print(const char *render_node, bool software);
