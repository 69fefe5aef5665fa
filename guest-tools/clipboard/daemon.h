/* SPDX-License-Identifier: MIT */
/*
 * daemon is a client of spice-vdagentd, as the session's agent that comes with it is: messages of a
 * type, two arguments and data on a unix socket (src/udscs.h there). The daemon speaks with the
 * host, and only for the agent of the session that is in front.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAEMON_SOCKET "/run/spice-vdagentd/spice-vdagent-sock"

/* These are vdagentd-proto.h's. */
enum daemon_type {
	DAEMON_RESOLUTION,
	DAEMON_MONITORS,
	DAEMON_GRAB,
	DAEMON_REQUEST,
	DAEMON_DATA,
	DAEMON_RELEASE,
	DAEMON_VERSION,
	DAEMON_VOLUME,
	DAEMON_FILE_START,
	DAEMON_FILE_STATUS,
	DAEMON_FILE_DATA,
	DAEMON_FILE_DISABLE,
	DAEMON_CLIENT_LEFT,
};

struct daemon_message {
	uint32_t type, arg1, arg2, size_bytes;
};

struct daemon {
	int fd; /* -1: not connected */
	struct daemon_message header;
	size_t header_filled;
	uint8_t *data; /* with a zero byte behind it; NULL: none, or it is skipped */
	uint32_t data_filled;
	bool is_skipped; /* it is longer than anything that we take */
};

typedef void (*daemon_handler)(
	void *user, const struct daemon_message *message, const uint8_t *data);

/* Gives false with errno set. */
bool daemon_connect(struct daemon *daemon, const char *path);
void daemon_close(struct daemon *daemon);
/* Reads some of what there is; gives false when the daemon has left. */
bool daemon_handle(struct daemon *daemon, daemon_handler handler, void *user);
/* Waits for room, as the daemon takes what it is sent. Without a daemon nothing happens. */
void daemon_send(struct daemon *daemon, enum daemon_type type, uint32_t arg1, uint32_t arg2,
	const void *data, uint32_t size_bytes);
