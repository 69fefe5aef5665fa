/* SPDX-License-Identifier: MIT */
/*
 * guest_report keeps for `vitrine show` what a guest says of its own graphics
 * (protocol/guest_report.h).
 *
 * The guest is not trusted. A line longer than GUEST_REPORT_TEXT_LINE_MAX is skipped. One line is
 * read every GUEST_REPORT_PAUSE_MS, and QEMU's port holds a faster guest back. The file holds only
 * members that we know, with printable text. Everything happens on the main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* This file in the run directory holds the last report: a key file with one group, [guest]. */
#define GUEST_REPORT_FILE "guest-report"
#define GUEST_REPORT_GROUP "guest"

struct guest_report;

/*
 * `fd` is one end of a stream socket whose other end is QEMU's port. It becomes the reader's own;
 * the report goes to `path`.
 */
struct guest_report *guest_report_create(int fd, const char *path);
void guest_report_destroy(struct guest_report *report);

/*
 * Gives one line as a key file with "accelerated" (yes, no, unknown), "verdict" and, when given,
 * "renderer", "cause", "fix", "os", "kernel"; or NULL with `error` set when the line is no report.
 */
GKeyFile *guest_report_parse(const char *text_line, size_t length, GError **error);
