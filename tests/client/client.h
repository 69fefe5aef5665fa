/* SPDX-License-Identifier: MIT */
/*
 * client: drives spice-probe from a C test. Commands and answers are those of probe_main.c. The
 * program is $SPICE_PROBE.
 *
 * Threads: each client may be used by one thread, whichever it is.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct client;

/*
 * Starts spice-probe and connects it; password may be NULL. It does not assert that the connection
 * came about: ask client_is_connected().
 */
struct client *client_new(const char *address, const char *password);
/* Starts spice-probe without connecting; the caller does that with "reconnect". */
struct client *client_new_idle(const char *address, const char *password);
void client_free(struct client *client);
/* Frees the client, but kills the program so that it has no time to say goodbye. */
void client_kill(struct client *client);

/* From now on commands and answers are not printed as the test's messages. */
void client_be_brief(struct client *client);

/* Makes clients started from now on trust the certificate in this file; NULL means the system's. */
void client_trust(const char *certificate_path);

/* Has clients started from now on lend devices, or not. */
void client_lend(bool lends);

/* Gives the name of clients' user from now on; NULL: they have none. */
void client_call(const char *name);

/* Returns the process id of the client's program. */
pid_t client_pid(const struct client *client);
bool client_is_connected(struct client *client);

/* Runs a command and returns its answer, a JSON line, which the caller frees. */
G_GNUC_PRINTF(2, 3) char *client_ask(struct client *client, const char *format, ...);
/* Sends a command without waiting for the answer, which client_answer() fetches later. */
G_GNUC_PRINTF(2, 3) void client_send(struct client *client, const char *format, ...);
char *client_answer(struct client *client);
/* Returns whether client_answer() would return at once. */
bool client_has_answer(struct client *client);
/* Runs a command and asserts that the answer is ok. */
G_GNUC_PRINTF(2, 3) char *client_run(struct client *client, const char *format, ...);

/* These read a field of an answer. */
bool answer_is_ok(const char *answer);
gint64 answer_int(const char *answer, const char *key);
/* Returns NULL when there is no such field. Free the text with g_free(). */
char *answer_text(const char *answer, const char *key);
