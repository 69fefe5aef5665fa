/* SPDX-License-Identifier: MIT */
/*
 * log: one line on stderr per message, "program: text", as a person or a service manager reads it.
 * Info and debug lines appear when G_MESSAGES_DEBUG names the program. Standard output is left
 * alone.
 *
 * common/ and protocol/ are compiled once for all programs, so the domain that GLib logs their
 * messages under is asked for at run time.
 */
#pragma once

/* Installs the writer for this process, and sets the domain. `program` must outlive it. */
void log_init(const char *program);

/* Sets only the domain: GLib's own writer stays. `program` must outlive the process. */
void log_set_domain(const char *program);

/* The program's name, "vitrine" until one was set. common/ and protocol/ have it as G_LOG_DOMAIN.
 */
const char *log_domain(void);
