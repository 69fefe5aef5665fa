/* SPDX-License-Identifier: MIT */
/*
 * workers knows where the programs vitrine-render and vitrine-display are. In each function `dir`
 * is the folder that --worker-dir names. The caller frees the paths.
 */
#pragma once

/* Gives the folder that is meant when nobody names one. */
char *workers_find_dir(void);

/* Gives the path where the program is, or, when it is nowhere, where an installed one would be. */
char *workers_find_renderer(const char *dir);
char *workers_find_display(const char *dir);
