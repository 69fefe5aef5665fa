/* SPDX-License-Identifier: MIT */
#include "guest-tools/resize/wlr.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"
#include "guest-tools/resize/places.h"
#include "guest-tools/resize/sway.h"
#include "guest-tools/resize/uevents.h"
#include "guest-tools/resize/wlr_heads.h"

#define MANAGER "zwlr_output_manager_v1"
/* With 2 heads have serial numbers; 3 adds what clients must say when objects end. */
#define MANAGER_VERSION 2
/*
 * wlroots has 4 from 0.17 on. Before, it makes modes whose width is a multiple of 8, and ends by a
 * null pointer when it was told another one (seen with 0.15 by "swaymsg output ... mode --custom").
 */
#define MANAGER_VERSION_EXACT 4
#define COARSE_PIXELS 8u

enum { MANAGER_CREATE = 0, MANAGER_HEAD = 0, MANAGER_DONE = 1, MANAGER_FINISHED = 2 };
enum { CONFIGURATION_ENABLE = 0, CONFIGURATION_DISABLE = 1, CONFIGURATION_APPLY = 2 };
enum { CONFIGURATION_DESTROY = 4 };
enum { CONFIGURATION_SUCCEEDED = 0, CONFIGURATION_FAILED = 1, CONFIGURATION_CANCELLED = 2 };
enum { HEAD_SET_MODE = 0, HEAD_SET_CUSTOM_MODE = 1, HEAD_SET_POSITION = 2 };

struct follower {
	struct wire wire;
	struct wlr_heads heads;
	uint32_t registry, synced, manager, serial;
	bool known, finished, coarse;
	uint32_t asked;                  /* the configuration that is not answered yet, or 0 */
	bool look_again;                 /* something came meanwhile */
	bool any_rate;                   /* the wished rate was refused */
	double look_at_ms, look_step_ms; /* 0: not */
};

static void look_soon(struct follower *follower)
{
	follower->look_step_ms = LOOK_FIRST_MS;
	follower->look_at_ms = timing_now_ms() + LOOK_FIRST_MS;
}

/* ---- what the compositor says ---- */

static void take_global(struct follower *follower, struct wire_event *event)
{
	uint32_t name = wire_number(event);
	const char *interface = wire_text(event);
	uint32_t version = wire_number(event);
	if (strcmp(interface, MANAGER) != 0 || follower->manager)
		return;
	follower->coarse = version < MANAGER_VERSION_EXACT;
	follower->manager = wire_new_id(&follower->wire);
	wire_send(&follower->wire, follower->registry, REGISTRY_BIND, -1, "usuu", name, MANAGER,
		version < MANAGER_VERSION ? version : MANAGER_VERSION, follower->manager);
}

static void take_manager(struct follower *follower, struct wire_event *event)
{
	if (event->opcode == MANAGER_HEAD)
		wlr_heads_add(&follower->heads, wire_number(event));
	if (event->opcode == MANAGER_FINISHED)
		follower->finished = true;
	if (event->opcode == MANAGER_DONE) {
		follower->serial = wire_number(event);
		follower->look_at_ms = timing_now_ms();
	}
}

/* A refused wish is tried once more with any rate. One that came too late is made anew. */
static void take_answer(struct follower *follower, struct wire_event *event)
{
	wire_send(&follower->wire, follower->asked, CONFIGURATION_DESTROY, -1, "");
	follower->asked = 0;
	if (event->opcode == CONFIGURATION_FAILED) {
		fprintf(stderr, "the compositor refused the mode\n");
		for (unsigned i = 0; !follower->any_rate && i < follower->heads.n_heads; i++)
			follower->heads.heads[i].told = (struct resize_mode){ 0 };
		follower->any_rate = !follower->any_rate;
	} else {
		follower->any_rate = false;
	}
	if (event->opcode == CONFIGURATION_CANCELLED)
		for (unsigned i = 0; i < follower->heads.n_heads; i++)
			follower->heads.heads[i].told = (struct resize_mode){ 0 };
	if (event->opcode != CONFIGURATION_SUCCEEDED || follower->look_again)
		look_soon(follower);
	follower->look_again = false;
}

