/* SPDX-License-Identifier: MIT */
/*
 * client: spice-probe, driven from a C test. Commands and answers are those of probe_main.c. The
 * program is $SPICE_PROBE.
 *
 * Threads: any one thread per client.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct client;

/* Starts spice-probe and connects it; password NULL: none. Not asserted: see client_is_connected.
 */
struct client *client_new(const char *address, const char *password);
/* As above, but the connection is the caller's to make with "reconnect". */
struct client *client_new_idle(const char *address, const char *password);
void client_free(struct client *client);
/* As client_free, but the program has no time to say goodbye. */
void client_kill(struct client *client);

/* Clients made from now on trust the certificate in this file; NULL: the system's. */
void client_trust(const char *certificate_path);

/* The client's process. */
pid_t client_pid(const struct client *client);
bool client_is_connected(struct client *client);

/* Runs a command and returns its answer, a JSON line, which the caller frees. */
G_GNUC_PRINTF(2, 3) char *client_ask(struct client *client, const char *format, ...);
/* Sends a command without waiting for the answer; fetch it later with client_answer. */
G_GNUC_PRINTF(2, 3) void client_send(struct client *client, const char *format, ...);
char *client_answer(struct client *client);
/* Whether client_answer would return at once. */
bool client_has_answer(struct client *client);
/* Runs a command and asserts that the answer is ok. */
G_GNUC_PRINTF(2, 3) char *client_run(struct client *client, const char *format, ...);

/* What an answer says. */
bool answer_is_ok(const char *answer);
gint64 answer_int(const char *answer, const char *key);
/* NULL when there is none. Free with g_free. */
char *answer_text(const char *answer, const char *key);
