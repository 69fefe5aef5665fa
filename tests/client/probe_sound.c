/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tests/client/probe.h"

static void on_start(SpiceChannel *channel, gint format, gint channels, gint rate, gpointer user)
{
	struct probe *probe = user;
	probe->sound.n_starts++;
	probe->sound.n_channels = channels;
	probe->sound.rate = rate;
}

static void on_stop(SpiceChannel *channel, gpointer user)
{
	struct probe *probe = user;
	probe->sound.n_stops++;
}

/* Notes which samples came. Tests send numbers, so that a missing or repeated sample shows. */
static void on_data(SpiceChannel *channel, gpointer data, gint size, gpointer user)
{
	struct probe *probe = user;
	struct probe_sound *sound = &probe->sound;
	for (gint at = 0; at + 4 <= size; at += 4) {
		uint32_t sample;
		memcpy(&sample, (uint8_t *)data + at, sizeof(sample));
		if (sample == 0)
			continue;
		if (sound->first == 0)
			sound->first = sample;
		else
			sound->n_breaks += sample != sound->last + 1;
		sound->last = sample;
	}
	sound->n_bytes += (uint64_t)size;
}

static void on_volume(GObject *channel, GParamSpec *pspec, gpointer user)
{
	struct probe *probe = user;
	guint16 *volume = NULL;
	guint n_channels = 0;
	g_object_get(channel, "volume", &volume, "nchannels", &n_channels, NULL);
	if (volume && n_channels > 0)
		probe->sound.volume = volume[0];
}

static void on_mute(GObject *channel, GParamSpec *pspec, gpointer user)
{
	struct probe *probe = user;
	gboolean mute = FALSE;
	g_object_get(channel, "mute", &mute, NULL);
	probe->sound.mute = mute;
}

void sound_attach(struct probe *probe, SpiceChannel *channel)
{
	sound_detach(probe);
	probe->sound = (struct probe_sound){ .volume = -1, .mute = -1 };
	probe->sound_channel = g_object_ref(channel);
	g_signal_connect(channel, "playback-start", G_CALLBACK(on_start), probe);
	g_signal_connect(channel, "playback-data", G_CALLBACK(on_data), probe);
	g_signal_connect(channel, "playback-stop", G_CALLBACK(on_stop), probe);
	g_signal_connect(channel, "notify::volume", G_CALLBACK(on_volume), probe);
	g_signal_connect(channel, "notify::mute", G_CALLBACK(on_mute), probe);
	/*
	 * With --audio the library's own code connects the channel, and takes none that is
	 * connected already.
	 */
	if (!probe->options.audio)
		spice_channel_connect(channel);
}

void sound_detach(struct probe *probe)
{
	if (!probe->sound_channel)
		return;
	g_signal_handlers_disconnect_by_data(probe->sound_channel, probe);
	g_clear_object(&probe->sound_channel);
}