static void take_event(struct follower *follower, struct wire_event *event)
{
	if (event->object == DISPLAY_ID && event->opcode == DISPLAY_ERROR) {
		wire_number(event);
		wire_number(event);
		fprintf(stderr, "the compositor says: %s\n", wire_text(event));
		follower->finished = true;
	} else if (event->object == follower->registry) {
		if (event->opcode == REGISTRY_GLOBAL)
			take_global(follower, event);
	} else if (event->object == follower->synced) {
		follower->known = true;
	} else if (follower->manager && event->object == follower->manager) {
		take_manager(follower, event);
	} else if (follower->asked && event->object == follower->asked) {
		take_answer(follower, event);
	} else {
		wlr_heads_take(&follower->heads, event);
	}
}

/* ---- what is asked for ---- */

/* A turned head's picture lies across, and a scaled one is smaller on the desktop. */
static void measure(const struct wlr_head *head, const struct resize_mode *mode, uint32_t size[2])
{
	bool across = head->transform & 1;
	uint32_t scale = head->scale ? head->scale : 256;
	size[0] = (uint32_t)((uint64_t)(across ? mode->height : mode->width) * 256 / scale);
	size[1] = (uint32_t)((uint64_t)(across ? mode->width : mode->height) * 256 / scale);
}

static void put_mode(struct follower *follower, uint32_t configured, const struct wlr_head *head)
{
	struct wire *wire = &follower->wire;
	const struct wlr_mode *mode = wlr_heads_find(&follower->heads, head, &head->want);
	if (mode)
		wire_send(wire, configured, HEAD_SET_MODE, -1, "u", mode->id);
	else
		wire_send(wire, configured, HEAD_SET_CUSTOM_MODE, -1, "uuu", head->want.width,
			head->want.height, follower->any_rate ? 0 : head->want.refresh_mhz);
}

/* All heads must be named, those that stay as they are, too. */
static void ask(struct follower *follower, const bool changes[HEADS_MAX],
	const struct places_head layout[HEADS_MAX])
{
	struct wire *wire = &follower->wire;
	follower->asked = wire_new_id(wire);
	wire_send(wire, follower->manager, MANAGER_CREATE, -1, "uu", follower->asked,
		follower->serial);
	for (unsigned i = 0; i < follower->heads.n_heads; i++) {
		const struct wlr_head *head = &follower->heads.heads[i];
		if (!head->enabled) {
			wire_send(wire, follower->asked, CONFIGURATION_DISABLE, -1, "u", head->id);
			continue;
		}
		uint32_t configured = wire_new_id(wire);
		wire_send(wire, follower->asked, CONFIGURATION_ENABLE, -1, "uu", configured,
			head->id);
		if (changes[i])
			put_mode(follower, configured, head);
		if (layout[i].x == head->x && layout[i].y == head->y)
			continue;
		wire_send(wire, configured, HEAD_SET_POSITION, -1, "uu", (uint32_t)layout[i].x,
			(uint32_t)layout[i].y);
	}
	wire_send(wire, follower->asked, CONFIGURATION_APPLY, -1, "");
}

/* Gives false when this is not sway, or it does not understand. */
static bool ask_sway(struct follower *follower, const bool changes[HEADS_MAX],
	const struct places_head layout[HEADS_MAX])
{
	char path[108], commands[1024] = "";
	if (!sway_find_socket(follower->wire.fd, path, sizeof path))
		return false;
	for (unsigned i = 0; i < follower->heads.n_heads; i++) {
		const struct wlr_head *head = &follower->heads.heads[i];
		bool moves = layout[i].x != head->x || layout[i].y != head->y;
		if (!head->enabled || (!changes[i] && !moves))
			continue;
		text_append_format(commands, sizeof commands, "%soutput \"%s\"",
			commands[0] ? "; " : "", head->name);
		if (changes[i])
			text_append_format(commands, sizeof commands, " mode --custom %ux%u@%.3fHz",
				head->want.width, head->want.height,
				head->want.refresh_mhz / 1000.0);
		if (moves)
			text_append_format(commands, sizeof commands, " position %d %d",
				layout[i].x, layout[i].y);
	}
	return sway_run(path, commands);
}

