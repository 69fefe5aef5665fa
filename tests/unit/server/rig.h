/* SPDX-License-Identifier: MIT */
/*
 * rig: a real vitrine-gpu with fake workers, and QEMU's end of its socket.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/vhost_user.h"

struct rig {
	char *dir;
	char *worker_log, *error_log;
	pid_t pid;
	int socket;
	int memory; /* a memfd, the guest's */
	int gpu_socket;
};

/* `arguments` are added to vitrine-gpu's; may be NULL. */
struct rig *rig_create(const char *const *arguments);
/* Ends vitrine-gpu as QEMU does, by hanging up, and checks that it ends well. */
void rig_destroy(struct rig *rig);

/* One message, descriptors taken from `fds`. */
void rig_send(struct rig *rig, uint32_t request, uint32_t flags, const void *payload,
	size_t size_bytes, const int *fds, unsigned n_fds);
void rig_send_u64(struct rig *rig, uint32_t request, uint64_t value);
/* The answer to `request`; fails the test when there is none within three seconds. */
void rig_receive(struct rig *rig, uint32_t request, void *payload, size_t size_bytes);
uint64_t rig_get_u64(struct rig *rig, uint32_t request);

/* SET_OWNER to SET_PROTOCOL_FEATURES. */
void rig_negotiate(struct rig *rig);
/* What QEMU sends at DRIVER_OK, both rings from `base` on. */
void rig_start(struct rig *rig, unsigned base, uint64_t address);
/* What QEMU sends when the device stops. Returns where ring 0 stopped. */
unsigned rig_stop(struct rig *rig);

/* Waits until a line of the workers' log contains `text`, n times. */
void rig_wait_log(const struct rig *rig, const char *text, unsigned n_times);
unsigned rig_count_log(const struct rig *rig, const char *text);
/* The pid of the living renderer. */
pid_t rig_renderer(const struct rig *rig);

/* Waits for vitrine-gpu's end; its wait status. */
int rig_wait_end(struct rig *rig);
/* Everything it said so far. Caller frees. */
char *rig_errors(const struct rig *rig);
void rig_free(struct rig *rig);
