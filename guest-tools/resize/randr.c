/* SPDX-License-Identifier: MIT */
#include "guest-tools/resize/randr.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"
#include "guest-tools/resize/limits.h"
#include "guest-tools/resize/places.h"
#include "guest-tools/resize/wish.h"
#include "guest-tools/resize/xcb.h"

/* Requests of RandR 1.3, and of the core protocol, by their numbers. */
enum {
	SELECT_INPUT = 4,
	SET_SCREEN_SIZE = 7,
	GET_OUTPUT_INFO = 9,
	GET_OUTPUT_PROPERTY = 15,
	GET_CRTC_INFO = 20,
	SET_CRTC_CONFIG = 21,
	GET_RESOURCES_CURRENT = 25,
};
enum { GET_GEOMETRY = 14, INTERN_ATOM = 16, GRAB_SERVER = 36, UNGRAB_SERVER = 37 };
/* Of the screen, of controllers, of outputs. */
#define EVENTS 7
#define SCREEN_DPI 96

struct output {
	uint32_t id, crtc, mode, want; /* want: the preferred mode, 0: it has none */
	uint32_t may[HEADS_MAX];
	unsigned n_may;
	uint16_t rotation;
	bool connected, ours;
	char name[64];
	struct resize_mode wish;
};

/* What was acted upon last: what a person sets by hand after that is left alone. */
struct told {
	uint32_t id;
	bool known, connected;
	struct resize_mode wish;
};

struct server {
	struct xcb *xcb;
	uint32_t edid_atom, stamp;
	uint32_t width, height;
	unsigned n, n_told;
	struct output outputs[HEADS_MAX];
	struct places_head places[HEADS_MAX];
	struct told told[HEADS_MAX];
};

static uint32_t get16(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) | get16(at + 2) << 16;
}

static uint8_t *ask(
	struct server *server, uint8_t minor, uint32_t *words, size_t n_words, size_t *n)
{
	return xcb_ask(server->xcb, true, 0, minor, words, 4 * n_words, n);
}

/* ---- what the server has ---- */

/* RRGetScreenResources, RRModeInfo: 32 bytes a mode, the rate by its clock and totals. */
static struct resize_mode find_mode(const uint8_t *modes, unsigned n, uint32_t id)
{
	for (unsigned i = 0; i < n; i++, modes += 32) {
		uint64_t total = (uint64_t)get16(modes + 16) * get16(modes + 24);
		if (get32(modes) != id)
			continue;
		return (struct resize_mode){ get16(modes + 4), get16(modes + 6),
			total ? (uint32_t)(get32(modes + 8) * 1000ull / total) : 0 };
	}
	return (struct resize_mode){ 0 };
}

static bool is_ours(struct server *server, uint32_t output)
{
	size_t n;
	struct resize_mode wish;
	uint32_t request[] = { 0, output, server->edid_atom, 0, 0, EDID_READ_BYTES / 4, 0 };
	uint8_t *answer = ask(server, GET_OUTPUT_PROPERTY, request, 7, &n);
	bool ours = answer && answer[1] == 8 && get32(answer + 16) <= n - 32 &&
		    wish_read(answer + 32, get32(answer + 16), &wish);
	free(answer);
	return ours;
}

static void read_crtc(struct server *server, struct output *output, struct places_head *place)
{
	size_t n;
	uint32_t request[] = { 0, output->crtc, server->stamp };
	uint8_t *answer = output->crtc ? ask(server, GET_CRTC_INFO, request, 3, &n) : NULL;
	if (answer && get32(answer + 20)) {
		output->mode = get32(answer + 20);
		output->rotation = (uint16_t)get16(answer + 24);
		*place = (struct places_head){ true, (int16_t)get16(answer + 12),
			(int16_t)get16(answer + 14), get16(answer + 16), get16(answer + 18) };
	}
	free(answer);
}

