/* SPDX-License-Identifier: MIT */
/*
 * A flight file says how one process came to its end. The keeper writes it after the death of a
 * worker, and `vitrine run` after that of QEMU; their own they write while they live, so that it is
 * there whichever way they end. `vitrine flight` reads them.
 *
 * It begins with a head, which is what the writer knows and decides. Behind that lie sections:
 * bytes of the process that died, as they were. The keeper has not looked into them, since a
 * process that was taken over could have written anything; who reads them trusts nothing. All
 * numbers are of the machine's byte order, and the file is read on such a machine.
 */
#pragma once

#include <stdint.h>

#include "common/flight.h"

#define FLIGHT_FILE_MAGIC UINT64_C(0x31454c4946544656) /* "VFTFILE1" */
#define FLIGHT_FILE_VERSION 1

/* A file is no larger than this; a reader takes no larger one. */
#define FLIGHT_FILE_BYTES_MAX (512 * 1024)

enum flight_process {
	FLIGHT_PROCESS_NONE,
	FLIGHT_PROCESS_KEEPER,
	FLIGHT_PROCESS_RENDER,
	FLIGHT_PROCESS_DISPLAY,
	FLIGHT_PROCESS_RUN,
	FLIGHT_PROCESS_QEMU,
	FLIGHT_PROCESS_GUEST, /* the machine in QEMU, which goes on */
	FLIGHT_PROCESSES,
};

/*
 * Why a process is no more. The keeper decides it from what the kernel and its own watchdog say,
 * never from what the process has written, but for the GPU's reset, of which only that knows.
 */
enum flight_cause {
	FLIGHT_CAUSE_UNKNOWN,
	/* ---- what the kernel says ---- */
	FLIGHT_CAUSE_KILLED,        /* SIGKILL, which was not ours */
	FLIGHT_CAUSE_TOLD,          /* SIGTERM, SIGINT or SIGHUP: it was told to go */
	FLIGHT_CAUSE_SEGV,          /* SIGSEGV */
	FLIGHT_CAUSE_ABORT,         /* SIGABRT, SIGTRAP: it ended itself, as by an assertion */
	FLIGHT_CAUSE_BUS,           /* SIGBUS: memory whose file has no such place */
	FLIGHT_CAUSE_SYSCALL,       /* SIGSYS: a filter ended it */
	FLIGHT_CAUSE_SIGNAL,        /* any other one */
	FLIGHT_CAUSE_EXIT,          /* it left with a status that says nothing more */
	FLIGHT_CAUSE_OUT_OF_MEMORY, /* the kernel killed it to have memory */
	/* ---- the keeper killed it ---- */
	FLIGHT_CAUSE_HUNG_GPU_THREAD,
	FLIGHT_CAUSE_HUNG_GPU,    /* the GPU had not done what it was given */
	FLIGHT_CAUSE_HUNG_MAIN,   /* its main thread */
	FLIGHT_CAUSE_HUNG_LOOP,   /* display's relay, or a thread of spice-server's */
	FLIGHT_CAUSE_STOPPED,     /* SIGSTOP */
	FLIGHT_CAUSE_NOT_STARTED, /* it ended before it could work */
	FLIGHT_CAUSE_LATE,        /* it was not ready in time */
	FLIGHT_CAUSE_PROTOCOL,    /* it said on its link what no worker says */
	FLIGHT_CAUSE_DEAF,        /* it did not read its link */
	FLIGHT_CAUSE_RING,        /* it did not stop a ring */
	FLIGHT_CAUSE_REPLACED,    /* another one was wanted: an upgrade, another GPU */
	/* ---- the GPU was reset ---- */
	FLIGHT_CAUSE_GPU_RESET_GUILTY, /* by work of this desktop's guest */
	FLIGHT_CAUSE_GPU_RESET_INNOCENT,
	FLIGHT_CAUSE_GPU_RESET_UNKNOWN,
	/* ---- the keeper's own, and the desktop's ---- */
	FLIGHT_CAUSE_RUNNING,       /* nothing was written at its end: it runs, or was ended hard */
	FLIGHT_CAUSE_ENDED,         /* in order: it was told to */
	FLIGHT_CAUSE_QEMU,          /* QEMU hung up, or is no more */
	FLIGHT_CAUSE_QEMU_PROTOCOL, /* QEMU said what no QEMU says */
	FLIGHT_CAUSE_STARTER,       /* a worker was needed and the starter is gone */
	FLIGHT_CAUSE_WORKER,        /* a worker could not be started */
	/* ---- QEMU's, and who ends along with another ---- */
	FLIGHT_CAUSE_GUEST_SHUTDOWN, /* the guest powered its machine off */
	FLIGHT_CAUSE_GUEST_PANIC,    /* the guest's kernel said that it panicked */
	FLIGHT_CAUSE_KEEPER,         /* the keeper ended first */
	FLIGHT_CAUSE_RUN,            /* vitrine run ended first */
	/* ---- the keeper's own, too ---- */
	FLIGHT_CAUSE_NO_DESCRIPTORS, /* it has as many open as it may */
	FLIGHT_CAUSES,
};

