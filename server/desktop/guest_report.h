/* SPDX-License-Identifier: MIT */
/*
 * guest_report: what a guest says of its own graphics (protocol/guest_report.h), kept for
 * `vitrine show`.
 *
 * The guest is not trusted: a line longer than GUEST_REPORT_LINE_MAX is skipped, at most a few
 * lines a second are read (the port holds the guest back), and what is kept holds only known
 * members with printable text. Main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* File in the run directory: the last report, one group [guest] of a key file. */
#define GUEST_REPORT_FILE "guest-report"
#define GUEST_REPORT_GROUP "guest"

struct guest_report;

/* `fd` is one end of a stream socket whose other end is QEMU's port; it becomes the reader's own.
 */
struct guest_report *guest_report_create(int fd, const char *path);
void guest_report_destroy(struct guest_report *report);

/*
 * One line as a key file with "accelerated" (yes, no, unknown), "verdict" and, when given,
 * "renderer", "cause", "fix", "os", "kernel". NULL with `error` set when it is no report.
 */
GKeyFile *guest_report_parse(const char *line, size_t length, GError **error);
