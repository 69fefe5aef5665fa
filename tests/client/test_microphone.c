/* SPDX-License-Identifier: MIT */
/* microphone: checks that the guest hears what the client says, and only while it records. */
#include <spice.h>

#include "display/qemu/microphone.h"
#include "tests/client/fake_microphone.h"
#include "tests/client/fixture.h"
#include "tests/client/patience.h"

/* At this rate Opus is not used, so samples arrive as they were. */
#define RATE 44100
#define OPUS_RATE 48000
#define STREAM 9
/* QEMU asks for all that it has room for, each 10 ms. */
#define ASKED_BYTES 8192

static gint64 told(struct fixture *fixture, const char *what)
{
	g_autofree char *answer = client_run(fixture->client, "microphone");
	return answer_int(answer, what);
}

static void wait_told(struct fixture *fixture, const char *what, gint64 value)
{
	gint64 end_us = patience_end_us(SETTLE_MS);
	while (told(fixture, what) != value && g_get_monotonic_time() < end_us)
		g_usleep(20000);
	g_assert_cmpint(told(fixture, what), ==, value);
}

static void start(struct fixture *fixture)
{
	fixture_start(fixture, 640, 480, NULL);
	g_assert_true(fake_microphone_wait(fixture->qemu, SETTLE_MS));
}

static void record(struct fixture *fixture, uint32_t rate_hz)
{
	g_assert_true(fake_microphone_init(fixture->qemu, STREAM, rate_hz));
	g_assert_true(fake_microphone_enable(fixture->qemu, STREAM, true));
}

static void speak(struct fixture *fixture, const char *what)
{
	g_autofree char *line = g_strdup_printf("speak %s", what);
	g_autofree char *answer = client_run(fixture->client, line);
	g_assert_nonnull(answer);
}

/* What the guest has heard. */
struct heard {
	uint64_t n_pairs, n_silent, n_breaks, n_crossings;
	uint32_t last;
	bool was_low;
	gint64 first_us; /* of what was not silent; 0: none */
};

/*
 * spice-server stores RING_PAIRS, and before 0.15.2 what lies behind the ring's end of a packet
 * that does not fit comes out as another part of the packet (sound.cpp, snd_record_handle_write()).
 * So numbers may be wrong around a multiple of that, by less than a packet.
 */
#define RING_PAIRS 8192
#define PACKET_PAIRS_MAX (RATE / 20)

static bool is_break(uint32_t last, uint32_t next)
{
	bool is_garbled = last % RING_PAIRS == 0 || last % RING_PAIRS < PACKET_PAIRS_MAX;
	if (next == last + 1)
		return false;
	return SPICE_SERVER_VERSION >= 0x000f02 || !is_garbled ||
	       ABS((int64_t)next - last) > PACKET_PAIRS_MAX;
}

static void hear(struct heard *heard, uint32_t pair)
{
	int16_t left = (int16_t)(pair & 0xffff);
	heard->n_pairs++;
	if (pair == 0) {
		heard->n_silent++;
		return;
	}
	if (heard->first_us == 0)
		heard->first_us = g_get_monotonic_time();
	else
		heard->n_breaks += is_break(heard->last, pair);
	heard->n_crossings += heard->was_low && left > 0;
	heard->was_low = left < 0 || (left == 0 && heard->was_low);
	heard->last = pair;
}

/* Reads as QEMU does, for so long. */
static struct heard listen_for(struct fixture *fixture, unsigned ms)
{
	struct heard heard = { 0 };
	gint64 end_us = g_get_monotonic_time() + ms * 1000;
	while (g_get_monotonic_time() < end_us) {
		g_autoptr(GBytes) bytes = fake_microphone_read(fixture->qemu, STREAM, ASKED_BYTES);
		g_assert_nonnull(bytes);
		gsize size;
		const uint32_t *pairs = g_bytes_get_data(bytes, &size);
		g_assert_cmpuint(size, <=, ASKED_BYTES);
		for (gsize i = 0; i < size / sizeof(*pairs); i++)
			hear(&heard, pairs[i]);
		g_usleep(10000);
	}
	return heard;
}

/* Once sound comes there is no end of it, and nothing is lost or heard twice. */
static void test_every_sample(void)
{
	struct fixture fixture;
	start(&fixture);
	fixture_connect(&fixture);
	record(&fixture, RATE);
	wait_told(&fixture, "starts", 1);
	g_assert_cmpint(told(&fixture, "rate"), ==, RATE);
	g_assert_cmpint(told(&fixture, "channels"), ==, 2);
	speak(&fixture, "numbers");
	struct heard heard = listen_for(&fixture, 1500);
	g_assert_cmpuint(heard.first_us, >, 0);
	g_assert_cmpuint(heard.n_breaks, ==, 0);
	/* A second at least: what spice-server keeps back, and the time to begin, are no more. */
	g_assert_cmpuint(heard.n_pairs - heard.n_silent, >=, RATE);
	/* It lags by what is stored on the way. */
	gint64 said = told(&fixture, "number");
	g_assert_cmpint(said - heard.last, <=, RATE * (185 + MICROPHONE_STORED_MS) / 1000);
	fixture_stop(&fixture);
}

