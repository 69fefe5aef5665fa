/* SPDX-License-Identifier: MIT */
#include "protocol/contracts.h"

#include <elf.h>
#include <glib.h>

#include "common/flight.h"
#include "protocol/frame_link.h"
#include "protocol/heartbeat.h"
#include "protocol/keeper_link.h"
#include "protocol/ledger.h"
#include "protocol/stats.h"
#include "protocol/worker_options.h"

struct contracts_note {
	Elf64_Nhdr header;
	char owner[8]; /* with its NUL, and as long as notes are aligned */
	uint32_t versions[CONTRACTS];
};

_Static_assert(sizeof(CONTRACTS_NOTE_OWNER) == 8, "the owner fills its place");

__attribute__((section(".note.vitrine"), used,
	aligned(4))) static const struct contracts_note contracts_note = {
	.header = { .n_namesz = sizeof(CONTRACTS_NOTE_OWNER),
		.n_descsz = CONTRACTS * sizeof(uint32_t),
		.n_type = CONTRACTS_NOTE_TYPE },
	.owner = CONTRACTS_NOTE_OWNER,
	.versions = {
		[CONTRACT_KEEPER_LINK] = KEEPER_LINK_VERSION,
		[CONTRACT_FRAME_LINK] = FRAME_LINK_VERSION,
		[CONTRACT_LEDGER] = LEDGER_VERSION,
		[CONTRACT_HEARTBEAT] = HEARTBEAT_VERSION,
		[CONTRACT_STATS] = STATS_VERSION,
		[CONTRACT_FLIGHT] = FLIGHT_VERSION,
		[CONTRACT_OPTIONS] = WORKER_OPTIONS_VERSION,
	},
};

uint32_t contract_version(enum contract contract)
{
	return contracts_note.versions[contract];
}

const char *contract_name(unsigned contract)
{
	static const char *const names[CONTRACTS] = {
		[CONTRACT_KEEPER_LINK] = "keeper link",
		[CONTRACT_FRAME_LINK] = "frame link",
		[CONTRACT_LEDGER] = "ledger",
		[CONTRACT_HEARTBEAT] = "heartbeat",
		[CONTRACT_STATS] = "figures",
		[CONTRACT_FLIGHT] = "flight recorder",
		[CONTRACT_OPTIONS] = "command line",
	};
	return contract < CONTRACTS ? names[contract] : "contract unknown here";
}

char *contracts_describe(void)
{
	GString *text = g_string_new(NULL);
	for (unsigned i = 0; i < CONTRACTS; i++)
		g_string_append_printf(
			text, "%s%s %u", i > 0 ? ", " : "", contract_name(i), contract_version(i));
	return g_string_free(text, FALSE);
}
