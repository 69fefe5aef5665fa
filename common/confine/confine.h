/* SPDX-License-Identifier: MIT */
/*
 * confine puts a process behind walls after its start-up, so that whoever takes it over is locked
 * in it: no new privileges, no capabilities, no look from outside, limits, files by Landlock,
 * system calls by seccomp. What a process may still do stands in tables of its own program, each
 * row with its reason.
 *
 * Two kinds of walls hold only for the thread that puts them up and for what it starts later:
 * capabilities and Landlock. A program with threads calls confine_threads() before it makes the
 * first, and confine_apply() when it has opened what it needs; confine_apply() alone does both.
 * Nothing is ever taken back, and children inherit all but CONFINE_NOT_DUMPABLE.
 *
 * But for confine_log() the calls log nothing. They are the main thread's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum confine_wall {
	CONFINE_NO_NEW_PRIVS, /* nothing that is executed gains rights */
	CONFINE_CAPABILITIES, /* none are left, also where root started us */
	CONFINE_NOT_DUMPABLE, /* others of the same user may not trace it or read its memory */
	CONFINE_LIMITS,       /* rlimits */
	CONFINE_LANDLOCK,     /* files and TCP ports */
	CONFINE_SECCOMP,      /* system calls */
	/* Who starts the process puts up these two, before it begins (confine_note()). */
	CONFINE_NAMESPACES, /* user, mount, network and IPC namespaces of its own */
	CONFINE_USER,       /* another user than its neighbours' */
	CONFINE_WALLS,
};

enum confine_mode {
	CONFINE_AUTO, /* all that the kernel has */
	CONFINE_MUST, /* all, or the process does not start */
	CONFINE_OFF,  /* none */
};
/* These are the words of --confine, in the order of enum confine_mode, with NULL behind them. */
extern const char *const confine_mode_words[];

enum confine_access {
	CONFINE_LIST,       /* names in folders, and no file */
	CONFINE_READ,       /* files, also to map them executable, and lists of folders */
	CONFINE_EXECUTE,    /* READ, and execve() */
	CONFINE_READ_WRITE, /* READ, and files and folders are written, made, renamed and removed */
	CONFINE_DEVICE,     /* a node is opened for reading and writing; ioctls are seccomp's */
	CONFINE_REMOVE,     /* files in it are removed, and nothing else */
};

/* With all that is below it. What does not exist is left out. */
struct confine_path {
	const char *path;
	enum confine_access access;
	const char *reason;
};

enum confine_compare {
	CONFINE_ANY,
	CONFINE_EQUAL,   /* (argument & mask) == value; mask 0 stands for all of 32 bits */
	CONFINE_OWN_PID, /* the low 32 bits are our process ID */
};

struct confine_condition {
	enum confine_compare compare;
	unsigned argument; /* 0 to 5 */
	uint64_t mask, value;
};

#define CONFINE_CONDITIONS_MAX 3

/*
 * System calls that are allowed: all of `names`, separated by spaces, where all conditions hold.
 * Several rows may name one call: one of them is enough. What no row names fails with EPERM.
 * A row with an `error` is no permission: its calls fail with that instead.
 */
struct confine_call {
	const char *names;
	const char *reason;
	struct confine_condition conditions[CONFINE_CONDITIONS_MAX];
	int error;
};

/*
 * RLIMIT_DATA is left out where AddressSanitizer or ThreadSanitizer is in the process. RLIMIT_NPROC
 * counts all processes and threads of a user in the user namespace, so that some number of threads
 * can be meant only where the process has that for itself.
 */
struct confine_limit {
	int resource; /* RLIMIT_... */
	uint64_t value;
	const char *reason;
	bool needs_namespaces; /* left out where CONFINE_NAMESPACES is not up */
};

/* Tables may be in several parts; each pointer is to n rows, and NULL with 0. */
#define CONFINE_PARTS_MAX 8
struct confine_calls {
	const struct confine_call *rows;
	unsigned n;
};

