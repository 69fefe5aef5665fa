/* SPDX-License-Identifier: MIT */
/*
 * virgl_quirks: what virglrenderer 0.10 asks of every GL and not every GL has.
 */
#pragma once

/* After virglrenderer has started, with its context current; gpu thread. Says what it does. */
void virgl_quirks_apply(void);
