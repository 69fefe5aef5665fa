/* SPDX-License-Identifier: MIT */
/*
 * probe: the state of spice-probe, one stock SPICE client without a window.
 *
 * Everything runs on the default main context of one thread: spice-client-glib's channels, the
 * command reader and the commands themselves. A command that waits runs the context nested
 * (probe_wait), so while it waits only the channels' signal handlers run, which do nothing but
 * record.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

/* spice-client.h includes headers that are not clean under our warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <spice-client.h>
#pragma GCC diagnostic pop

#define PROBE_DISPLAYS_MAX 16
#define PROBE_RECTS_MAX 64
#define PROBE_FDS_MAX 1024

struct probe;

/*
 * Describes one display channel. The primary surface belongs to spice-client-glib; we only read it.
 */
struct probe_display {
	struct probe *probe;
	SpiceChannel *channel; /* owned reference; NULL: no such channel */
	bool opened;
	bool marked; /* the server says that the picture is worth showing */
	/* The pixels; NULL while there is no primary surface. */
	const uint8_t *data;
	int format, width, height, stride_bytes;
	uint64_t n_primaries;   /* created so far */
	uint64_t n_invalidates; /* display-invalidate signals so far */
	uint64_t n_pixels;      /* sum of their areas */
};

struct probe_cursor {
	bool visible;
	int width, height, hot_x, hot_y;
	int x, y;        /* last position the server told; server mouse mode only */
	uint8_t *pixels; /* bytes R, G, B, A; NULL before the first shape */
	uint64_t n_sets, n_moves, n_hides;
};

/* Describes the sound as it came, before anybody plays it. */
struct probe_sound {
	uint64_t n_starts, n_stops, n_bytes;
	int n_channels, rate; /* of the last start */
	uint32_t first, last; /* samples of both channels; first: the first that is not 0 */
	uint64_t n_breaks;    /* times a sample was not the one before plus 1 */
	int volume, mute;     /* last said; -1: never */
};

/* Describes what we say while the guest records. */
struct probe_speech {
	uint64_t n_starts, n_stops;
	int n_channels, rate; /* of the last start */
	int64_t start_us;
	uint64_t n_said; /* pairs since then, as if we had spoken all the time */
	uint64_t n_ahead;
	uint32_t number; /* the last that was said */
	int hz;          /* 0: numbers */
	bool speaks;
	int volume, mute; /* last said; -1: never */
	guint tick;
};

#define PROBE_SELECTIONS 2

/* Describes one selection of the clipboard, ours and the guest's. */
struct probe_clipboard {
	GBytes *offered; /* NULL: nothing */
	uint32_t offered_type;
	uint64_t n_requests; /* of the guest since then */
	uint32_t types;      /* bits of what the guest offers */
	uint64_t n_grabs, n_grabs_seen;
	GBytes *got; /* NULL: nothing yet */
	uint32_t got_type;
};

struct probe_options {
	char *uri; /* spice://host:port[?password=..]; NULL when unix_path is given */
	char *unix_path;
	char *ca_file;  /* NULL: the system's */
	char *password; /* NULL: none */
	char *username; /* NULL or empty: none */
	int connect_timeout_ms;
	int key_interval_ms; /* pause after each key event of `type` and `key` */
	bool wait_connect;   /* connect before the first command */
	bool debug;
	bool no_log;
	bool audio;   /* the library's own audio code plays sound */
	bool devices; /* USB, the folder and ports, which are left alone otherwise */
};

struct probe {
	struct probe_options options;
	SpiceSession *session; /* NULL while disconnected */
	SpiceMainChannel *main;
	SpiceInputsChannel *inputs;
	SpiceChannel *cursor_channel;
	bool main_opened, inputs_opened, cursor_opened;
	unsigned switches; /* by SPICE's host switch */
	char *error;       /* why the connection ended or could not be made; NULL: it did not */
	struct probe_display displays[PROBE_DISPLAYS_MAX];
	struct probe_cursor cursor;
	SpiceChannel *sound_channel;
	struct probe_sound sound;
	SpiceChannel *speech_channel;
	struct probe_speech speech;
	struct probe_clipboard clipboards[PROBE_SELECTIONS];
	GPtrArray *ports;   /* probe_devices.c's; NULL: there are none */
	int button_state;   /* SPICE_MOUSE_BUTTON_MASK_* */
	uint64_t n_updates; /* invalidates and primaries of all displays */
	uint64_t n_streams; /* video streams that servers began, all connections */
	const char
		*codec;  /* of the last stream that GStreamer decoded: "h264", "vp8"; NULL: none */
	GQueue commands; /* char *, lines not handled yet */
	bool input_ended, quit;
	int exit_code;
};