/* What became of the guest's context whose work it was. */
enum flight_judgement {
	FLIGHT_JUDGED = 1,
	FLIGHT_JUDGED_CONTEXT_LOST = 2,
	FLIGHT_JUDGED_NAME_LOST = 4,
	FLIGHT_JUDGED_UNSEEN_LOST = 8,
};

enum flight_section_kind {
	FLIGHT_SECTION_NONE,
	FLIGHT_SECTION_FLIGHT,        /* struct flight_memory of who died */
	FLIGHT_SECTION_HEARTBEAT,     /* struct heartbeat of who died */
	FLIGHT_SECTION_KEEPER_FLIGHT, /* struct flight_memory of the keeper */
	FLIGHT_SECTION_RUN_FLIGHT,    /* struct flight_memory of vitrine run */
	FLIGHT_SECTION_KINDS,
};
struct flight_section {
	uint32_t kind, size_bytes;
	uint64_t offset_bytes; /* in the file */
};
#define FLIGHT_SECTIONS_MAX 4

#define FLIGHT_WORD_BYTES 64
#define FLIGHT_LINE_BYTES 256
struct flight_head {
	uint64_t magic;
	uint32_t version, size_bytes; /* of the whole file */
	uint32_t process, cause;      /* enum flight_process, enum flight_cause */
	int32_t pid, wait_status;
	uint32_t has_wait_status;
	uint32_t n_start;     /* the how many-th process of its kind of this desktop */
	uint64_t realtime_ns; /* when this was written, CLOCK_REALTIME */
	uint64_t written_ns;  /* the same, CLOCK_MONOTONIC */
	uint64_t began_ns;    /* when the process began, CLOCK_MONOTONIC */
	uint32_t loop;        /* enum heartbeat_loop: what hung */
	uint32_t context;     /* of the guest, whose work it was; 0: nobody's */
	uint64_t for_ns;      /* how long it had hung or been stopped */
	uint32_t judged;      /* enum flight_judgement */
	uint32_t n_crashes;   /* of that name, of late */
	uint32_t refused_s, all_refused_s;
	uint32_t was_ready, link_version;
	char desktop[FLIGHT_WORD_BYTES], program[FLIGHT_WORD_BYTES];
	char kernel[FLIGHT_WORD_BYTES];
	char work[FLIGHT_LINE_BYTES]; /* what it was at, as in the log */
	char why[FLIGHT_LINE_BYTES];  /* the cause in the keeper's words */
	char gpu[FLIGHT_LINE_BYTES];  /* what the desktop draws with */
	struct flight_section sections[FLIGHT_SECTIONS_MAX];
};

/* Where the first section may begin: the head has a page of its own. */
#define FLIGHT_HEAD_BYTES 4096
_Static_assert(sizeof(struct flight_head) <= FLIGHT_HEAD_BYTES, "the head fits in its page");

/* Gives "killed", "hung-gpu-thread", …: words for programs. Past the last one it is "unknown". */
const char *flight_cause_name(unsigned cause);
/* Gives a phrase for people, such as "its gpu thread hung". */
const char *flight_cause_phrase(unsigned cause);
/* Gives "vitrine-render" and such. */
const char *flight_process_name(unsigned process);
/* Gives what the kernel's word for the end of a process means, where nobody killed it. */
enum flight_cause flight_cause_of_end(int wait_status);
