/* SPDX-License-Identifier: MIT */
/*
 * keeper is one desktop of vitrine-gpu. It holds QEMU's conversation, the two workers, and what
 * they need of each other; ARCHITECTURE.md ("Three processes, three kinds of trust") says why it is
 * a process of its own. All of this is its main thread's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/keeper/admission.h"
#include "server/keeper/device.h"
#include "server/keeper/gpu_socket.h"
#include "server/keeper/guest_port.h"
#include "server/keeper/keeper_walls.h"
#include "server/keeper/late_device.h"
#include "server/keeper/ledger_memory.h"
#include "server/desktop/desktop.h"
#include "server/keeper/qmp.h"
#include "server/keeper/recorder.h"
#include "server/keeper/renderer.h"
#include "server/keeper/requests.h"
#include "server/keeper/screenshot.h"
#include "server/keeper/stats_socket.h"
#include "server/keeper/ticket_socket.h"
#include "server/keeper/upgrade.h"
#include "server/keeper/viewer.h"
#include "server/starter/fetcher.h"

struct keeper {
	const struct desktop *desktop;
	struct starter *starter;
	struct fetcher *fetcher;
	GMainLoop *loop;
	pid_t parent; /* who ends us by its own end; 0: nobody does */
	int exit_status;
	struct keeper_walls walls;

	struct recorder recorder;
	struct device device;
	struct ledger_memory ledger;
	struct renderer renderer;
	struct viewer viewer;
	struct admission admission;
	struct gpu_socket gpu_socket;
	struct qmp_broker *qmp; /* NULL: no --qmp */
	struct stats_socket stats;
	struct ticket_socket tickets;
	struct guest_port guest_port;
	struct upgrade upgrade;
	struct screenshot screenshot;

	int vhost_listener; /* -1: --fd, or QEMU has connected */
	unsigned vhost_listener_source;
	unsigned frame_link_source; /* of the next try to make one */
	struct requests requests;
	struct late_device late_device;
	bool serving;
	const char *shutdown; /* why QEMU ends, as it said; NULL: it has not */
	unsigned gone_source; /* QEMU has hung up */

	unsigned signal_sources[4];
};

/*
 * Makes the sockets and has `starter` start the workers; it, `fetcher` and `gpus` must outlive the
 * keeper. Call keeper_finish() after a failure, too: nothing is left behind then.
 */
bool keeper_init(struct keeper *keeper, const struct desktop *desktop,
	const struct gpu_candidates *gpus, struct starter *starter, struct fetcher *fetcher,
	GError **error);

/* Runs until SIGTERM, SIGINT, QEMU's end or a failure, and returns the exit status. */
int keeper_run(struct keeper *keeper);
void keeper_finish(struct keeper *keeper);