/* Is the head ours, on, and wished to have a mode that it was not wished to have before? */
static bool changes(struct follower *follower, struct wlr_head *head, struct resize_mode *now)
{
	struct resize_mode wish;
	const struct wlr_mode *current = wlr_heads_current(&follower->heads, head);
	*now = head->made ? head->want : current ? current->mode : (struct resize_mode){ 0 };
	if (!head->enabled || (!current && !head->made) || !wish_read_connector(head->name, &wish))
		return false;
	if (memcmp(&wish, &head->told, sizeof wish) == 0)
		return false;
	head->told = head->want = wish;
	if (follower->coarse && !wlr_heads_find(&follower->heads, head, &wish))
		head->want.width -= wish.width % COARSE_PIXELS;
	if (head->want.width == 0 || (!head->made && wish_is_same(&head->want, now)))
		return false;
	head->made = true;
	fprintf(stderr, "%s: %ux%u becomes %ux%u\n", head->name, now->width, now->height,
		head->want.width, head->want.height);
	return true;
}

static void look(struct follower *follower)
{
	bool change[HEADS_MAX] = { 0 }, any = false;
	struct places_head layout[HEADS_MAX] = { 0 };
	struct wlr_heads *heads = &follower->heads;
	uint32_t size[2];
	if (follower->asked) {
		follower->look_again = true;
		return;
	}
	for (unsigned i = 0; i < heads->n_heads; i++) {
		struct resize_mode now;
		change[i] = changes(follower, &heads->heads[i], &now);
		any |= change[i];
		measure(&heads->heads[i], &now, size);
		layout[i] = (struct places_head){ heads->heads[i].enabled, heads->heads[i].x,
			heads->heads[i].y, size[0], size[1] };
	}
	for (unsigned i = 0; i < heads->n_heads; i++) {
		if (!change[i])
			continue;
		measure(&heads->heads[i], &heads->heads[i].want, size);
		places_resize(layout, heads->n_heads, i, size[0], size[1]);
	}
	if (any && !ask_sway(follower, change, layout))
		ask(follower, change, layout);
}

/* ---- */

static void look_when_due(struct follower *follower)
{
	double now_ms = timing_now_ms();
	if (follower->look_at_ms == 0 || now_ms < follower->look_at_ms)
		return;
	follower->look_step_ms *= 2;
	bool last = follower->look_step_ms == 0 || follower->look_step_ms > LOOK_LAST_MS;
	follower->look_at_ms = last ? 0 : now_ms + follower->look_step_ms;
	if (last)
		follower->look_step_ms = 0;
	if (follower->known && follower->serial)
		look(follower);
}

static int time_left_ms(const struct follower *follower)
{
	double left_ms = follower->look_at_ms - timing_now_ms();
	if (follower->look_at_ms == 0)
		return -1;
	return left_ms < 0 ? 0 : (int)left_ms + 1;
}

static bool take_events(struct follower *follower)
{
	struct wire_event event;
	size_t at = 0;
	bool good = wire_read(&follower->wire);
	while (good && wire_next(&follower->wire, &at, &event))
		take_event(follower, &event);
	wire_done(&follower->wire, at);
	return good;
}

static bool follow(struct follower *follower, int plugged)
{
	struct pollfd waits[2] = { { follower->wire.fd, POLLIN, 0 }, { plugged, POLLIN, 0 } };
	if (poll(waits, 2, time_left_ms(follower)) < 0 && errno != EINTR)
		return false;
	if (waits[1].revents && uevents_take(plugged))
		look_soon(follower);
	if (waits[0].revents && !take_events(follower))
		return false;
	look_when_due(follower);
	/* Nothing of the other globals is of use. */
	return !follower->finished && (!follower->known || follower->manager);
}

static bool connect_soon(struct wire *wire, const char *display)
{
	for (int i = 0; i < CONNECT_TRIES; i++) {
		if (wire_connect(wire, display))
			return true;
		timing_sleep_ms(CONNECT_PAUSE_MS);
	}
	fprintf(stderr, "%s: %s\n", display, strerror(errno));
	return false;
}

int wlr_follow(const char *display)
{
	static struct follower follower;
	int plugged = uevents_open();
	if (plugged < 0 || !connect_soon(&follower.wire, display))
		return 1;
	follower.registry = wire_new_id(&follower.wire);
	wire_send(&follower.wire, DISPLAY_ID, DISPLAY_GET_REGISTRY, -1, "u", follower.registry);
	follower.synced = wire_new_id(&follower.wire);
	wire_send(&follower.wire, DISPLAY_ID, DISPLAY_SYNC, -1, "u", follower.synced);
	while (follow(&follower, plugged))
		;
	if (follower.known && !follower.manager)
		fprintf(stderr, "%s: the compositor has no %s, and is left alone\n", display,
			MANAGER);
	close(follower.wire.fd);
	close(plugged);
	return 0;
}
