/* SPDX-License-Identifier: MIT */
/* rig: starts a real vitrine-gpu with fake workers, and holds QEMU's end of its socket. */
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

/* `arguments` are added to vitrine-gpu's; they may be NULL. */
struct rig *rig_create(const char *const *arguments);
/* Ends vitrine-gpu as QEMU does, by closing the socket, and checks that it ends well. */
void rig_destroy(struct rig *rig);

/* Sends one message with the descriptors in `fds`, which stay the caller's. */
void rig_send(struct rig *rig, uint32_t request, uint32_t flags, const void *payload,
	size_t size_bytes, const int *fds, unsigned n_fds);
void rig_send_u64(struct rig *rig, uint32_t request, uint64_t value);
/* Receives the answer to `request`; fails the test when there is none within three seconds. */
void rig_receive(struct rig *rig, uint32_t request, void *payload, size_t size_bytes);
uint64_t rig_get_u64(struct rig *rig, uint32_t request);

/* Says everything from SET_OWNER to SET_PROTOCOL_FEATURES. */
void rig_negotiate(struct rig *rig);
/* Sends what QEMU sends at DRIVER_OK, for both rings from `base` on. */
void rig_start(struct rig *rig, unsigned base, uint64_t address);
/* Sends what QEMU sends when the device stops. Returns where ring 0 stopped. */
unsigned rig_stop(struct rig *rig);

/* Waits until a line of the workers' log contains `text`, n times. */
void rig_wait_log(const struct rig *rig, const char *text, unsigned n_times);
unsigned rig_count_log(const struct rig *rig, const char *text);
/* Returns the process id of the newest worker of this name, "render" or "display"; of a display
 * that works, if there is one. */
pid_t rig_worker(const struct rig *rig, const char *name);
/* Returns the process id of the living renderer. */
pid_t rig_renderer(const struct rig *rig);

/* Waits for vitrine-gpu's end; returns its wait status. */
int rig_wait_end(struct rig *rig);
/* Returns everything that it has written to stderr so far. The caller frees it. */
char *rig_errors(const struct rig *rig);
void rig_free(struct rig *rig);
/* Returns the keeper's starter; 0: it has none. */
pid_t rig_find_starter(const struct rig *rig);
