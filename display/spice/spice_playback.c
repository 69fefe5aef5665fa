/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_playback.h"

#include <glib.h>
#include <spice.h>
#include <string.h>

/* spice-server begins with this rate, and its Opus encoder takes no other (sound.cpp). */
#define OPUS_RATE_HZ 48000
/* A pair of samples, left and right, has this many bytes. */
#define PAIR_BYTES sizeof(uint32_t)

struct spice_playback {
	SpiceServer *server;
	SpicePlaybackInstance instance;
	uint32_t rate_hz;
	bool plays;
	uint32_t *block;            /* spice-server's, which is being filled; NULL: none */
	uint32_t n_block, n_filled; /* pairs that it takes, and has */
	uint64_t n_silent;          /* pairs in a row that were silent */
	unsigned starved;           /* timer, 0: off */
	unsigned again;             /* idle source that says `mute` again, 0: off */
	bool mute;                  /* the guest's last wish */
	gint64 written_us;          /* the last time that sound was written */
	gint64 started_us;          /* the stream's start */
	uint64_t n_taken;           /* pairs that were taken since then */
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
	playback->rate_hz = OPUS_RATE_HZ;
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
	g_clear_handle_id(&playback->again, g_source_remove);
	g_free(playback);
}

/* Fills the rest of the block with silence and gives it back. */
static void finish_block(struct spice_playback *playback)
{
	if (!playback->block)
		return;
	memset(playback->block + playback->n_filled, 0,
		(playback->n_block - playback->n_filled) * PAIR_BYTES);
	spice_server_playback_put_samples(&playback->instance, playback->block);
	playback->block = NULL;
}

void spice_playback_stop(struct spice_playback *playback)
{
	if (!playback->plays)
		return;
	finish_block(playback);
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
	spice_server_set_playback_rate(&playback->instance, playback->rate_hz);
	spice_server_playback_start(&playback->instance);
	playback->plays = true;
	playback->started_us = playback->written_us;
	playback->n_taken = 0;
	playback->starved = g_timeout_add(PLAYBACK_STARVED_MS / 2, on_starved, playback);
}

void spice_playback_set_rate(struct spice_playback *playback, uint32_t rate_hz)
{
	spice_playback_stop(playback);
	playback->n_silent = 0;
	if (rate_hz != playback->rate_hz && rate_hz != OPUS_RATE_HZ)
		spice_server_set_playback_compression(playback->server, 0);
	playback->rate_hz = rate_hz;
}

static bool is_silent(const uint8_t *data, size_t n_pairs)
{
	return n_pairs == 0 ||
	       (data[0] == 0 && memcmp(data, data + 1, n_pairs * PAIR_BYTES - 1) == 0);
}

/* Returns false when spice-server has no block free, or nobody listens. */
static bool take_block(struct spice_playback *playback)
{
	if (!playback->block) {
		spice_server_playback_get_buffer(
			&playback->instance, &playback->block, &playback->n_block);
		playback->n_filled = 0;
	}
	return playback->block != NULL;
}

static void fill(struct spice_playback *playback, const uint8_t *data, size_t n_pairs)
{
	while (n_pairs > 0 && take_block(playback)) {
		size_t n = MIN(n_pairs, playback->n_block - playback->n_filled);
		memcpy(playback->block + playback->n_filled, data, n * PAIR_BYTES);
		playback->n_filled += (uint32_t)n;
		data += n * PAIR_BYTES;
		n_pairs -= n;
		if (playback->n_filled == playback->n_block)
			finish_block(playback);
	}
}

static bool is_ahead(const struct spice_playback *playback)
{
	gint64 elapsed_us = playback->written_us - playback->started_us + PLAYBACK_AHEAD_MS * 1000;
	return playback->n_taken * G_USEC_PER_SEC > (uint64_t)elapsed_us * playback->rate_hz;
}

void spice_playback_write(struct spice_playback *playback, const void *data, size_t size_bytes)
{
	size_t n_pairs = size_bytes / PAIR_BYTES;
	playback->n_silent = is_silent(data, n_pairs) ? playback->n_silent + n_pairs : 0;
	playback->written_us = g_get_monotonic_time();
	bool silent = playback->n_silent * 1000 > (uint64_t)PLAYBACK_SILENT_MS * playback->rate_hz;
	if (silent || (!playback->plays && playback->n_silent > 0)) {
		spice_playback_stop(playback);
		return;
	}
	if (!playback->plays)
		start(playback);
	if (is_ahead(playback))
		return;
	playback->n_taken += n_pairs;
	fill(playback, data, n_pairs);
}

static gboolean on_again(gpointer user)
{
	struct spice_playback *playback = user;
	playback->again = 0;
	spice_server_playback_set_mute(&playback->instance, playback->mute);
	return G_SOURCE_REMOVE;
}

/*
 * While a ping waits to go to the client, spice-server notes the volume, sends only the ping and
 * keeps the volume until the next thing is said (snd_send in sound.cpp, 0.15.1). So we say one
 * thing more behind the main loop's sockets, through one of which the ping goes.
 */
void spice_playback_set_volume(
	struct spice_playback *playback, bool mute, uint16_t left, uint16_t right)
{
	uint16_t volume[] = { left, right };
	playback->mute = mute;
	if (playback->again == 0)
		playback->again = g_idle_add(on_again, playback);
	spice_server_playback_set_mute(&playback->instance, mute);
	spice_server_playback_set_volume(&playback->instance, G_N_ELEMENTS(volume), volume);
}
