/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_playback.h"

#include <glib.h>
#include <spice.h>
#include <string.h>

/* spice-server's own from the start, and the rate it makes encoders for, sound.cpp. */
#define OPUS_RATE 48000

struct spice_playback {
	SpiceServer *server;
	SpicePlaybackInstance instance;
	uint32_t rate;
	bool plays;
	uint32_t *frame; /* of spice-server, being filled; NULL: none */
	uint32_t n_frame, n_filled;
	uint64_t n_silent; /* stereo frames in a row */
	unsigned starved;  /* timer, 0: off */
	gint64 written_us; /* last time */
	gint64 started_us;
	uint64_t n_taken; /* stereo frames since then */
};

static const SpicePlaybackInterface playback_interface = {
	.base = {
		.type = SPICE_INTERFACE_PLAYBACK,
		.description = "vitrine sound",
		.major_version = SPICE_INTERFACE_PLAYBACK_MAJOR,
		.minor_version = SPICE_INTERFACE_PLAYBACK_MINOR,
	},
};

struct spice_playback *spice_playback_create(struct RedsState *server)
{
	struct spice_playback *playback = g_new0(struct spice_playback, 1);
	playback->instance.base.sif = &playback_interface.base;
	playback->server = server;
	playback->rate = OPUS_RATE;
	if (spice_server_add_interface(server, &playback->instance.base) == 0)
		return playback;
	g_warning("spice: the playback channel was refused");
	g_free(playback);
	return NULL;
}

void spice_playback_destroy(struct spice_playback *playback)
{
	if (!playback)
		return;
	g_clear_handle_id(&playback->starved, g_source_remove);
	g_free(playback);
}

/* What is missing of the frame is silence. */
static void finish_frame(struct spice_playback *playback)
{
	if (!playback->frame)
		return;
	memset(playback->frame + playback->n_filled, 0,
		(playback->n_frame - playback->n_filled) * sizeof(*playback->frame));
	spice_server_playback_put_samples(&playback->instance, playback->frame);
	playback->frame = NULL;
}

void spice_playback_stop(struct spice_playback *playback)
{
	if (!playback->plays)
		return;
	finish_frame(playback);
	spice_server_playback_stop(&playback->instance);
	playback->plays = false;
	g_clear_handle_id(&playback->starved, g_source_remove);
}

static gboolean on_starved(gpointer user)
{
	struct spice_playback *playback = user;
	if (g_get_monotonic_time() - playback->written_us < PLAYBACK_STARVED_MS * 1000)
		return G_SOURCE_CONTINUE;
	spice_playback_stop(playback);
	return G_SOURCE_REMOVE;
}

static void start(struct spice_playback *playback)
{
	spice_server_set_playback_rate(&playback->instance, playback->rate);
	spice_server_playback_start(&playback->instance);
	playback->plays = true;
	playback->started_us = playback->written_us;
	playback->n_taken = 0;
	playback->starved = g_timeout_add(PLAYBACK_STARVED_MS / 2, on_starved, playback);
}

void spice_playback_set_rate(struct spice_playback *playback, uint32_t rate)
{
	spice_playback_stop(playback);
	playback->n_silent = 0;
	if (rate != playback->rate && rate != OPUS_RATE)
		spice_server_set_playback_compression(playback->server, 0);
	playback->rate = rate;
}

static bool is_silent(const uint8_t *data, size_t n_frames)
{
	return n_frames == 0 || (data[0] == 0 && memcmp(data, data + 1, n_frames * 4 - 1) == 0);
}

/* False: spice-server has no room, or nobody listens. */
static bool take_frame(struct spice_playback *playback)
{
	if (!playback->frame) {
		spice_server_playback_get_buffer(
			&playback->instance, &playback->frame, &playback->n_frame);
		playback->n_filled = 0;
	}
	return playback->frame != NULL;
}

static void fill(struct spice_playback *playback, const uint8_t *data, size_t n_frames)
{
	while (n_frames > 0 && take_frame(playback)) {
		size_t n = MIN(n_frames, playback->n_frame - playback->n_filled);
		memcpy(playback->frame + playback->n_filled, data, n * sizeof(*playback->frame));
		playback->n_filled += (uint32_t)n;
		data += n * sizeof(*playback->frame);
		n_frames -= n;
		if (playback->n_filled == playback->n_frame)
			finish_frame(playback);
	}
}

static bool is_ahead(const struct spice_playback *playback)
{
	gint64 elapsed_us = playback->written_us - playback->started_us + PLAYBACK_AHEAD_MS * 1000;
	return playback->n_taken * G_USEC_PER_SEC > (uint64_t)elapsed_us * playback->rate;
}

void spice_playback_write(struct spice_playback *playback, const void *data, size_t size_bytes)
{
	size_t n_frames = size_bytes / sizeof(uint32_t);
	playback->n_silent = is_silent(data, n_frames) ? playback->n_silent + n_frames : 0;
	playback->written_us = g_get_monotonic_time();
	bool silent = playback->n_silent * 1000 > (uint64_t)PLAYBACK_SILENT_MS * playback->rate;
	if (silent || (!playback->plays && playback->n_silent > 0)) {
		spice_playback_stop(playback);
		return;
	}
	if (!playback->plays)
		start(playback);
	if (is_ahead(playback))
		return;
	playback->n_taken += n_frames;
	fill(playback, data, n_frames);
}

void spice_playback_set_volume(
	struct spice_playback *playback, bool mute, uint16_t left, uint16_t right)
{
	uint16_t volume[] = { left, right };
	spice_server_playback_set_mute(&playback->instance, mute);
	spice_server_playback_set_volume(&playback->instance, G_N_ELEMENTS(volume), volume);
}
