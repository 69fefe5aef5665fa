/* SPDX-License-Identifier: MIT */
#include "server/keeper/upgrade.h"

#include <unistd.h>

#include "common/fd.h"
#include "server/keeper/limits.h"

#define UPGRADE_TICK_MS 2

void upgrade_init(struct upgrade *upgrade, struct renderer *renderer)
{
	*upgrade = UPGRADE_NONE;
	upgrade->renderer = renderer;
}

void upgrade_finish(struct upgrade *upgrade)
{
	g_clear_handle_id(&upgrade->timer, g_source_remove);
	fd_close(&upgrade->asker);
}

static void enter(struct upgrade *upgrade, enum upgrade_state state)
{
	upgrade->state = state;
	upgrade->state_us = g_get_monotonic_time();
}

static void answer(int asker, enum upgrade_result result, uint32_t pause_us, const char *why)
{
	struct upgrade_answer m = {
		.header.type = UPGRADE_MESSAGE_ANSWER, .result = result, .pause_us = pause_us
	};
	g_strlcpy(m.why, why, sizeof(m.why));
	if (link_send(asker, &m, sizeof(m), NULL, 0) < 0)
		g_debug("upgrade: who asked for it has gone");
	close(asker);
}

static void end(
	struct upgrade *upgrade, enum upgrade_result result, uint32_t pause_us, const char *why)
{
	g_clear_handle_id(&upgrade->timer, g_source_remove);
	enter(upgrade, UPGRADE_IDLE);
	if (result == UPGRADE_DONE)
		g_message("upgraded: a renderer of another build took over; nobody served the "
			  "guest for %.1f ms",
			pause_us / 1000.0);
	else
		g_warning("not upgraded: %s", why);
	answer(upgrade->asker, result, pause_us, why);
	upgrade->asker = -1;
}

static bool set_program(struct upgrade *upgrade, enum starter_program which, GError **error)
{
	struct worker *worker = &upgrade->renderer->worker;
	return starter_set_program(worker->starter, worker->command, which, error);
}

/* From here on renderers are of the old build again. */
static void undo(struct upgrade *upgrade, enum upgrade_result result, const char *why)
{
	struct worker *worker = &upgrade->renderer->worker;
	g_autoptr(GError) error = NULL;
	if (!set_program(upgrade, STARTER_PROGRAM_OLD, &error))
		g_warning("%s", error->message);
	spare_renew(&worker->spare);
	/* Of a new one, which a crash may have begun, it is not known whether it would come to
	 * work.
	 */
	if (result == UPGRADE_UNDONE || worker->n_starts != upgrade->starts)
		worker_hand_over(worker);
	end(upgrade, result, 0, why);
}

static bool is_at_border(const struct upgrade *upgrade)
{
	const struct heartbeat_memory *heartbeat = &upgrade->renderer->worker.process.heartbeat;
	enum heartbeat_state gpu = heartbeat_memory_read(heartbeat, HEARTBEAT_GPU).state;
	enum heartbeat_state work = heartbeat_memory_read(heartbeat, HEARTBEAT_GPU_WORK).state;
	return gpu == HEARTBEAT_IDLE && work != HEARTBEAT_WORKING;
}

static void cross(struct upgrade *upgrade)
{
	struct worker *worker = &upgrade->renderer->worker;
	upgrade->pause_us = g_get_monotonic_time();
	upgrade->starts = worker->n_starts;
	enter(upgrade, UPGRADE_TAKING);
	worker_hand_over(worker);
}

/* Returns true when the renderer that was at work as this began is no more. */
static bool has_ended(const struct upgrade *upgrade)
{
	const struct worker *worker = &upgrade->renderer->worker;
	return worker->state != WORKER_READY || worker->n_starts != upgrade->starts;
}

static void look_at_start(struct upgrade *upgrade, int64_t for_ms)
{
	const struct spare *spare = &upgrade->renderer->worker.spare;
	if (has_ended(upgrade))
		undo(upgrade, UPGRADE_REFUSED, "the renderer ended meanwhile");
	else if (spare->backoff_ms > 0)
		undo(upgrade, UPGRADE_REFUSED, "the new renderer does not start here");
	else if (for_ms > UPGRADE_START_MS)
		undo(upgrade, UPGRADE_REFUSED, "the new renderer is not ready in time");
	else if (spare->start_us > upgrade->state_us && spare_get_state(spare) == STATS_SPARE_READY)
		enter(upgrade, UPGRADE_BORDER);
}

