/* SPDX-License-Identifier: MIT */
#include "server/keeper/upgrade.h"

#include <unistd.h>

#include "common/fd.h"
#include "server/keeper/limits.h"

#define UPGRADE_TICK_MS 2

void upgrade_init(struct upgrade *upgrade, struct renderer *renderer, struct viewer *viewer)
{
	*upgrade = UPGRADE_NONE;
	upgrade->renderer = renderer;
	upgrade->viewer = viewer;
	upgrade->parts[UPGRADE_RENDERER].worker = &renderer->worker;
	upgrade->parts[UPGRADE_RENDERER].name = "renderer";
	upgrade->parts[UPGRADE_DISPLAY].worker = &viewer->worker;
	upgrade->parts[UPGRADE_DISPLAY].name = "display";
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

/* ---- the answer ---- */

static void answer(int asker, enum upgrade_result result, const struct upgrade *upgrade, char *why)
{
	struct upgrade_answer m = { .header.type = UPGRADE_MESSAGE_ANSWER, .result = result };
	if (result == UPGRADE_DONE) {
		m.guest_away_us = upgrade->parts[UPGRADE_RENDERER].away_us;
		m.clients_away_us = upgrade->parts[UPGRADE_DISPLAY].away_us;
		m.contexts_lost = upgrade->renderer->n_lost - upgrade->n_lost;
	}
	g_strlcpy(m.why, why ? why : "", sizeof(m.why));
	if (link_send(asker, &m, sizeof(m), NULL, 0) < 0)
		g_debug("upgrade: who asked for it has gone");
	close(asker);
	g_free(why);
}

/* Frees `why`. */
static void end(struct upgrade *upgrade, enum upgrade_result result, char *why)
{
	g_clear_handle_id(&upgrade->timer, g_source_remove);
	enter(upgrade, UPGRADE_IDLE);
	if (result == UPGRADE_DONE)
		g_message("upgraded: workers of another build took over; nobody served the guest "
			  "for %.1f ms, and clients for %.1f ms",
			upgrade->parts[UPGRADE_RENDERER].away_us / 1000.0,
			upgrade->parts[UPGRADE_DISPLAY].away_us / 1000.0);
	else
		g_warning("not upgraded: %s", why);
	answer(upgrade->asker, result, upgrade, why);
	upgrade->asker = -1;
}

/* ---- back to the old build ---- */

static enum starter_change set_program(
	const struct upgrade_part *part, enum starter_program which, GError **error)
{
	return starter_set_program(part->worker->starter, part->worker->command, which, error);
}

static void set_old_programs(struct upgrade *upgrade)
{
	for (unsigned i = 0; i < UPGRADE_PARTS; i++) {
		struct upgrade_part *part = &upgrade->parts[i];
		g_autoptr(GError) error = NULL;
		if (part->changes && !set_program(part, STARTER_PROGRAM_OLD, &error))
			g_warning("%s", error->message);
	}
}

/*
 * From here on workers are of the old build again. Of a new one, which a crash may have begun, it
 * is not known whether it would come to work. Frees `why`.
 */
static void undo(struct upgrade *upgrade, enum upgrade_result result, char *why)
{
	set_old_programs(upgrade);
	for (unsigned i = 0; i < UPGRADE_PARTS; i++) {
		struct upgrade_part *part = &upgrade->parts[i];
		if (!part->changes)
			continue;
		spare_renew(&part->worker->spare);
		if (part->worker->n_starts == part->starts)
			continue;
		if (i == UPGRADE_DISPLAY && part->worker->state == WORKER_READY)
			viewer_switch(upgrade->viewer);
		else
			worker_hand_over(part->worker);
	}
	end(upgrade, result, why);
}

/* ---- the steps ---- */

static bool is_at_border(const struct upgrade *upgrade)
{
	const struct heartbeat_memory *heartbeat = &upgrade->renderer->worker.process.heartbeat;
	enum heartbeat_state gpu = heartbeat_memory_read(heartbeat, HEARTBEAT_GPU).state;
	enum heartbeat_state work = heartbeat_memory_read(heartbeat, HEARTBEAT_GPU_WORK).state;
	return !upgrade->parts[UPGRADE_RENDERER].changes ||
	       (gpu == HEARTBEAT_IDLE && work != HEARTBEAT_WORKING);
}

static void cross(struct upgrade *upgrade)
{
	upgrade->cross_us = g_get_monotonic_time();
	upgrade->n_lost = upgrade->renderer->n_lost;
	for (unsigned i = 0; i < UPGRADE_PARTS; i++) {
		upgrade->parts[i].starts = upgrade->parts[i].worker->n_starts;
		upgrade->parts[i].away_us = 0;
	}
	enter(upgrade, UPGRADE_TAKING);
	if (upgrade->parts[UPGRADE_DISPLAY].changes)
		viewer_switch(upgrade->viewer);
	if (upgrade->parts[UPGRADE_RENDERER].changes)
		worker_hand_over(&upgrade->renderer->worker);
}

/* Returns true when a worker that was at work as this began is no more, and gives which. */
static bool has_ended(const struct upgrade *upgrade, const char **name)
{
	for (unsigned i = 0; i < UPGRADE_PARTS; i++) {
		const struct upgrade_part *part = &upgrade->parts[i];
		*name = part->name;
		if (part->worker->state != WORKER_READY || part->worker->n_starts != part->starts)
			return true;
	}
	return false;
}

static void look_at_start(struct upgrade *upgrade, int64_t for_ms)
{
	bool all_ready = true;
	for (unsigned i = 0; i < UPGRADE_PARTS; i++) {
		const struct upgrade_part *part = &upgrade->parts[i];
		const struct spare *spare = &part->worker->spare;
		if (!part->changes)
			continue;
		bool is_ready = spare->start_us > upgrade->state_us && spare_is_ready(spare);
		all_ready = all_ready && is_ready;
		if (spare->backoff_ms > 0 || (!is_ready && for_ms > UPGRADE_START_MS)) {
			undo(upgrade, UPGRADE_REFUSED,
				g_strdup_printf("the new %s %s", part->name,
					spare->backoff_ms > 0 ? "does not start here" :
								"is not ready in time"));
			return;
		}
	}
	if (all_ready)
		enter(upgrade, UPGRADE_BORDER);
}

static bool is_back(const struct upgrade *upgrade, unsigned i)
{
	const struct upgrade_part *part = &upgrade->parts[i];
	const struct worker *worker = part->worker;
	/* Without a guest there is nothing to rebuild. */
	bool has_all = i != UPGRADE_RENDERER || upgrade->renderer->device->n_regions == 0 ||
		       heartbeat_memory_is_rebuilt(&worker->process.heartbeat);
	return worker->state == WORKER_READY && worker->n_starts == part->starts + 1 && has_all;
}

/* Returns true when it has undone all. */
static bool undo_ended(struct upgrade *upgrade)
{
	for (unsigned i = 0; i < UPGRADE_PARTS; i++) {
		const struct upgrade_part *part = &upgrade->parts[i];
		const struct worker *worker = part->worker;
		if (!part->changes)
			continue;
		if (worker->n_starts <= part->starts + 1 &&
			(part->away_us == 0 || is_back(upgrade, i)))
			continue;
		undo(upgrade, UPGRADE_UNDONE,
			g_strdup_printf("the new %s ended when it took over", part->name));
		return true;
	}
	return false;
}

static void look_at_taking(struct upgrade *upgrade, int64_t for_ms)
{
	const struct upgrade_part *late = NULL;
	if (undo_ended(upgrade))
		return;
	for (unsigned i = 0; i < UPGRADE_PARTS; i++) {
		struct upgrade_part *part = &upgrade->parts[i];
		if (part->changes && part->away_us == 0 && is_back(upgrade, i))
			part->away_us = (uint32_t)(g_get_monotonic_time() - upgrade->cross_us);
		if (part->changes && part->away_us == 0)
			late = part;
	}
	if (!late)
		enter(upgrade, UPGRADE_TRYING);
	else if (for_ms > UPGRADE_TAKING_MS)
		undo(upgrade, UPGRADE_UNDONE,
			g_strdup_printf("the new %s did not take over in time", late->name));
}

static void keep(struct upgrade *upgrade)
{
	for (unsigned i = 0; i < UPGRADE_PARTS; i++) {
		if (upgrade->parts[i].changes)
			set_program(&upgrade->parts[i], STARTER_PROGRAM_KEPT, NULL);
	}
	end(upgrade, UPGRADE_DONE, NULL);
}

static gboolean on_tick(gpointer user)
{
	struct upgrade *upgrade = user;
	int64_t for_ms = (g_get_monotonic_time() - upgrade->state_us) / 1000;
	const char *name;
	switch (upgrade->state) {
	case UPGRADE_IDLE:
		break;
	case UPGRADE_STARTING:
	case UPGRADE_BORDER:
		if (has_ended(upgrade, &name))
			undo(upgrade, UPGRADE_REFUSED,
				g_strdup_printf("the %s ended meanwhile", name));
		else if (upgrade->state == UPGRADE_STARTING)
			look_at_start(upgrade, for_ms);
		else if (is_at_border(upgrade) || for_ms > UPGRADE_BORDER_MS)
			cross(upgrade);
		break;
	case UPGRADE_TAKING:
		look_at_taking(upgrade, for_ms);
		break;
	case UPGRADE_TRYING:
		if (!undo_ended(upgrade) && for_ms > UPGRADE_TRY_MS)
			keep(upgrade);
		break;
	}
	/* Who has ended it has removed the source, too. */
	return G_SOURCE_CONTINUE;
}

/* ---- the beginning ---- */

static void refuse(int asker, enum upgrade_result result, char *why)
{
	if (result == UPGRADE_REFUSED)
		g_warning("not upgraded: %s", why);
	answer(asker, result, NULL, why);
}

/* Gives why not, as a text that the caller frees, and then all programs are what they were. */
static char *take_programs(struct upgrade *upgrade)
{
	for (unsigned i = 0; i < UPGRADE_PARTS; i++)
		upgrade->parts[i].changes = false;
	for (unsigned i = 0; i < UPGRADE_PARTS; i++) {
		struct upgrade_part *part = &upgrade->parts[i];
		g_autoptr(GError) error = NULL;
		enum starter_change change = set_program(part, STARTER_PROGRAM_NEW, &error);
		part->changes = change == STARTER_CHANGED;
		if (change == STARTER_CANNOT) {
			set_old_programs(upgrade);
			return g_strdup(error->message);
		}
	}
	return NULL;
}

static void begin(struct upgrade *upgrade, int asker)
{
	upgrade->asker = asker;
	enter(upgrade, UPGRADE_STARTING);
	for (unsigned i = 0; i < UPGRADE_PARTS; i++) {
		struct upgrade_part *part = &upgrade->parts[i];
		part->starts = part->worker->n_starts;
		part->away_us = 0;
		if (!part->changes)
			continue;
		spare_renew(&part->worker->spare);
		worker_want_spare(part->worker, UPGRADE_START_MS + UPGRADE_TAKING_MS);
	}
	upgrade->timer = g_timeout_add(UPGRADE_TICK_MS, on_tick, upgrade);
}

void upgrade_ask(struct upgrade *upgrade, const struct upgrade_request *request, int asker)
{
	char *why = NULL;
	if (request->version != UPGRADE_REQUEST_VERSION)
		why = g_strdup("the one who asks is of a build that asks otherwise");
	else if (upgrade->state != UPGRADE_IDLE)
		why = g_strdup("an upgrade is under way");
	for (unsigned i = 0; i < UPGRADE_PARTS && !why; i++) {
		if (upgrade->parts[i].worker->state != WORKER_READY)
			why = g_strdup_printf(
				"the %s is not at work just now", upgrade->parts[i].name);
	}
	if (!why)
		why = take_programs(upgrade);
	if (why)
		refuse(asker, UPGRADE_REFUSED, why);
	else if (upgrade->parts[UPGRADE_RENDERER].changes ||
		 upgrade->parts[UPGRADE_DISPLAY].changes)
		begin(upgrade, asker);
	else
		refuse(asker, UPGRADE_IS_SAME, NULL);
}
