/* SPDX-License-Identifier: MIT */
/*
 * faults: what the environment says of failures (shim.h), where it is told, and what the preload's
 * files share. Read once, by the first who asks. Any thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/shim/shim.h"

#define SHIM_EXPORTED __attribute__((visibility("default")))
#define SHIM_NEVER UINT32_MAX
#define SHIM_NODES_MAX 8
#define SHIM_MINOR_FIRST 128

enum shim_start { START_OK, START_CRASH, START_HANG, START_FAIL };

struct faults {
	enum shim_driver driver;
	unsigned n_nodes;
	uint32_t reset, reset_innocent, reset_always; /* submissions; SHIM_NEVER */
	bool once, shared, stalls;
	uint32_t busy_ms, late_ms, endless;
	bool export_fails, export_is_none, import_fails, map_is_null, pixels_are_wrong;
	bool linear_is_external, bug;
	uint32_t gone; /* the call from which on there is no device; SHIM_NEVER */
	enum shim_start start[SHIM_NODES_MAX];
	bool no_rights[SHIM_NODES_MAX];
};

const struct faults *faults_get(void);
/* Never NULL: without a file it is memory of our own. */
struct shim_control *faults_control(void);
/* Adds a line to the log, if there is one. */
void faults_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Guards all tables of the preload. No call into what is behind us is made under it. */
extern pthread_mutex_t shim_lock;

/* Returns the function of that name behind us; there always is one. */
void *shim_next(const char *name);
