/* SPDX-License-Identifier: MIT */
/*
 * climb: one try to get out of a process that somebody has taken over.
 *
 * A climb is a function that runs inside one of our real processes (planted.c), in a signal handler
 * on a thread of the test's choice, so it makes system calls and nothing else. Rows stand beside
 * their functions, in groups (climb_*.c); climb_table.c has the groups. Test and planted code are
 * built from the same tables, so group and row are enough to name a climb.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each is a bit: a climb concerns several processes. */
enum climb_process {
	CLIMB_RENDER = 1 << 0,
	CLIMB_DISPLAY = 1 << 1,
	CLIMB_KEEPER = 1 << 2,
	CLIMB_STARTER = 1 << 3,
	CLIMB_FETCHER = 1 << 4,
	CLIMB_INNER = 1 << 5, /* display's child, which connects for it */
	CLIMB_WORKERS = CLIMB_RENDER | CLIMB_DISPLAY,
	CLIMB_SERVANTS = CLIMB_STARTER | CLIMB_FETCHER,
	CLIMB_SERVER = CLIMB_KEEPER | CLIMB_SERVANTS,
	CLIMB_ALL = CLIMB_WORKERS | CLIMB_SERVER | CLIMB_INNER,
};
#define CLIMB_PROCESSES 6

/* What stands between a process and the rest. Each is a bit, too. */
enum climb_wall {
	CLIMB_SECCOMP = 1 << 0,
	CLIMB_LANDLOCK = 1 << 1,
	CLIMB_NAMESPACES = 1 << 2, /* and other users, where there are some */
	/* No capabilities, no new privileges, not dumpable, limits: every kernel has them. */
	CLIMB_RIGHTS = 1 << 3,
	CLIMB_LINKS = 1 << 4, /* the checks of who reads a link */
};
#define CLIMB_WALLS 5

/*
 * An up climb leaves a process of another kind behind. Others of the same flag may go on from
 * there; before one without it the process is replaced.
 */
#define CLIMB_SPENDS (1u << 0)
/* The climb executes another program: it is up when the process has another name. */
#define CLIMB_EXECUTES (1u << 1)
/*
 * The climb's process may be ended for it by who reads its link, and that is held. Only the main
 * thread tries: what is sent is the same from each.
 */
#define CLIMB_MAY_END (1u << 2)
/* A client is connected by TCP when the climb begins. */
#define CLIMB_VISITED (1u << 3)

#define CLIMB_PATH 160

/* What there is to reach. The test fills it in; process IDs and ports are the test's own view. */
struct climb_targets {
	char password[CLIMB_PATH], key[CLIMB_PATH]; /* files of secrets */
	char home[CLIMB_PATH], home_file[CLIMB_PATH];
	char run_dir[CLIMB_PATH];                             /* of this desktop */
	char other_dir[CLIMB_PATH], other_file[CLIMB_PATH];   /* of another one of the same user */
	char qmp[CLIMB_PATH], stream[CLIMB_PATH];             /* unix sockets that listen */
	char datagram[CLIMB_PATH], abstract_name[CLIMB_PATH]; /* the last without its NUL */
	int32_t self, keeper, sibling, qemu;                  /* 0: there is none */
	uint16_t tcp4_port, tcp6_port, udp4_port;
	uint16_t free_port, spice_port; /* where nobody listens, and where the desktop does */
	uint32_t other_user;
	int32_t release; /* the test's word to what a climb has left waiting */
	int32_t heard;   /* atomic: how often QEMU got CLIMB_HEARD_SIGNAL since the climb began */
};

/* What the process in QEMU's place counts, so that a signal by a roundabout way is seen. */
#define CLIMB_HEARD_SIGNAL 40

struct climb {
	const char *name;
	unsigned processes; /* which it concerns: bits of enum climb_process */
	unsigned walls;     /* each of these holds it alone, in each of them but CLIMB_SERVANTS */
	unsigned flags;
	/* Returns 0 when it got through, else the errno that held it. */
	int (*go)(const struct climb_targets *targets);
	/* Runs in the test after a climb that got through: tells whether that led anywhere. */
	bool (*confirm)(const struct climb_targets *targets);
};

struct climb_group {
	const char *name;
	const struct climb *climbs;
	size_t n_climbs;
};

/*
 * What a process must be able to do, since that is its work or that of those that it starts. Such a
 * climb may be up. SECURITY.md has the reasons at length.
 */
struct climb_duty {
	unsigned processes;
	const char *name; /* of the climb */
	const char *reason;
	const char *without; /* only where the kernel lacks this; NULL: everywhere */
};
/* Returns why the process may do what the climb does where the kernel lacks `without`, or NULL. */
const char *climb_find_duty(
	enum climb_process process, const struct climb *climb, const char *without);

extern const struct climb_group *const climb_groups[];
extern const size_t climb_n_groups;

const char *climb_process_name(enum climb_process process);
const char *climb_wall_name(enum climb_wall wall);

extern const struct climb_group climb_files, climb_writing, climb_network, climb_execution,
	climb_neighbours, climb_tracing, climb_kernel, climb_machine, climb_rights, climb_controls,
	climb_exhaustion, climb_links;
