/* SPDX-License-Identifier: MIT */
/*
 * virgl_quirks: makes up for what virglrenderer 0.10 asks of every GL and not every GL has, and for
 * what it gives guests that GL has not written.
 */
#pragma once

/*
 * Is called on the gpu thread after virglrenderer has started, with its context current. It logs
 * what of GL it leaves out.
 */
void virgl_quirks_apply(void);
