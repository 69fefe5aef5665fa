/* SPDX-License-Identifier: MIT */
/*
 * climb_site: all that a process might want to reach, made for one user: secrets, a home, another
 * desktop's folder, sockets that listen, and a process in QEMU's place. It also holds the memory
 * that is shared with the planted code. It is as easy to reach as a user's own things are, so that
 * what does not get there was held by a wall.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "tests/climbs/planted.h"

#define CLIMB_LISTENERS 8

/* The desktop's name. */
#define CLIMB_NAME "climb"

struct climb_site {
	uid_t user;
	char *directory, *run_parent, *preload;
	struct planted_memory *memory;
	char *memory_path; /* shared/vitrine/shaders/CLIMB_NAME/memory */
	int listeners[CLIMB_LISTENERS];
	unsigned n_listeners;
	GArray *connections; /* of int; QMP's, which stay open */
	pid_t qemu;
	bool filters; /* the kernel lets the user put a filter on a TCP socket */
	int visitor;  /* a client's socket; -1: there is none */
};

/* `planted` is the shared object. Aborts the test when something cannot be made. */
struct climb_site *climb_site_create(uid_t user, const char *planted);
void climb_site_destroy(struct climb_site *site);
/* Takes what has arrived at the listeners, so that there is room for more. */
void climb_site_drain(struct climb_site *site);
/* Chooses the next desktop's TCP port: the one before may take a moment to give its own back. */
void climb_site_choose_port(struct climb_site *site);
/* Connects to the desktop's TCP port, in the place of who did before. */
bool climb_site_visit(struct climb_site *site);
/* Takes away what a climb has mounted: who may mount may be kept from taking it back. */
void climb_site_unmount(struct climb_site *site);
/* Makes a folder of the user's; the caller owns the string. */
char *climb_site_make_run_dir(struct climb_site *site);