struct confine_rules {
	const char *process; /* "vitrine-render" */
	const struct confine_path *paths;
	unsigned n_paths;
	struct confine_calls calls[CONFINE_PARTS_MAX];
	/* These are refused from confine_threads() on, where the kernel has seccomp. */
	struct confine_calls refused_early;
	const struct confine_limit *limits;
	unsigned n_limits;
	/* TCP ports to which it may connect; none may be bound. Landlock from ABI 4 on. */
	const uint16_t *connect_ports;
	unsigned n_connect_ports;
	/* Of TCP nothing is said, since those that it starts say it. */
	bool leaves_tcp;
	/* It may signal processes outside its Landlock domain: the keeper ends its workers. */
	bool signals_others;
};

#define CONFINE_REASON_MAX 64

/* It crosses borders as it is; a reader calls confine_clean() first. */
struct confine_state {
	uint32_t held, lacking; /* bits 1u << enum confine_wall; neither: not asked for */
	uint32_t landlock_abi;
	char reason[CONFINE_WALLS][CONFINE_REASON_MAX]; /* why a wall is lacking */
};

/*
 * Puts up the walls that hold for this thread and those it will start: no new privileges,
 * capabilities, Landlock. `state` begins with zeros, and goes on with confine_apply().
 * Returns false as confine_apply() does.
 */
bool confine_threads(const struct confine_rules *rules, enum confine_mode mode,
	struct confine_state *state, GError **error);

/*
 * Puts up all walls that are not up in `state`. Seccomp's holds for all threads there are.
 * Returns false with `error` when a wall that the kernel has could not be put up, or with
 * CONFINE_MUST when the kernel lacks one; then the process must not go on.
 */
bool confine_apply(const struct confine_rules *rules, enum confine_mode mode,
	struct confine_state *state, GError **error);

/*
 * Takes more system calls from all threads, where the wall of seccomp is up: those of the rows,
 * where their conditions hold. Returns false with `error`.
 */
bool confine_forbid(const struct confine_state *state, const char *process,
	const struct confine_calls *calls, GError **error);

/* Notes a wall that somebody else has put up, or with `lacking` why it could not be. */
void confine_note(struct confine_state *state, enum confine_wall wall, const char *lacking);

/*
 * Notes what who started us says of its two walls, in two variables of the environment: an empty
 * one says that the wall is up, a text why it is not. Without one nobody was asked for it.
 */
void confine_note_environment(struct confine_state *state);
#define CONFINE_NAMESPACES_VARIABLE "VITRINE_NAMESPACES_LACK"
#define CONFINE_USER_VARIABLE "VITRINE_USER_LACKS"

/* Makes what a stranger says a state: bits of walls, each in one of the two, and printable text. */
void confine_clean(struct confine_state *state);

/* Says with CONFINE_MUST which walls of those asked for are lacking, and returns false. */
bool confine_check(const struct confine_state *state, const char *process, enum confine_mode mode,
	GError **error);

/* Gives a line such as "holds no-new-privs, limits; lacks landlock (kernel without it)". The
 * caller frees it. */
char *confine_describe(const struct confine_state *state);

/* Logs that line, or with CONFINE_OFF a warning. */
void confine_log(const struct confine_state *state, enum confine_mode mode);

/* Returns "no-new-privs", "landlock", … */
const char *confine_wall_name(enum confine_wall wall);

/* Rows that every process of ours needs: memory, threads, clocks, descriptors it has. */
extern const struct confine_calls confine_calls_common;
/* Rows that a build with sanitizers needs, all others have none; they are allowed by themselves. */
extern const struct confine_calls confine_calls_sanitizer;
/* Rows of a process that calls confine_forbid() later. */
extern const struct confine_calls confine_calls_forbid;
/* Rows of a process that loads libraries or makes code after its start-up; others may not. */
extern const struct confine_calls confine_calls_code;
/* Rows of who drives a GPU by Mesa, and those for NVIDIA's driver, which is to be loaded, and CUDA.
 */
extern const struct confine_calls confine_calls_gpu, confine_calls_nvidia, confine_calls_cuda;
