/* SPDX-License-Identifier: MIT */
/*
 * virgl_nodes keeps virglrenderer from opening a GPU of its own choice.
 *
 * virgl_renderer_init() opens the first render node that it finds, whatever display it was given,
 * and makes a second GBM device on it (vrend_winsys_gbm.c: rendernode_open), also where the desktop
 * draws on another GPU or on the CPU. Nothing that Debian's build draws uses that device
 * (ENABLE_MINIGBM_ALLOCATION), and there is no callback to name a node by. So the folder is not
 * there for it: an opendir() of ours stands before the C library's. Only the thread that hides the
 * folder misses it.
 */
#pragma once

void virgl_nodes_hide(void);
void virgl_nodes_show(void);
