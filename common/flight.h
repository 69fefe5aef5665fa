/* SPDX-License-Identifier: MIT */
/*
 * flight is a process's flight recorder: memory that outlives it, in which it writes down what it
 * does and decides, so that after its death somebody can read how it came to that.
 *
 * It holds numbers: what has happened (an event, which some table of the reader's names), when, on
 * which of our threads, and three words that the event says the meaning of. Rare events have a ring
 * of their own, so that what happens a thousand times a second does not push them out. Beside the
 * rings stand where each thread is when the process crashes, or is asked where it is; which
 * libraries lie where; and some words about the versions in use. There are no texts of a guest or a
 * client in it but names, which are cut and cleaned (flight_note_name()).
 *
 * Who makes the memory hands it over as FLIGHT_FD, all zero, and keeps it. Until it is taken, and
 * where there is none, notes go to a place that nobody reads, so there is nothing to check before a
 * call. A note costs one atomic addition and some stores, and for rare events the time besides;
 * nobody waits for anybody. Any thread may write.
 *
 * A reader trusts none of it: the process may have been taken over. An event was written wholly if
 * its serial is that of its place; it is stored last (release).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A worker inherits its memory as this descriptor, beside its keeper link and its heartbeat. */
#define FLIGHT_FD 5

#define FLIGHT_MAGIC UINT64_C(0x544847494c465256) /* "VRFLIGHT" */
#define FLIGHT_VERSION 1

/* 64 KiB of events, of which the second number may come often. */
#define FLIGHT_RARE_MAX 1228
#define FLIGHT_OFTEN_MAX 410

#define FLIGHT_ARGS 3
struct flight_event {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t args[FLIGHT_ARGS];
	/* From the lowest bits: 16 of the event, 16 of the thread, 32 of the serial, from 1. */
	uint64_t tag;
};

/* Where a thread is: how it was found, and by what calls it came there, the innermost first. */
#define FLIGHT_FRAMES_MAX 44
enum flight_stack_kind {
	FLIGHT_STACK_NONE,
	FLIGHT_STACK_CRASHED, /* a signal ends the process on this thread */
	FLIGHT_STACK_ASKED,   /* it was asked for by FLIGHT_SIGNAL */
};
struct flight_stack {
	uint32_t kind;
	uint32_t thread; /* 0: one without a name here */
	int32_t signal_number, signal_code;
	uint64_t address; /* that could not be reached, if the signal says one */
	uint64_t pc, sp;
	uint32_t is_whole; /* `frames` are all there are, or as many as there is room for */
	uint32_t n_frames;
	uint64_t frames[FLIGHT_FRAMES_MAX];
};
#define FLIGHT_STACKS_MAX 8

#define FLIGHT_MODULE_BYTES 40
#define FLIGHT_BUILD_ID_BYTES 8
struct flight_module {
	uint64_t begin, end; /* of what is mapped; `begin` is what addresses are counted from */
	uint8_t build_id[FLIGHT_BUILD_ID_BYTES]; /* its first bytes; all 0: unknown */
	char name[FLIGHT_MODULE_BYTES];          /* the file's, without folders; NUL-padded */
};
#define FLIGHT_MODULES_MAX 192

/* Threads with a name here; 0 is any other one. */
#define FLIGHT_THREADS_MAX 16
#define FLIGHT_THREAD_BYTES 12
struct flight_thread {
	uint32_t tid;
	char name[FLIGHT_THREAD_BYTES]; /* NUL-padded */
};

enum flight_text {
	FLIGHT_TEXT_PROGRAM,    /* name and version */
	FLIGHT_TEXT_DRIVER,     /* what draws: OpenGL's renderer and version */
	FLIGHT_TEXT_LIBRARIES,  /* versions of libraries that matter */
	FLIGHT_TEXT_LAST_WORDS, /* what the process itself says of its end: a failed assertion */
	FLIGHT_TEXTS,
};
#define FLIGHT_TEXT_BYTES 160

struct flight_memory {
	uint64_t magic;
	uint32_t version, size_bytes;
	/* How many events of each kind there have been. */
	uint64_t n_rare, n_often;
	uint32_t n_threads, n_modules;
	/* How many stacks have been begun, and how many are written. */
	uint32_t n_stacks_begun, n_stacks;
	/* Memory that was refused, how often, how much at last, and when (CLOCK_MONOTONIC). */
	uint64_t n_refused, refused_bytes, refused_ns;
	struct flight_thread threads[FLIGHT_THREADS_MAX];
	char texts[FLIGHT_TEXTS][FLIGHT_TEXT_BYTES]; /* each ends with NUL */
	struct flight_stack stacks[FLIGHT_STACKS_MAX];
	struct flight_module modules[FLIGHT_MODULES_MAX];
	struct flight_event rare[FLIGHT_RARE_MAX];
	struct flight_event often[FLIGHT_OFTEN_MAX];
};

/* Makes empty memory of what is all zero. It is the keeper's, for a process that is to come. */
void flight_init(struct flight_memory *memory);
/*
 * Takes the memory behind the inherited descriptor FLIGHT_FD and closes that. Where it is none it
 * is left alone: gives false.
 */
bool flight_attach(void);
/* Takes memory that is there, or with NULL goes back to none. It is not freed. */
void flight_use(struct flight_memory *memory);

/* Writes down a rare event, with the time. */
void flight_note(uint16_t event, uint64_t a, uint64_t b, uint64_t c);
/* The last two words are 16 bytes of a name that somebody else has chosen, cut and cleaned. */
void flight_note_name(uint16_t event, uint64_t a, const char *name);
/* Writes down what may come often, at a time that the caller knows anyway. */
void flight_note_often(uint16_t event, uint64_t time_ns, uint64_t a, uint64_t b, uint64_t c);
/* Writes down that memory was refused. Nothing is taken for that. */
void flight_note_refused(size_t bytes);

/* Gives this thread a name, of which FLIGHT_THREAD_BYTES - 1 bytes are kept. */
void flight_begin_thread(const char *name);
/* Cut to fit, and what cannot be printed becomes '?'. */
void flight_set_text(enum flight_text text, const char *words);
/* Writes down which libraries lie where, as of now. It is called again when more are loaded. */
void flight_find_modules(void);

/* ---- where threads are (flight_crash.c) ---- */

/*
 * Has a signal that ends this process by its own fault (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT,
 * SIGSYS, SIGTRAP) write down where it was, and then end it as before; and FLIGHT_SIGNAL write down
 * where each named thread is, and go on. Where a sanitizer has handlers of its own it does nothing.
 */
void flight_watch_crashes(void);
/*
 * Has this called when where the process crashed is written down, before it ends: a function that a
 * handler may call.
 */
void flight_set_saver(void (*save)(void));
/* For who has a handler of its own: writes down where this thread is. A handler may call it. */
void flight_note_crash(int signal_number, const void *siginfo, const void *context);
/* From outside it asks where the threads of a process are, before that is killed. */
int flight_signal(void);
