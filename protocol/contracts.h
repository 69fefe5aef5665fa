/* SPDX-License-Identifier: MIT */
/*
 * Contracts are what two builds must have in common for a worker of one to serve the keeper of the
 * other. Each has a number that is raised when an old peer would misunderstand.
 *
 * A worker's program carries its own ones as an ELF note, so that the file can be asked without
 * being executed (server/starter/program_note.h).
 */
#pragma once

#include <stdint.h>

#define CONTRACTS_NOTE_OWNER "Vitrine"
#define CONTRACTS_NOTE_TYPE 1

/* They stand in the note in this order; new ones go to the end. */
enum contract {
	CONTRACT_KEEPER_LINK,
	CONTRACT_FRAME_LINK,
	CONTRACT_LEDGER,
	CONTRACT_HEARTBEAT,
	CONTRACT_STATS,
	CONTRACT_FLIGHT,
	CONTRACT_OPTIONS, /* the workers' command lines */
	CONTRACTS,
};

/* Gives the version that this build keeps to. */
uint32_t contract_version(enum contract contract);
/* Gives the contract's name for people; one that this build does not know has one, too. */
const char *contract_name(unsigned contract);
/* Gives all of this build's, as a text that the caller frees: "keeper link 9, frame link 1, ...".
 */
char *contracts_describe(void);
