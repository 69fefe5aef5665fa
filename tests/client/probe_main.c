/* SPDX-License-Identifier: MIT */
/*
 * spice-probe: a stock SPICE client (spice-client-glib) without a window, driven by lines.
 *
 *   spice-probe [OPTIONS] spice://HOST:PORT | --unix=PATH
 *
 * It connects, prints one JSON line {"ok":true,...} or {"ok":false,"error":"..."} and then reads
 * one command a line from standard input and answers each with one JSON line. Commands are taken
 * one after the other; a command that waits holds those behind it. End of input means quit. Without
 * a connection a command that needs one answers {"ok":false,"error":"not connected: REASON"}.
 *
 * These look; CH is a display channel, 0 when left out:
 *   status                       connected, error, mouse mode, channels' sizes
 *   size [CH]                    {"width":W,"height":H}
 *   pixel X Y [CH]               {"pixel":"rrggbb"}
 *   hash X Y W H [CH]            {"hash":"sha256 of the region's packed R,G,B bytes"}
 *   screenshot FILE.png|FILE.ppm [CH]
 *   counter [CH]                 the frame counter strip now: value, x, y
 *   stats                        primaries, invalidates, pixels, streams, codec, bytes read per
 *                                channel
 *   cursor                       shape's size, hot spot, sha256 of its R,G,B,A bytes, visible,
 *                                position, how many sets, moves and hides came
 *   cursor-pixel X Y             {"pixel":"rrggbbaa"}
 *   mouse-mode                   {"mode":"client"|"server"}
 *   leds                         {"scroll":b,"num":b,"caps":b}
 *   sound                        starts, stops, bytes, channels, rate, first and last sample,
 *                                breaks (samples that are not the one before plus 1), volume, mute
 *
 *   speak HZ|numbers|off         what the guest hears while it records: a tone, or ascending pairs
 *   microphone                   starts, stops, channels, rate, number (last said), volume, mute
 *
 * These are for an agent in the guest; SELECTION is clipboard or primary, KIND text, png, files:
 *   wait-agent TIMEOUT_MS [off]  clients have the guest's, or not
 *   offer SELECTION KIND FILE    its content is what the guest may paste
 *   requests SELECTION           how often the guest asked for it
 *   wait-grab SELECTION TIMEOUT_MS
 *                                the guest offers something since the last one: types
 *   paste SELECTION KIND FILE TIMEOUT_MS
 *                                asks the guest for it, into a file: bytes, elapsed_us, none
 *   drop FILE TIMEOUT_MS         into the guest: progress (how often it was told)
 *
 * These are for devices, with --devices; the guest's agent has no part in them:
 *   ports                        names of those that are there, ":closed" behind those that the
 *                                guest has not open
 *   wait-port NAME there|open|closed|gone TIMEOUT_MS
 *   port-write NAME FILE TIMEOUT_MS
 *   port-read NAME BYTES FILE TIMEOUT_MS
 *                                waits until so many have come since the last time; bytes
 *   share-folder DIR [ro]        as the guest's WebDAV
 *   usb                          free (channels), devices, connected, refused (why)
 *   share-cd FILE TIMEOUT_MS     gives the guest a CD drive with this image
 *   unshare-cd TIMEOUT_MS
 *
 * These wait and answer when it happened (now_us, of CLOCK_MONOTONIC), or
 * {"ok":false,"error":"timeout",...} with what was seen last:
 *   wait-primary TIMEOUT_MS [CH]
 *   wait-size W H TIMEOUT_MS [CH]
 *   wait-pixel X Y RRGGBB TIMEOUT_MS [TOLERANCE [CH]]
 *   wait-hash X Y W H SHA256 TIMEOUT_MS [CH]
 *   wait-updates N TIMEOUT_MS    N more invalidates on any display
 *   wait-counter ADVANCE TIMEOUT_MS [CH]
 *                                the strip's value rises by ADVANCE; from, to, seen (pictures)
 *   wait-cursor N_SETS TIMEOUT_MS
 *                                at least so many cursor shapes came
 *   wait-mouse-mode client|server TIMEOUT_MS
 *   wait-disconnect TIMEOUT_MS   the server closes
 *   sleep MS
 *
 * These drive the guest:
 *   move X Y [CH]                absolute, surface coordinates of display CH (client mouse mode)
 *   motion DX DY                 relative (server mouse mode)
 *   click [left|middle|right|N]  press and release
 *   button-press B, button-release B
 *   wheel up|down [TIMES]
 *   key SCANCODE...              PC set 1 in hex, e04b = extended; a+b+c is a chord
 *   press SCANCODE..., release SCANCODE...
 *   type TEXT                    rest of the line, US layout; \n \t \b \\ are understood
 *   monitors-config W H [CH]     asks the guest for this size (needs an agent or a server that
 *                                takes the message itself)
 *   mouse-mode-request client|server
 *   compression off|auto_glz|auto_lz|quic|glz|lz|lz4 [CH]
 *                                asks the server for it
 *
 * These are about the connection:
 *   stall MS                     reads nothing from any channel for so long, then answers
 *   cut                          nothing gets to this process's TCP sockets any more, which then
 *                                acknowledge nothing, as when the network is gone: sockets
 *   disconnect, reconnect, quit
 *
 * These record one of the scenes that tests/guest's bench-scene draws, on display 0; times are
 * microseconds of CLOCK_MONOTONIC:
 *   record-begin SCENE [SAMPLE_MS [KEYS]]
 *                                from now on; a copy of the picture each SAMPLE_MS if both ends
 *                                show the same frame, 8 at most; KEYS have been pressed before
 *   record-keys N MIN_MS MAX_MS TIMEOUT_MS
 *                                N times: a key, until it shows, a random pause; keys_us: from
 *                                press to picture, -1: not within the time-out
 *   record-settle FRAME KEYS TIMEOUT_MS
 *                                until every pixel is that of the frame: shown_us, exact_us (0:
 *                                not), different pixels
 *   record-end FILE              a line for each frame: number, when its upper strip showed, when
 *                                upper and lower did (0: never); samples: psnr, ssim of the moving
 *                                part, pixels that differ in it and outside
 *
 * These record what tests/guest's beep-flash shows and plays, on display 0:
 *   sync-begin X Y DELAY_MS      from now on; the library is told that sound is heard DELAY_MS
 *                                after it arrives (not with --audio)
 *   sync-end                     beeps: when the first loud sample arrived, hz, ms, peak; changes:
 *                                when the pixel got another colour, and which
 *
 * These record some pixels of display 0, for tests in which a process of the server's dies:
 *   watch-begin X Y [X Y]...     from now on, at most 16 points
 *   watch-take                   events so far, which are forgotten: [at_us, COLOUR, ...] each time
 *                                one of them changed; null: there is no picture
 *
 * The exit status is 0 after quit or end of input, 1 on a usage error; with --fail-early also 2
 * when the first connection cannot be made.
 */
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/client/probe.h"

