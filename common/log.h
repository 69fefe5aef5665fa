/* SPDX-License-Identifier: MIT */
/*
 * log: one line on stderr per message, "program: text", as a person or a service manager reads it.
 * Info and debug lines appear when G_MESSAGES_DEBUG names the program. Standard output is left
 * alone.
 */
#pragma once

/* Installs the writer for this process. `program` must outlive it. */
void log_init(const char *program);
