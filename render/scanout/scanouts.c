/* SPDX-License-Identifier: MIT */
#include "render/scanout/scanouts.h"

#include <glib.h>
#include <poll.h>

#include "common/monotonic.h"
#include "protocol/stats_writer.h"
#include "render/gl/virgl.h"
#include "render/objects/objects.h"
#include "render/scanout/cursor.h"
#include "render/scanout/limits.h"
#include "render/scanout/scanouts_state.h"

/* ---- what display says: only noted ---- */

static void heads_wanted(void *user, const struct frame_heads_wanted *wanted)
{
	struct scanouts *scanouts = user;
	modes_set(&scanouts->modes, wanted);
	scanouts->heard.modes = true;
}

static void rate_changed(void *user, unsigned head, uint32_t was_mhz)
{
	struct scanouts *scanouts = user;
	scanouts->heard.rates |= 1u << head;
	if (was_mhz == 0)
		scanouts->heard.awake |= 1u << head;
}

static void released(void *user, unsigned head)
{
	struct scanouts *scanouts = user;
	scanouts->heard.releases |= 1u << head;
}

static void formats_changed(void *user, unsigned head)
{
	struct scanouts *scanouts = user;
	scanouts->heard.formats |= 1u << head;
}

static const struct frame_sender_listener display_listener = {
	.formats_changed = formats_changed,
	.heads_wanted = heads_wanted,
	.rate_changed = rate_changed,
	.released = released,
};

const struct modes *scanouts_hear_display(struct scanouts *scanouts)
{
	frame_sender_receive(scanouts->frames, SCANOUTS_MESSAGES_HEARD_MAX);
	return &scanouts->modes;
}

void scanouts_set_first_mode(
	struct scanouts *scanouts, uint32_t width, uint32_t height, uint32_t refresh_mhz)
{
	modes_set_first(&scanouts->modes, width, height, refresh_mhz);
	scanouts->heard.modes = true;
}

/* ---- what follows from it ---- */

static void follow_head(struct scanouts *scanouts, unsigned head, const struct heard *heard)
{
	uint32_t bit = 1u << head;
	if (heard->formats & bit)
		scanout_change_formats(scanouts, head);
	if (heard->rates & bit)
		stats_set(head, STATS_WANTED_MHZ, frame_sender_get_rate(scanouts->frames, head));
	if (heard->awake & bit)
		scanout_damage_all(scanouts, head);
	if ((heard->rates | heard->releases) & bit)
		scanout_pump(scanouts, head);
}

void scanouts_follow_display(struct scanouts *scanouts)
{
	struct heard heard = scanouts->heard;
	scanouts->heard = (struct heard){ 0 };
	uint32_t changed = heard.formats | heard.rates | heard.releases;
	if (heard.modes)
		scanouts_tell_heads(scanouts);
	for (unsigned head = 0; changed >> head; head++) {
		if (changed & 1u << head)
			follow_head(scanouts, head, &heard);
	}
}

/* ---- objects ---- */

static void resource_made(void *user, const struct resource *resource)
{
	struct scanouts *scanouts = user;
	const struct ledger_resource *d = &resource->description;
	if (cursor_is_size(d->width, d->height))
		cursor_add_resource(scanouts->cursor, resource->id);
}

static void resource_going(void *user, struct resource *resource)
{
	struct scanouts *scanouts = user;
	scanout_forget_resource(scanouts, resource);
	cursor_remove_resource(scanouts->cursor, resource->id);
}

static const struct objects_listener objects_listener = {
	.resource_made = resource_made,
	.resource_going = resource_going,
};

struct scanouts *scanouts_create(struct objects *objects, bool no_pacing)
{
	struct scanouts *scanouts = g_new0(struct scanouts, 1);
	scanouts->objects = objects;
	scanouts->cpu_buffers = &buffer_memfd;
	scanouts->pacing.off = no_pacing;
	modes_init(&scanouts->modes);
	scanouts->frames = frame_sender_create(&display_listener, scanouts);
	const struct quota *quotas = objects_get_account(objects, 0)->quotas;
	scanouts->cursor = cursor_create(quotas[QUOTA_CURSORS].limit);
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		quota_rate_init(
			&scanouts->flush_rates[head], QUOTA_FLUSHES, quotas[QUOTA_FLUSHES].limit);
	objects_add_listener(objects, &objects_listener, scanouts);
	return scanouts;
}