/*
 * Runs the main context until done(user) is true or timeout_ms have passed; with `done` NULL it
 * just lets the time pass. Returns what done() said last.
 */
bool probe_wait(int timeout_ms, bool (*done)(void *user), void *user);

/* ---- probe_connection.c ---- */

/* Connects anew; a previous session is left first. Returns false with probe->error set. */
bool connection_open(struct probe *probe);
void connection_close(struct probe *probe);
/* Returns true while the main channel is up. */
/* Cuts the process's TCP sockets off from the network, and returns how many. */
unsigned connection_cut(void);
bool connection_is_open(const struct probe *probe);
const char *connection_mouse_mode(const struct probe *probe);
/*
 * Counts the streams that servers start, from the library's debug log; if `print`, passes all of
 * the log on.
 */
void connection_watch_log(struct probe *probe, bool print);

/* ---- probe_display.c ---- */

void display_attach(struct probe *probe, SpiceChannel *channel);
void display_detach_all(struct probe *probe);
/* Returns the display with this channel id if it has a primary surface, else NULL. */
struct probe_display *display_get(struct probe *probe, int id);
/* Returns 0xRRGGBB, or -1 outside the surface. */
int display_pixel(const struct probe_display *display, int x, int y);
/*
 * Copies a region as packed R, G, B bytes. Returns NULL when it does not lie inside the surface.
 * Free it with g_free().
 */
uint8_t *display_copy_rgb(const struct probe_display *display, int x, int y, int width, int height);
/*
 * Returns the SHA-256 in hex of display_copy_rgb()'s bytes, or NULL outside. Free it with g_free().
 */
char *display_hash(const struct probe_display *display, int x, int y, int width, int height);
/* Writes a .png or .ppm file, by the name's ending. */
bool display_save(const struct probe_display *display, const char *path, GError **error);

/* ---- probe_cursor.c ---- */

void cursor_attach(struct probe *probe, SpiceChannel *channel);
void cursor_detach(struct probe *probe);

/* ---- probe_sound.c ---- */

void sound_attach(struct probe *probe, SpiceChannel *channel);
void sound_detach(struct probe *probe);

/* ---- probe_speak.c ---- */

void speech_attach(struct probe *probe, SpiceChannel *channel);
void speech_detach(struct probe *probe);

/* What records pixels of display 0 goes on with the channel that shows it now. */
void watch_follow(struct probe *probe);

/* ---- probe_agent.c ---- */

/* Listens to the main channel. */
void agent_attach(struct probe *probe);

/* ---- probe_devices.c ---- */

/* Is called before the session connects. */
void devices_prepare(struct probe *probe);
/* Takes the channels of ports. Returns false when this is none, or is not wanted. */
bool devices_attach(struct probe *probe, SpiceChannel *channel);
void devices_detach(struct probe *probe);

/* ---- probe_inputs.c ---- */

/*
 * Presses the keys of "1e", "0x1e", "e04b" or a chord "1d+38+53" in order, and releases them in
 * reverse.
 */
bool inputs_key(struct probe *probe, const char *chord);
bool inputs_press(struct probe *probe, const char *chord, bool press);
/*
 * Types by the US layout; \n, \t and \b are Return, Tab and Backspace. Returns false at a character
 * that has no key.
 */
bool inputs_type(struct probe *probe, const char *text);
void inputs_move(struct probe *probe, int x, int y, int display_id);
void inputs_motion(struct probe *probe, int dx, int dy);
/* `button` is one of SPICE_MOUSE_BUTTON_*. */
void inputs_button(struct probe *probe, int button, bool press);
/* Returns the SPICE_INPUTS_* bits as the guest last set them; -1 without a connection. */
int inputs_leds(const struct probe *probe);

/* ---- probe_counter.c ---- */

struct counter_reading {
	uint32_t value;
	int x, y; /* of the strip's first cell */
};

/*
 * Reads the frame-counter strip of tests/guest/counter_layout.h where `hint` saw it last (may be
 * NULL). If it is not there and `search` is set, looks for it anywhere.
 */
bool counter_read(const struct probe_display *display, const struct counter_reading *hint,
	bool search, struct counter_reading *reading);

/* ---- probe_commands.c ---- */

/* Runs one line as a command and prints its answer. */
void command_run(struct probe *probe, const char *line);
