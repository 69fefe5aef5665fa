/* SPDX-License-Identifier: MIT */
/*
 * qmp_client: a QMP connection (QEMU docs/interop/qmp-spec.rst): connecting, JSON lines both ways,
 * descriptors with a command. It knows no command. Main thread; sending never waits.
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

struct qmp_client;

struct qmp_client_events {
	void *user;
	/* Capabilities are negotiated: commands may be sent. */
	void (*ready)(void *user);
	/* The answer to the oldest command that has none yet; `error` is its text or NULL. */
	void (*answer)(void *user, JsonNode *result, const char *error);
	void (*event)(void *user, const char *name, JsonObject *data); /* may be NULL */
	/* QEMU is gone or speaks no QMP. Destroy the client, here or later. */
	void (*closed)(void *user);
};

/* NULL when nobody listens on `path` (yet). */
struct qmp_client *qmp_client_connect(const char *path, const struct qmp_client_events *events);
void qmp_client_destroy(struct qmp_client *client);

/* `arguments` is JSON text of an object, or NULL. fd stays the caller's; -1: none. */
bool qmp_client_send(struct qmp_client *client, const char *command, const char *arguments, int fd);
