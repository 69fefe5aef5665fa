/* SPDX-License-Identifier: MIT */
/*
 * vhost_user is the transport of the conversation with QEMU (docs/interop/vhost-user.rst). It puts
 * messages together from the stream, checks them against a table (size, descriptors, what must have
 * come before), hands them to a handler, and answers.
 *
 * QEMU is not trusted to be right. The first message that is wrong becomes one log line, and the
 * conversation is over. Everything happens on the main thread, which never waits for the rest of a
 * message.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/vhost_user.h"
#include "server/keeper/limits.h"

struct vhost_user_call {
	uint32_t request;
	uint32_t size_bytes; /* of the payload received */
	union {
		uint64_t u64;
		struct vhost_user_vring_state state;
		struct vhost_user_vring_addr addr;
		struct vhost_user_memory memory;
		struct vhost_user_memory_single memory_single;
		struct vhost_user_config config;
		struct vhost_user_iotlb iotlb;
		struct vhost_user_log log;
	} payload;
	/* A handler replaces each descriptor that it keeps by -1; the rest is closed. */
	int fds[VHOST_USER_FDS_MAX];
	unsigned n_fds;
	/*
	 * A handler sets how many bytes of payload the answer has. 0: there is none but the
	 * acknowledgement that QEMU may have asked for.
	 */
	uint32_t reply_bytes;
};

struct vhost_user_row {
	uint32_t request;
	const char *name;
	uint32_t size_min, size_max;
	unsigned fds_min, fds_max;
	/* The message needs this protocol feature; -1: it needs none. */
	int protocol_feature;
	bool needs_owner; /* not before SET_OWNER */
	/* Gives NULL, or the reason why QEMU must be refused. */
	const char *(*handle)(void *user, struct vhost_user_call *call);
};

struct vhost_user_class {
	const struct vhost_user_row *table;
	size_t table_length;
	/* Gives NULL, or why this message comes out of order. */
	const char *(*admit)(void *user, const struct vhost_user_row *row);
	bool (*acknowledges)(void *user); /* REPLY_ACK is in force */
	/* The conversation is over: QEMU hung up, or was refused (logged). */
	void (*closed)(void *user, bool refused);
};

struct vhost_user {
	const struct vhost_user_class *class;
	void *user;
	int fd;
	unsigned source;
	struct vhost_user_header header;
	struct vhost_user_call call;
	size_t have_bytes; /* of header and payload together */
	bool lacks_fds;    /* QEMU was refused because it could be given no more descriptors */
};

/* Takes fd, a connected unix stream socket, and calls the functions of `class` with `user`. */
void vhost_user_open(
	struct vhost_user *vhost_user, int fd, const struct vhost_user_class *class, void *user);
void vhost_user_close(struct vhost_user *vhost_user);