/* Opus changes the samples: a tone is still one. */
static void test_compressed(void)
{
	struct fixture fixture;
	start(&fixture);
	fixture_connect(&fixture);
	record(&fixture, OPUS_RATE);
	wait_told(&fixture, "starts", 1);
	speak(&fixture, "700");
	listen_for(&fixture, 400);
	struct heard heard = listen_for(&fixture, 1000);
	double hz = (double)heard.n_crossings * OPUS_RATE / (double)heard.n_pairs;
	g_assert_cmpfloat(hz, >, 690);
	g_assert_cmpfloat(hz, <, 710);
	fixture_stop(&fixture);
}

/* A guest that records goes on where nobody speaks: with nobody there, and with one who is silent.
 */
static void test_silence(void)
{
	struct fixture fixture;
	start(&fixture);
	record(&fixture, OPUS_RATE);
	for (unsigned i = 0; i < 2; i++) {
		struct heard heard = listen_for(&fixture, 1000);
		g_assert_cmpuint(heard.n_silent, ==, heard.n_pairs);
		g_assert_cmpuint(heard.n_pairs, >=, OPUS_RATE * 9 / 10 - OPUS_RATE / 10);
		g_assert_cmpuint(heard.n_pairs, <=, OPUS_RATE * 12 / 10);
		if (i == 0)
			fixture_connect(&fixture);
	}
	/* Who came while the guest recorded was told so, and is heard. */
	wait_told(&fixture, "starts", 1);
	speak(&fixture, "700");
	struct heard heard = listen_for(&fixture, 1000);
	g_assert_cmpuint(heard.n_pairs - heard.n_silent, >, OPUS_RATE / 2);
	fixture_stop(&fixture);
}

static void test_only_while_the_guest_records(void)
{
	struct fixture fixture;
	start(&fixture);
	fixture_connect(&fixture);
	g_assert_cmpint(told(&fixture, "starts"), ==, 0);
	for (unsigned i = 1; i <= 3; i++) {
		record(&fixture, OPUS_RATE);
		wait_told(&fixture, "starts", i);
		speak(&fixture, "700");
		listen_for(&fixture, 300);
		g_assert_true(fake_microphone_enable(fixture.qemu, STREAM, false));
		wait_told(&fixture, "stops", i);
		g_assert_cmpuint(listen_for(&fixture, 200).n_pairs, ==, 0);
	}
	fixture_stop(&fixture);
}

static void test_volume(void)
{
	struct fixture fixture;
	start(&fixture);
	fixture_connect(&fixture);
	record(&fixture, OPUS_RATE);
	wait_told(&fixture, "starts", 1);
	g_assert_true(fake_microphone_volume(fixture.qemu, STREAM, true, 255));
	wait_told(&fixture, "volume", 65535);
	wait_told(&fixture, "mute", 1);
	g_assert_true(fake_microphone_volume(fixture.qemu, STREAM, false, 128));
	wait_told(&fixture, "volume", 128 * 257);
	wait_told(&fixture, "mute", 0);
	fixture_stop(&fixture);
}

/* The client goes in the middle of a word and comes back, and then QEMU does. */
static void test_who_comes_and_goes(void)
{
	struct fixture fixture;
	start(&fixture);
	fixture_connect(&fixture);
	record(&fixture, OPUS_RATE);
	wait_told(&fixture, "starts", 1);
	speak(&fixture, "700");
	g_assert_cmpuint(listen_for(&fixture, 500).first_us, >, 0);
	g_free(client_run(fixture.client, "disconnect"));
	listen_for(&fixture, 500);
	struct heard heard = listen_for(&fixture, 500);
	g_assert_cmpuint(heard.n_pairs, >, 0);
	g_assert_cmpuint(heard.n_silent, ==, heard.n_pairs);
	g_free(client_run(fixture.client, "reconnect"));
	wait_told(&fixture, "starts", 1);
	speak(&fixture, "700");
	g_assert_cmpuint(listen_for(&fixture, 700).first_us, >, 0);
	fake_desktop_renew_dbus(fixture.desktop);
	wait_told(&fixture, "stops", 1);
	g_assert_true(fake_desktop_is_alive(fixture.desktop));
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/microphone/every-sample", test_every_sample);
	g_test_add_func("/microphone/compressed", test_compressed);
	g_test_add_func("/microphone/silence", test_silence);
	g_test_add_func("/microphone/only-while-recording", test_only_while_the_guest_records);
	g_test_add_func("/microphone/volume", test_volume);
	g_test_add_func("/microphone/come-and-go", test_who_comes_and_goes);
	return g_test_run();
}
