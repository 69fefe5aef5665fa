/* SPDX-License-Identifier: MIT */
/*
 * show_json: desktops that run, for programs. See vitrine(1), "vitrine show --json".
 */
#pragma once

#define SHOW_JSON_VERSION 1

/* `names`: of desktops that run, up to a NULL. Caller frees. */
char *show_json_write(char *const *names);
