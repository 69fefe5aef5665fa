/* SPDX-License-Identifier: MIT */
/*
 * log writes each message as one line on standard error, "program: text", for a person or a service
 * manager to read; "program: CRITICAL: text" is a fault of ours or of a library. Info and debug
 * lines appear when G_MESSAGES_DEBUG names the program. Nothing is written to standard output.
 *
 * Others choose words in some messages, QEMU's among them, and people read them on terminals, which
 * heed commands: what could be one is written as "?".
 *
 * common/ and protocol/ are compiled once for all programs, so GLib's domain for their messages is
 * asked for at run time.
 *
 * The setters are called before other threads start; then any thread may log.
 */
#pragma once

/* Installs the writer for this process and sets the domain. `program` must outlive the process. */
void log_init(const char *program);

/* Makes "?" of each control character in the text but of ends of lines and tabs. */
void log_defang(char *text);

/*
 * Sets only the domain, for a process that has another writer. GLib's own asks for local time in
 * memory that all threads share. `program` must outlive the process.
 */
void log_set_domain(const char *program);

/*
 * Returns the program's name, which is "vitrine" until one is set. common/ and protocol/ have it as
 * G_LOG_DOMAIN.
 */
const char *log_domain(void);
