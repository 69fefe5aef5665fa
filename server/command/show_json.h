/* SPDX-License-Identifier: MIT */
/* show_json writes the desktops that run for programs; see vitrine(1), "vitrine show --json". */
#pragma once

#define SHOW_JSON_VERSION 1

/* `names` are those of desktops that run, up to a NULL. The caller frees the text. */
char *show_json_write(char *const *names);