static void read_output(struct server *server, uint32_t id, const uint8_t *modes, unsigned n_modes)
{
	size_t n;
	uint32_t request[] = { 0, id, server->stamp };
	struct output *output = &server->outputs[server->n];
	uint8_t *answer = ask(server, GET_OUTPUT_INFO, request, 3, &n);
	if (!answer || n < 36) {
		free(answer);
		return;
	}
	unsigned n_crtcs = get16(answer + 26), n_of_it = get16(answer + 28);
	unsigned n_clones = get16(answer + 32), n_name = get16(answer + 34);
	size_t name_at = 36 + 4 * (size_t)(n_crtcs + n_of_it + n_clones);
	*output = (struct output){
		.id = id, .crtc = get32(answer + 12), .connected = answer[24] == 0, .rotation = 1
	};
	server->places[server->n] = (struct places_head){ 0 };
	if (name_at + n_name <= n) {
		snprintf(output->name, sizeof output->name, "%.*s", (int)n_name, answer + name_at);
		for (unsigned i = 0; i < n_crtcs && i < HEADS_MAX; i++)
			output->may[output->n_may++] = get32(answer + 36 + 4 * i);
		if (get16(answer + 30) > 0 && n_of_it > 0)
			output->want = get32(answer + 36 + 4 * n_crtcs);
		output->wish = find_mode(modes, n_modes, output->want);
		output->ours = is_ours(server, id);
		read_crtc(server, output, &server->places[server->n]);
		server->n++;
	}
	free(answer);
}

static bool read_server(struct server *server)
{
	size_t n;
	uint32_t root[] = { 0, xcb_root(server->xcb) };
	uint8_t *size = xcb_ask(server->xcb, false, GET_GEOMETRY, 0, root, 8, &n);
	uint8_t *answer = ask(server, GET_RESOURCES_CURRENT, root, 2, &n);
	server->n = 0;
	if (size && answer) {
		unsigned n_crtcs = get16(answer + 16), n_outputs = get16(answer + 18);
		unsigned n_modes = get16(answer + 20);
		const uint8_t *outputs = answer + 32 + 4 * n_crtcs;
		const uint8_t *modes = outputs + 4 * n_outputs;
		server->stamp = get32(answer + 12);
		server->width = get16(size + 16);
		server->height = get16(size + 18);
		if (32 + 4 * (size_t)(n_crtcs + n_outputs) + 32 * (size_t)n_modes <= n)
			for (unsigned i = 0; i < n_outputs && i < HEADS_MAX; i++)
				read_output(server, get32(outputs + 4 * i), modes, n_modes);
	}
	free(size);
	free(answer);
	return server->n > 0;
}

/* ---- what is set ---- */

static void set_size(struct server *server, uint32_t width, uint32_t height)
{
	uint32_t request[] = { 0, xcb_root(server->xcb), width | height << 16,
		width * 254 / (SCREEN_DPI * 10), height * 254 / (SCREEN_DPI * 10) };
	if (width == server->width && height == server->height)
		return;
	xcb_tell(server->xcb, true, 0, SET_SCREEN_SIZE, request, sizeof request);
	server->width = width;
	server->height = height;
}

static bool set_crtc(struct server *server, struct output *output, const struct places_head *place)
{
	size_t n;
	uint32_t request[] = { 0, output->crtc, 0, server->stamp,
		(uint16_t)place->x | (uint32_t)place->y << 16, place->on ? output->mode : 0,
		output->rotation, output->id };
	uint8_t *answer = ask(server, SET_CRTC_CONFIG, request, place->on ? 8 : 7, &n);
	bool good = answer && answer[1] == 0;
	free(answer);
	if (!good)
		fprintf(stderr, "%s: the X server refused the mode\n", output->name);
	return good;
}

