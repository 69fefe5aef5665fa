/* SPDX-License-Identifier: MIT */
/*
 * qmp_client is a QMP connection (QEMU docs/interop/qmp-spec.rst). It connects, carries JSON lines
 * both ways and descriptors with commands, and knows no command itself. It lives on the main
 * thread; sending never waits.
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

struct qmp_client;

struct qmp_client_events {
	void *user;
	/* Capabilities are negotiated; from now on commands may be sent. */
	void (*ready)(void *user);
	/*
	 * This answers the oldest command that has no answer yet. `error` is why QEMU refused it,
	 * or NULL.
	 */
	void (*answer)(void *user, JsonNode *result, const char *error);
	void (*event)(void *user, const char *name, JsonObject *data); /* may be NULL */
	/*
	 * QEMU is gone, or who answers speaks no QMP. The owner destroys the client, here or later.
	 */
	void (*closed)(void *user);
};

/* Takes a connected, non-blocking socket. */
struct qmp_client *qmp_client_create(int fd, const struct qmp_client_events *events);
/* Gives NULL when nobody listens on `path`, or not yet. */
struct qmp_client *qmp_client_connect(const char *path, const struct qmp_client_events *events);
void qmp_client_destroy(struct qmp_client *client);

/*
 * `arguments` is the JSON text of an object, or NULL. `fd` goes with the command and stays the
 * caller's; -1 stands for none. Gives false when QEMU does not take the whole command at once.
 */
bool qmp_client_send(struct qmp_client *client, const char *command, const char *arguments, int fd);
