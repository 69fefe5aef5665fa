/* SPDX-License-Identifier: MIT */
/*
 * text: the little file and string help that the guest tools need and libc does not give.
 *
 * The tools link libc only, so that one binary runs on every guest from Debian 11 on, also on one
 * without GLib. Strings live in fixed arrays: findings cross a fork in shared memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Copies and truncates; always terminated. */
void text_copy(char *out, size_t size, const char *text);
/* Appends and truncates. */
void text_append(char *out, size_t size, const char *text);
/* Like snprintf, appended; truncation is accepted. */
void text_append_format(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Reads the beginning of a file, cut at size - 1, trailing white space removed. False: unreadable.
 */
bool text_read(const char *path, char *out, size_t size);
/* Reads a number of any C base from a file; `fallback` when that fails. */
long text_read_number(const char *path, long fallback);
/* The whole file, at most limit_bytes, heap-allocated and terminated; NULL with errno set. */
char *text_load(const char *path, size_t limit_bytes);
/* Last component of what a symbolic link names. False: not a link. */
bool text_link_name(const char *path, char *out, size_t size);

/* Is `word` one of the words of `text`, separated by white space? A word "a=" matches by prefix. */
bool text_has_word(const char *text, const char *word);
/* Calls `each` for every path that matches a glob pattern, sorted. Stops when it returns false. */
void text_each_path(const char *pattern, bool (*each)(void *user, const char *path), void *user);
/* Number of paths that match; the first one is copied to `first` when that is not NULL. */
size_t text_find_path(const char *pattern, char *first, size_t size);
/* Calls `each` for every line of a file (without its newline). False: unreadable. */
bool text_each_line(const char *path, bool (*each)(void *user, const char *line), void *user);
/* Is a process with this name (/proc/PID/comm, cut at 15 by the kernel) running? Gives its pid or
 * 0. */
int text_find_process(const char *name);