struct wait_state {
	bool expired;
};

static gboolean wait_expire(gpointer user)
{
	struct wait_state *state = user;
	state->expired = true;
	return G_SOURCE_REMOVE;
}

bool probe_wait(int timeout_ms, bool (*done)(void *user), void *user)
{
	struct wait_state state = { 0 };
	bool result = done && done(user);

	if (result)
		return true;
	guint timer = g_timeout_add(timeout_ms > 0 ? timeout_ms : 0, wait_expire, &state);
	while (!state.expired && !result) {
		g_main_context_iteration(NULL, TRUE);
		result = done && done(user);
	}
	if (!state.expired)
		g_source_remove(timer);
	return result;
}

static gboolean input_ready(GIOChannel *input, GIOCondition condition, gpointer user)
{
	struct probe *probe = user;
	g_autofree char *line = NULL;

	switch (g_io_channel_read_line(input, &line, NULL, NULL, NULL)) {
	case G_IO_STATUS_NORMAL:
		g_queue_push_tail(&probe->commands, g_strdup(g_strchomp(line)));
		return G_SOURCE_CONTINUE;
	case G_IO_STATUS_AGAIN:
		return G_SOURCE_CONTINUE;
	default:
		probe->input_ended = true;
		return G_SOURCE_REMOVE;
	}
}

