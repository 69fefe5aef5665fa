/* SPDX-License-Identifier: MIT */
/*
 * blame decides what becomes of a guest's context whose work ended a renderer, and of the program
 * behind it.
 *
 * A first crash may be anybody's bad luck, so the context is made again and nothing is refused. The
 * second one of the same name is not tried a third time: the context is lost, and new contexts of
 * that name are refused for BLAME_REFUSAL_S, twice as long after each further one. From the third
 * on all contexts of that name are lost. Work that never ended costs its context at once, since it
 * would stop everybody's picture again for as long as its limit.
 *
 * A context is known by its debug name, which Linux sets to the program's: its id is the next
 * program's soon. A program can choose its name, and take another one for each context. So the
 * first crashes of all names are counted together, and from the third within BLAME_FORGET_ALL_S no
 * new context at all is made for a while. Contexts that exist go on, but for the one that crashed.
 * Contexts without a name are told apart by their id, and are lost but not refused; a program may
 * have cleared its name, so each crash of theirs counts as the first of another one.
 *
 * It may also have made them all beforehand, one for each crash. So the fourth crash within
 * BLAME_FORGET_ALL_S, whoever's it is, takes all contexts along but those whose picture a head has
 * shown: the desktop's own. That leaves the guest four crashes in a minute, and one more for each
 * context of the desktop; the first restart takes a fifth of a second and the others less, since a
 * spare renderer waits (worker.h), so the renderer is there for more than 99 % of the time.
 * Programs that meant well lose what they had drawn by any crash.
 *
 * A GPU that is reset takes all renderers along that use it, of other desktops, too. The driver
 * says which context is guilty, and that one is judged as for a crash, by the name it had if it is
 * gone meanwhile. Nobody else is. Where the driver does not say whose work it was, nobody is judged
 * either, until that has happened more than BLAME_SILENT_MAX times within BLAME_FORGET_ALL_S: from
 * then on it counts as a crash in what the renderer was at, or a guest's program could reset the
 * GPU for ever. A GPU whose work does not end, and which nobody resets, is counted like that, too:
 * it does the work of all desktops in turn.
 *
 * It only counts and compares: the caller tells what happened and does what is decided. Everything
 * happens on the main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/ledger.h"
#include "server/keeper/heartbeat_memory.h"
#include "server/keeper/worker_end.h"

/*
 * At most this many names are remembered. One more takes the place of the one that was quiet for
 * longest.
 */
#define BLAME_NAMES_MAX (LEDGER_REFUSALS_MAX - 1)

/* The first refusal lasts this many seconds, and the longest BLAME_REFUSAL_MAX_S. */
#define BLAME_REFUSAL_S 60
#define BLAME_REFUSAL_MAX_S 600

/* After this many seconds without a crash and without a refusal a name's crashes are forgotten. */
#define BLAME_FORGET_S 600
/* The same holds for crashes of all names together. */
#define BLAME_FORGET_ALL_S 60

/* So many resets of the GPU that nobody is guilty of are forgiven. */
#define BLAME_SILENT_MAX 5

struct blame_record {
	char name[LEDGER_NAME_BYTES];
	uint32_t context; /* of a context without a name; else 0 */
	unsigned n_crashes;
	uint64_t last_ns;
	uint64_t refused_until_ns; /* 0: not refused */
};

struct blame {
	struct blame_record names[BLAME_NAMES_MAX]; /* free: no crashes */
	struct blame_record all;                    /* first crashes of whatever name */
	struct blame_record storm;                  /* all crashes */
	struct blame_record silent;                 /* resets of the GPU by nobody knows whom */
};

struct blame_judgement {
	unsigned n_crashes; /* of this name, this one included */
	bool lose_context;  /* it is not to be made again */
	bool lose_name;     /* and no other one of its name */
	bool lose_unseen;   /* and none whose picture no head has shown */
	unsigned refused_s; /* new contexts of its name are refused for so long; 0: they are not */
	unsigned all_refused_s; /* all new contexts are */
};

/*
 * Says at whose work a renderer ended, from its last words. A crash is put down to what the gpu
 * thread was at, or else to what the GPU had not done. A hang is put down to what it was seen at;
 * but that the GPU has not done something is known only while the gpu thread comes round to asking.
 * So if that got stuck within BLAME_UNSEEN_MS after the GPU was given the work, it is its own work
 * that hung. Gives false when it was nobody's.
 */
#define BLAME_UNSEEN_MS 1000
bool blame_find(const struct heartbeat_memory *heartbeat, const struct heartbeat_said *hung_at,
	struct heartbeat_said *at);

/*
 * Says which context the renderer named as guilty when it found the GPU reset. Gives false when it
 * named none.
 */
bool blame_find_guilty(const struct heartbeat_memory *heartbeat, struct heartbeat_said *at);
/* Counts a reset by nobody knows whom, and gives whether it is to be judged like a crash. */
bool blame_count_silent(struct blame *blame, uint64_t now_ns);

/*
 * Decides what follows when a renderer has ended in this context's work. `hung` says that the work
 * never came to an end.
 */
struct blame_judgement blame_judge(struct blame *blame, uint32_t context,
	const char name[LEDGER_NAME_BYTES], bool hung, uint64_t now_ns);

/* Forgets all crashes, because the guest is new. */
void blame_clear(struct blame *blame);

/* Fills in what is refused now, for the ledger. Slots that are not needed are made free. */
void blame_fill(const struct blame *blame, struct ledger_refusal refusals[LEDGER_REFUSALS_MAX],
	uint64_t now_ns);
/* Says in the log what follows for whoever did this work, when it ended the renderer so. */
void blame_tell(const char *work, enum worker_end end, const struct blame_judgement *judgement);
