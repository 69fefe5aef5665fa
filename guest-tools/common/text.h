/* SPDX-License-Identifier: MIT */
/*
 * text is the little help with files and strings that the guest tools need and libc does not give.
 *
 * The tools link libc only, so that one binary runs on every guest from Debian 11 on, also on one
 * without GLib. Strings live in fixed arrays, because findings cross a fork in shared memory. Every
 * function that writes to `out` truncates and terminates; `size` must not be 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void text_copy(char *out, size_t size, const char *text);
void text_append(char *out, size_t size, const char *text);
/* Appends what snprintf would write. */
void text_append_format(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends `item` to a list, with `separator` before all items but the first. */
void text_append_item(char *out, size_t size, const char *separator, const char *item);

/*
 * Reads the beginning of a file and removes white space at its end. Gives false when it is
 * unreadable.
 */
bool text_read(const char *path, char *out, size_t size);
/* Reads a number of any C base from a file. Gives `fallback` when that fails. */
long text_read_number(const char *path, long fallback);
/*
 * Reads a whole file, but at most limit_bytes of it. The caller frees the terminated text. Gives
 * NULL and sets errno when the file does not open.
 */
char *text_load(const char *path, size_t limit_bytes);
/* Gives the last component of what a symbolic link names, or false when the path is no link. */
bool text_link_name(const char *path, char *out, size_t size);

/*
 * Is `word` one of the words of `text`, which white space separates? A word such as "a=" matches by
 * prefix.
 */
bool text_has_word(const char *text, const char *word);
/*
 * Calls `each` for every path that matches a glob pattern, in sorted order, until it returns false.
 */
void text_each_path(const char *pattern, bool (*each)(void *user, const char *path), void *user);
/* Gives the number of paths that match. The first one is copied to `first`, which may be NULL. */
size_t text_find_path(const char *pattern, char *first, size_t size);
/*
 * Calls `each` for every line of a file, without its newline, until it returns false. Gives false
 * when the file is unreadable.
 */
bool text_each_line(const char *path, bool (*each)(void *user, const char *line), void *user);
/*
 * Gives the pid of a running process of this name, or 0. The name is that of /proc/PID/comm, which
 * the kernel cuts at 15 bytes.
 */
int text_find_process(const char *name);
