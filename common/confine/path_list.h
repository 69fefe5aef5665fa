/* SPDX-License-Identifier: MIT */
/*
 * path_list makes a table of what a process may open, from rows that always hold and from what this
 * machine has. Texts of paths are copied, reasons are not.
 */
#pragma once

#include "common/confine/confine.h"

struct path_list;

struct path_list *path_list_create(void);
void path_list_destroy(struct path_list *list);

void path_list_add(
	struct path_list *list, const char *path, enum confine_access access, const char *reason);
void path_list_add_table(struct path_list *list, const struct confine_path *rows, unsigned n_rows);
/*
 * Adds, to be read, what an environment variable names: one path, or several with colons between
 * them.
 */
void path_list_add_variable(struct path_list *list, const char *name);
/* Adds, to be read, the folders of the libraries that are loaded, which may lie anywhere. */
void path_list_add_libraries(struct path_list *list);
/* Adds a GPU's node, and to be read what the kernel says of the GPU. What is none is left out. */
void path_list_add_gpu(struct path_list *list, const char *node);

/* Puts the table into the rules, which need the list from then on. */
void path_list_give(const struct path_list *list, struct confine_rules *rules);
