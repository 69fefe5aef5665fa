/* SPDX-License-Identifier: MIT */
/* What the guest hears of us: a tone or numbers, while it records. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "tests/client/probe_call.h"

#define TICK_MS 10
#define PAIRS_MAX 9600
#define TONE_VALUE 12000.0

static void on_start(SpiceChannel *channel, gint format, gint channels, gint rate, gpointer user)
{
	struct probe_speech *speech = &((struct probe *)user)->speech;
	speech->n_starts++;
	speech->n_channels = channels;
	speech->rate = rate;
	speech->start_us = g_get_monotonic_time();
	speech->n_said = 0;
}

static void on_stop(SpiceChannel *channel, gpointer user)
{
	((struct probe *)user)->speech.n_stops++;
}

static void on_volume(GObject *channel, GParamSpec *pspec, gpointer user)
{
	struct probe *probe = user;
	guint16 *volume = NULL;
	guint n_channels = 0;
	g_object_get(channel, "volume", &volume, "nchannels", &n_channels, NULL);
	if (volume && n_channels > 0)
		probe->speech.volume = volume[0];
}

static void on_mute(GObject *channel, GParamSpec *pspec, gpointer user)
{
	struct probe *probe = user;
	gboolean mute = FALSE;
	g_object_get(channel, "mute", &mute, NULL);
	probe->speech.mute = mute;
}

static uint32_t next_pair(struct probe_speech *speech)
{
	if (speech->hz == 0)
		return ++speech->number;
	double turns = speech->hz * (double)(speech->n_said + speech->n_ahead++) / speech->rate;
	uint16_t sample = (uint16_t)(int16_t)(TONE_VALUE * sin(2 * G_PI * turns));
	return sample | (uint32_t)sample << 16;
}

static gboolean on_tick(gpointer user)
{
	struct probe *probe = user;
	struct probe_speech *speech = &probe->speech;
	uint32_t pairs[PAIRS_MAX];
	int64_t now_us = g_get_monotonic_time();
	if (speech->n_starts == speech->n_stops || !speech->speaks)
		return G_SOURCE_CONTINUE;
	uint64_t due = (uint64_t)((now_us - speech->start_us) * speech->rate / G_USEC_PER_SEC);
	size_t n = MIN(due - speech->n_said, PAIRS_MAX);
	speech->n_ahead = 0;
	for (size_t i = 0; i < n; i++)
		pairs[i] = next_pair(speech);
	speech->n_said += n;
	if (n > 0)
		spice_record_channel_send_data(SPICE_RECORD_CHANNEL(probe->speech_channel), pairs,
			n * sizeof(*pairs), (guint32)(now_us / 1000));
	return G_SOURCE_CONTINUE;
}

void speech_attach(struct probe *probe, SpiceChannel *channel)
{
	speech_detach(probe);
	probe->speech = (struct probe_speech){ .volume = -1, .mute = -1 };
	probe->speech_channel = g_object_ref(channel);
	probe->speech.tick = g_timeout_add(TICK_MS, on_tick, probe);
	g_signal_connect(channel, "record-start", G_CALLBACK(on_start), probe);
	g_signal_connect(channel, "record-stop", G_CALLBACK(on_stop), probe);
	g_signal_connect(channel, "notify::volume", G_CALLBACK(on_volume), probe);
	g_signal_connect(channel, "notify::mute", G_CALLBACK(on_mute), probe);
	/* With --audio the library's own code connects it. */
	if (!probe->options.audio)
		spice_channel_connect(channel);
}

void speech_detach(struct probe *probe)
{
	if (!probe->speech_channel)
		return;
	g_clear_handle_id(&probe->speech.tick, g_source_remove);
	g_signal_handlers_disconnect_by_data(probe->speech_channel, probe);
	g_clear_object(&probe->speech_channel);
}

static void run_speak(struct call *call)
{
	struct probe_speech *speech = &call->probe->speech;
	bool counts = strcmp(call->args[0], "numbers") == 0;
	speech->speaks = strcmp(call->args[0], "off") != 0;
	speech->hz = counts || !speech->speaks ? 0 : call_arg_int(call, 0, 0);
	/* What was not said before now is not said. */
	if (speech->rate > 0)
		speech->n_said = (uint64_t)((g_get_monotonic_time() - speech->start_us) *
					    speech->rate / G_USEC_PER_SEC);
}

static void run_microphone(struct call *call)
{
	const struct probe_speech *speech = &call->probe->speech;
	call_put_int(call, "starts", speech->n_starts);
	call_put_int(call, "stops", speech->n_stops);
	call_put_int(call, "channels", speech->n_channels);
	call_put_int(call, "rate", speech->rate);
	call_put_int(call, "number", speech->number);
	call_put_int(call, "volume", speech->volume);
	call_put_int(call, "mute", speech->mute);
}

const struct command speak_commands[] = {
	{ "speak", 1, true, run_speak },
	{ "microphone", 0, true, run_microphone },
	{ NULL },
};
