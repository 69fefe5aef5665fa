/* SPDX-License-Identifier: MIT */
/* What reads the values is private to the file, and behind a whole connection: so it is included.
 */
#include "display/qemu/dbus_audio.c"

#include "tests/fuzz/covered/sound.h"

const char *const sound_types[] = { "(tybbuyuub)", "(t)", "(tb)", "(tbay)", "(tay)" };
const unsigned sound_n_methods = G_N_ELEMENTS(sound_types);
G_STATIC_ASSERT(G_N_ELEMENTS(sound_types) == G_N_ELEMENTS(methods));

struct sound {
	struct dbus_audio audio;
	bool on;
};

static void on_start(void *user, uint32_t rate_hz)
{
	struct sound *sound = user;
	g_assert(!sound->on && rate_hz >= DBUS_AUDIO_RATE_MIN_HZ &&
		 rate_hz <= DBUS_AUDIO_RATE_MAX_HZ);
	sound->on = true;
}

static void on_write(void *user, const void *data, size_t size_bytes)
{
	struct sound *sound = user;
	const volatile uint8_t *bytes = data;
	g_assert(sound->on && size_bytes > 0 && size_bytes <= DBUS_AUDIO_WRITE_MAX_BYTES &&
		 size_bytes % SAMPLE_PAIR_BYTES == 0);
	(void)bytes[0];
	(void)bytes[size_bytes - 1];
}

static void on_stop(void *user)
{
	struct sound *sound = user;
	g_assert(sound->on);
	sound->on = false;
}

static void on_volume(void *user, bool mute, uint16_t left, uint16_t right)
{
	g_assert(left % 257 == 0 && right % 257 == 0);
}

static const struct dbus_audio_ops ops = {
	.start = on_start,
	.write = on_write,
	.stop = on_stop,
	.volume = on_volume,
};

struct sound *sound_create(void)
{
	struct sound *sound = g_new0(struct sound, 1);
	sound->audio = (struct dbus_audio){
		.refs = 2, .direction = &outward, .ops = &ops, .user = sound, .fd = -1
	};
	return sound;
}

void sound_call(struct sound *sound, unsigned method, GVariant *arguments)
{
	methods[method].call(&sound->audio, arguments);
	g_assert(sound->on == sound->audio.on);
}

void sound_destroy(struct sound *sound)
{
	turn_off(&sound->audio);
	g_assert(!sound->on);
	g_free(sound);
}