static void look_at_taking(struct upgrade *upgrade, int64_t for_ms)
{
	const struct worker *worker = &upgrade->renderer->worker;
	int64_t now_us = g_get_monotonic_time();
	/* Without a guest there is nothing to rebuild. */
	bool is_rebuilt = heartbeat_memory_is_rebuilt(&worker->process.heartbeat) ||
			  upgrade->renderer->device->n_regions == 0;
	if (worker->n_starts > upgrade->starts + 1)
		undo(upgrade, UPGRADE_UNDONE, "the new renderer ended when it took over");
	else if (for_ms > UPGRADE_TAKING_MS)
		undo(upgrade, UPGRADE_UNDONE, "the new renderer did not take over in time");
	else if (worker->state == WORKER_READY && worker->n_starts == upgrade->starts + 1 &&
		 is_rebuilt) {
		set_program(upgrade, STARTER_PROGRAM_KEPT, NULL);
		end(upgrade, UPGRADE_DONE, (uint32_t)(now_us - upgrade->pause_us), "");
	}
}

static gboolean on_tick(gpointer user)
{
	struct upgrade *upgrade = user;
	int64_t for_ms = (g_get_monotonic_time() - upgrade->state_us) / 1000;
	switch (upgrade->state) {
	case UPGRADE_IDLE:
		break;
	case UPGRADE_STARTING:
		look_at_start(upgrade, for_ms);
		break;
	case UPGRADE_BORDER:
		if (has_ended(upgrade))
			undo(upgrade, UPGRADE_REFUSED, "the renderer ended meanwhile");
		else if (is_at_border(upgrade) || for_ms > UPGRADE_BORDER_MS)
			cross(upgrade);
		break;
	case UPGRADE_TAKING:
		look_at_taking(upgrade, for_ms);
		break;
	}
	/* Who has ended it has removed the source, too. */
	return G_SOURCE_CONTINUE;
}

/* Gives which contract the two builds do not share, as a text that the caller frees, or NULL. */
static char *find_difference(const struct upgrade_request *request)
{
	static const char *const names[UPGRADE_CONTRACTS] = {
		[UPGRADE_KEEPER_LINK] = "keeper link",
		[UPGRADE_FRAME_LINK] = "frame link",
		[UPGRADE_LEDGER] = "ledger",
		[UPGRADE_HEARTBEAT] = "heartbeat",
		[UPGRADE_STATS] = "figures",
	};
	static const uint32_t own[UPGRADE_CONTRACTS] = UPGRADE_OWN_VERSIONS;
	for (unsigned i = 0; i < UPGRADE_CONTRACTS; i++) {
		if (request->versions[i] != own[i])
			return g_strdup_printf("the new build's %s is of version %u, and this "
					       "desktop's of version %u: it must be restarted",
				names[i], request->versions[i], own[i]);
	}
	return NULL;
}

static void refuse(int asker, const char *why)
{
	g_warning("not upgraded: %s", why);
	answer(asker, UPGRADE_REFUSED, 0, why);
}

void upgrade_ask(struct upgrade *upgrade, const struct upgrade_request *request, int asker)
{
	struct worker *worker = &upgrade->renderer->worker;
	g_autofree char *difference = find_difference(request);
	g_autoptr(GError) error = NULL;
	if (difference)
		refuse(asker, difference);
	else if (upgrade->state != UPGRADE_IDLE)
		refuse(asker, "an upgrade is under way");
	else if (worker->state != WORKER_READY)
		refuse(asker, "the renderer is not at work just now");
	else if (!set_program(upgrade, STARTER_PROGRAM_NEW, &error))
		refuse(asker, error->message);
	else {
		upgrade->asker = asker;
		upgrade->starts = worker->n_starts;
		enter(upgrade, UPGRADE_STARTING);
		spare_renew(&worker->spare);
		worker_want_spare(worker, RENDERER_SPARE_MS);
		upgrade->timer = g_timeout_add(UPGRADE_TICK_MS, on_tick, upgrade);
	}
}
