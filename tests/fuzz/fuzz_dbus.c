/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the values that QEMU sends over D-Bus: properties of its console (console.h), and the
 * methods that it calls for sound, in any order (sound.h). GDBus has compared a method's arguments
 * with their types before; properties may be anything.
 */
#include "tests/fuzz/covered/console.h"
#include "tests/fuzz/covered/sound.h"
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* Makes a value of this type of bytes of the input, as GDBus hands them on: in normal form. */
static GVariant *take_value(struct feed *feed, const char *type)
{
	size_t n, most = feed_u8(feed);
	const uint8_t *bytes = feed_take(feed, most, &n);
	g_autoptr(GBytes) own = g_bytes_new(bytes, n);
	g_autoptr(GVariant) value =
		g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(type), own, FALSE));
	return g_variant_get_normal_form(value);
}

static GVariant *make_init(struct feed *feed)
{
	static const uint32_t rates[] = { 48000, 44100, 8000, 96000 };
	uint8_t odd = feed_u8(feed);
	uint32_t rate = odd & 4 ? feed_u32(feed) : rates[odd & 3];
	return g_variant_ref_sink(g_variant_new("(tybbuyuub)", (guint64)(feed_u8(feed) % 12),
		odd & 8 ? 8 : 16, !(odd & 16), !!(odd & 32), rate, odd & 64 ? 1 : 2, 4, 192000,
		odd & 128 ? TRUE : FALSE));
}

static void fuzz_sound(struct feed *feed)
{
	struct sound *sound = sound_create();
	while (feed->left_bytes > 0) {
		unsigned method = feed_u8(feed) % sound_n_methods;
		g_autoptr(GVariant) arguments =
			method == 0 ? make_init(feed) : take_value(feed, sound_types[method]);
		sound_call(sound, method, arguments);
	}
	sound_destroy(sound);
}

static void fuzz_console(struct feed *feed)
{
	static const char *const types[] = { "(sa{sv}as)", "(sa{sv}as)", "(a{sv})", "v", "(su)" };
	while (feed->left_bytes > 0) {
		uint8_t what = feed_u8(feed);
		g_autoptr(GVariant) parameters =
			take_value(feed, types[what % G_N_ELEMENTS(types)]);
		g_autoptr(GVariant) dictionary = take_value(feed, "a{sv}");
		console_change(parameters, dictionary);
		consoles_change(what % 5, parameters, dictionary);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct feed feed = { data, size_bytes };
	feed_drop_log();
	if (feed_u8(&feed) & 1)
		fuzz_sound(&feed);
	else
		fuzz_console(&feed);
	return 0;
}