/* One that no output has. */
static uint32_t find_crtc(const struct server *server, const struct output *output)
{
	for (unsigned i = 0; i < output->n_may; i++) {
		bool taken = false;
		for (unsigned j = 0; j < server->n; j++)
			taken |= server->outputs[j].crtc == output->may[i];
		if (!taken)
			return output->may[i];
	}
	return 0;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* The screen holds the old and the new places in between, so that nothing is turned off for it. */
static void apply(struct server *server, const bool changes[HEADS_MAX],
	const struct places_head old[HEADS_MAX])
{
	uint32_t none[1] = { 0 }, width, height;
	places_settle(server->places, server->n, &width, &height);
	if (width == 0 || height == 0)
		return;
	xcb_tell(server->xcb, false, GRAB_SERVER, 0, none, sizeof none);
	for (unsigned i = 0; i < server->n; i++)
		if (changes[i] && !server->places[i].on)
			set_crtc(server, &server->outputs[i], &server->places[i]);
	set_size(server, larger(width, server->width), larger(height, server->height));
	for (unsigned i = 0; i < server->n; i++) {
		const struct places_head *place = &server->places[i];
		bool moves = place->x != old[i].x || place->y != old[i].y;
		if (place->on && (changes[i] || moves))
			set_crtc(server, &server->outputs[i], place);
	}
	set_size(server, width, height);
	xcb_tell(server->xcb, false, UNGRAB_SERVER, 0, none, sizeof none);
}

static struct told *find_told(struct server *server, uint32_t id)
{
	for (unsigned i = 0; i < server->n_told; i++)
		if (server->told[i].id == id)
			return &server->told[i];
	if (server->n_told == HEADS_MAX)
		return NULL;
	server->told[server->n_told] = (struct told){ .id = id };
	return &server->told[server->n_told++];
}

/* Some desktops turn on what is plugged where there is a picture already. */
static bool lies_on_another(const struct server *server, unsigned which)
{
	const struct places_head *place = &server->places[which];
	for (unsigned i = 0; place->on && i < server->n; i++)
		if (i != which && server->places[i].on && server->places[i].x == place->x &&
			server->places[i].y == place->y)
			return true;
	return false;
}

/* Gives whether the output is another now: places and its mode say how. */
static bool change(struct server *server, unsigned which)
{
	struct output *output = &server->outputs[which];
	struct places_head *place = &server->places[which];
	struct told *told = find_told(server, output->id);
	bool across = output->rotation & 10; /* a quarter or three */
	uint32_t width = across ? output->wish.height : output->wish.width;
	uint32_t height = across ? output->wish.width : output->wish.height;
	bool known = told && told->known;
	if (told)
		told->known = true;
	if (!told || (output->connected ? !output->ours || !output->want : !told->connected))
		return false;
	bool was_connected = told->connected;
	told->connected = output->connected;
	if (!output->connected) {
		if (place->on)
			places_turn_off(server->places, server->n, which);
		return !place->on && output->crtc;
	}
	if (was_connected && memcmp(&told->wish, &output->wish, sizeof told->wish) == 0)
		return false;
	told->wish = output->wish;
	bool covers = known && !was_connected && lies_on_another(server, which);
	if (place->on && output->mode == output->want && !covers)
		return false;
	fprintf(stderr, "%s: %ux%u becomes %ux%u\n", output->name, place->width, place->height,
		width, height);
	bool comes = !place->on && !was_connected && (output->crtc = find_crtc(server, output));
	if (covers || comes)
		places_turn_on(server->places, server->n, which, width, height);
	else if (place->on)
		places_resize(server->places, server->n, which, width, height);
	output->mode = output->want;
	return place->on;
}

static void look(struct server *server)
{
	bool changes[HEADS_MAX] = { 0 }, any = false;
	struct places_head old[HEADS_MAX];
	if (!read_server(server))
		return;
	memcpy(old, server->places, sizeof old);
	for (unsigned i = 0; i < server->n; i++)
		any |= changes[i] = change(server, i);
	if (any)
		apply(server, changes, old);
}

/* ---- */

static uint32_t find_atom(struct server *server, const char *name)
{
	size_t n, length = strlen(name);
	uint8_t request[8 + 16] = { 0 };
	request[4] = (uint8_t)length;
	memcpy(request + 8, name, length);
	uint8_t *answer =
		xcb_ask(server->xcb, false, INTERN_ATOM, 0, request, 8 + ((length + 3) & ~3ul), &n);
	uint32_t atom = answer ? get32(answer + 8) : 0;
	free(answer);
	return atom;
}

/* A desktop that follows by itself is let do so, from the first event on. */
int randr_follow(void)
{
	static struct server server;
	double due_ms = timing_now_ms();
	server.xcb = xcb_open();
	if (!server.xcb)
		return 1;
	uint32_t select[] = { 0, xcb_root(server.xcb), EVENTS };
	xcb_tell(server.xcb, true, 0, SELECT_INPUT, select, sizeof select);
	server.edid_atom = find_atom(&server, "EDID");
	while (!xcb_is_gone(server.xcb)) {
		struct pollfd wait = { xcb_descriptor(server.xcb), POLLIN, 0 };
		if (xcb_take_events(server.xcb) && due_ms == 0)
			due_ms = timing_now_ms() + DESKTOP_FOLLOWS_MS;
		double left_ms = due_ms - timing_now_ms();
		if (due_ms > 0 && left_ms <= 0) {
			due_ms = 0;
			look(&server);
			continue;
		}
		if (poll(&wait, 1, due_ms > 0 ? (int)left_ms + 1 : -1) < 0 && errno != EINTR)
			break;
	}
	xcb_close(server.xcb);
	return 0;
}