void scanouts_destroy(struct scanouts *scanouts)
{
	if (!scanouts)
		return;
	scanouts_clear(scanouts);
	objects_remove_listener(scanouts->objects, scanouts);
	frame_sender_destroy(scanouts->frames);
	cursor_destroy(scanouts->cursor);
	g_free(scanouts);
}

void scanouts_use_gl(
	struct scanouts *scanouts, const struct buffer_interface *cpu_buffers, bool gpu_buffers)
{
	scanouts->cpu_buffers = cpu_buffers;
	scanouts->gpu_buffers = gpu_buffers;
}

/* ---- the link ---- */

static void send_cursor(struct scanouts *scanouts)
{
	if (!cursor_send_waiting(scanouts->cursor))
		frame_sender_ask_room(scanouts->frames);
}

void scanouts_use_link(struct scanouts *scanouts, int fd)
{
	frame_sender_attach(scanouts->frames, fd);
	cursor_set_link(scanouts->cursor, fd);
	send_cursor(scanouts);
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		scanout_change_formats(scanouts, head);
		scanout_damage_all(scanouts, head);
	}
}

int scanouts_get_poll(const struct scanouts *scanouts, short *events)
{
	*events = (short)(POLLIN | (frame_sender_wants_room(scanouts->frames) ? POLLOUT : 0));
	return frame_sender_get_fd(scanouts->frames);
}

void scanouts_serve_link(struct scanouts *scanouts, short revents)
{
	if (revents & (POLLIN | POLLHUP | POLLERR))
		frame_sender_receive(scanouts->frames, SCANOUTS_MESSAGES_AT_ONCE);
	if (!(revents & POLLOUT))
		return;
	frame_sender_send_waiting(scanouts->frames);
	send_cursor(scanouts);
	scanouts_pump(scanouts);
}

/* ---- cursor and pacing ---- */

struct cursor *scanouts_get_cursor(struct scanouts *scanouts)
{
	return scanouts->cursor;
}

void scanouts_note_pixels(struct scanouts *scanouts, const struct resource *resource)
{
	const struct ledger_resource *d = &resource->description;
	if (cursor_is_size(d->width, d->height))
		cursor_publish(
			scanouts->cursor, resource->id, resource_peek_pixels(resource), true);
}

static void fetch_cursor(struct scanouts *scanouts, uint32_t id)
{
	const struct resource *resource = objects_find_resource(scanouts->objects, id);
	uint8_t pixels[FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE * 4] = { 0 };
	if (!resource) {
		cursor_remove_resource(scanouts->cursor, id);
		return;
	}
	if (!resource->description.is_3d) {
		cursor_publish(scanouts->cursor, id, resource_peek_pixels(resource), false);
		return;
	}
	struct rect all = { 0, 0, FRAME_CURSOR_SIZE, FRAME_CURSOR_SIZE };
	struct texture texture;
	virgl_enter_gl();
	if (virgl_resource_get_texture(&resource->description, &texture))
		readback_texture(&texture, &all, pixels, FRAME_CURSOR_SIZE * 4);
	cursor_publish(scanouts->cursor, id, pixels, false);
}

void scanouts_serve_cursor(struct scanouts *scanouts, uint16_t n_executed)
{
	uint32_t id;
	while ((id = cursor_take_request(scanouts->cursor, n_executed)))
		fetch_cursor(scanouts, id);
	send_cursor(scanouts);
}

uint64_t scanouts_draw_ns(struct scanouts *scanouts, uint32_t heads, unsigned *head)
{
	return pacing_draw_ns(&scanouts->pacing, heads, monotonic_now_ns(), head);
}

bool scanouts_are_paced(const struct scanouts *scanouts)
{
	return !scanouts->pacing.off;
}