static void input_watch(struct probe *probe)
{
	GIOChannel *input = g_io_channel_unix_new(STDIN_FILENO);

	g_io_channel_set_encoding(input, NULL, NULL);
	g_io_channel_set_flags(input, G_IO_FLAG_NONBLOCK, NULL);
	g_io_add_watch(input, G_IO_IN | G_IO_HUP | G_IO_ERR, input_ready, probe);
	g_io_channel_unref(input);
}

static bool options_parse(struct probe *probe, int argc, char **argv, gboolean *fail_early)
{
	struct probe_options *options = &probe->options;
	gboolean no_connect = FALSE, debug = FALSE, no_log = FALSE, audio = FALSE, devices = FALSE;
	g_auto(GStrv) rest = NULL;
	g_autoptr(GError) error = NULL;
	const GOptionEntry entries[] = {
		{ "unix", 'u', 0, G_OPTION_ARG_FILENAME, &options->unix_path,
			"connect to a unix socket", "PATH" },
		{ "ca-file", 0, 0, G_OPTION_ARG_FILENAME, &options->ca_file,
			"what the server's certificate must be signed by, for tls-port", "PATH" },
		{ "username", 0, 0, G_OPTION_ARG_STRING, &options->username, "for SASL", "NAME" },
		{ "password", 'p', 0, G_OPTION_ARG_STRING, &options->password, "ticket", "TEXT" },
		{ "connect-timeout-ms", 0, 0, G_OPTION_ARG_INT, &options->connect_timeout_ms,
			"default 15000", "MS" },
		{ "key-interval-ms", 0, 0, G_OPTION_ARG_INT, &options->key_interval_ms,
			"pause after each key event, default 10", "MS" },
		{ "no-connect", 0, 0, G_OPTION_ARG_NONE, &no_connect, "wait for `reconnect'",
			NULL },
		{ "fail-early", 0, 0, G_OPTION_ARG_NONE, fail_early,
			"exit 2 when the first connection fails", NULL },
		{ "debug", 0, 0, G_OPTION_ARG_NONE, &debug, "print the library's debug log", NULL },
		{ "no-log", 0, 0, G_OPTION_ARG_NONE, &no_log,
			"leave the library's debug log off, which costs CPU: streams are not "
			"counted",
			NULL },
		{ "audio", 0, 0, G_OPTION_ARG_NONE, &audio,
			"play sound by the library's own audio code", NULL },
		{ "devices", 0, 0, G_OPTION_ARG_NONE, &devices,
			"have USB, a shared folder and ports", NULL },
		{ G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, "URI" },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);

	options->connect_timeout_ms = 15000;
	options->key_interval_ms = 10;
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "spice-probe: %s\n", error->message);
		return false;
	}
	options->wait_connect = !no_connect;
	options->debug = debug;
	options->no_log = no_log;
	options->audio = audio;
	options->devices = devices;
	if (rest && rest[0])
		options->uri = g_strdup(rest[0]);
	if (!options->uri == !options->unix_path) {
		fprintf(stderr, "spice-probe: give one spice:// address or --unix=PATH\n");
		return false;
	}
	return true;
}

static void probe_serve(struct probe *probe)
{
	while (!probe->quit) {
		g_autofree char *line = g_queue_pop_head(&probe->commands);

		if (line)
			command_run(probe, line);
		else if (probe->input_ended)
			return;
		else
			g_main_context_iteration(NULL, TRUE);
	}
}

int main(int argc, char **argv)
{
	struct probe probe = { .commands = G_QUEUE_INIT };
	gboolean fail_early = FALSE;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!options_parse(&probe, argc, argv, &fail_early))
		return 1;
	if (!probe.options.no_log)
		connection_watch_log(&probe, probe.options.debug);
	if (probe.options.wait_connect) {
		command_run(&probe, "reconnect");
		if (fail_early && !connection_is_open(&probe))
			probe.exit_code = 2;
	}
	if (!probe.exit_code) {
		input_watch(&probe);
		probe_serve(&probe);
	}
	connection_close(&probe);
	fflush(NULL);
	/*
	 * We skip the exit handlers: the library's plugins leave threads behind, whose end is not
	 * what is tested.
	 */
	_exit(probe.exit_code);
}
