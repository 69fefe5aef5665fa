/* SPDX-License-Identifier: MIT */
/*
 * probe: the state of spice-probe, one stock SPICE client without a window.
 *
 * Everything runs on the default main context of one thread: spice-client-glib's channels, the
 * command reader and the commands themselves. A command that waits runs the context in a nested
 * fashion (probe_wait), so nothing here is ever entered from two sides at once except through the
 * signal handlers of the channels, which only record.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

/* spice-client.h drags in headers that are not clean under our warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <spice-client.h>
#pragma GCC diagnostic pop

#define PROBE_DISPLAYS_MAX 16
#define PROBE_RECTS_MAX 64

struct probe;

/* One display channel: the primary surface lives in spice-client-glib and is only looked at. */
struct probe_display {
	struct probe *probe;
	SpiceChannel *channel; /* owned reference; NULL: no such channel */
	bool opened;
	bool marked; /* the server says that the picture is worth showing */
	/* data is NULL while there is no primary surface. */
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

/* Sound as it came, before anybody plays it. */
struct probe_sound {
	uint64_t n_starts, n_stops, n_bytes;
	int n_channels, rate; /* of the last start */
	uint32_t first, last; /* samples of both channels; first: the first that is not 0 */
	uint64_t n_breaks;    /* times a sample was not the one before plus 1 */
	int volume, mute;     /* last said; -1: never */
};

struct probe_options {
	char *uri; /* spice://host:port[?password=..]; NULL when unix_path is given */
	char *unix_path;
	char *ca_file;  /* NULL: the system's */
	char *password; /* NULL: none */
	int connect_timeout_ms;
	int key_interval_ms; /* pause after each key event of `type` and `key` */
	bool wait_connect;   /* connect before the first command */
	bool debug;
	bool no_log;
	bool audio; /* the library's own audio code plays sound */
};

struct probe {
	struct probe_options options;
	SpiceSession *session; /* NULL while disconnected */
	SpiceMainChannel *main;
	SpiceInputsChannel *inputs;
	SpiceChannel *cursor_channel;
	bool main_opened, inputs_opened, cursor_opened;
	char *error; /* why the connection ended or could not be made; NULL: it did not */
	struct probe_display displays[PROBE_DISPLAYS_MAX];
	struct probe_cursor cursor;
	SpiceChannel *sound_channel;
	struct probe_sound sound;
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
 * Runs the main context until done(user) is true or timeout_ms have passed. `done` NULL: just let
 * the time pass. Returns done's last word.
 */
bool probe_wait(int timeout_ms, bool (*done)(void *user), void *user);

/* probe_connection.c */

/* Connects anew (a previous session is left first). False with probe->error set. */
bool connection_open(struct probe *probe);
void connection_close(struct probe *probe);
/* True while the main channel is up. */
bool connection_is_open(const struct probe *probe);
const char *connection_mouse_mode(const struct probe *probe);
/* Counts the streams that servers start, from the library's debug log; print: pass all of it on. */
void connection_watch_log(struct probe *probe, bool print);

/* probe_display.c */

void display_attach(struct probe *probe, SpiceChannel *channel);
void display_detach_all(struct probe *probe);
/* The display with this channel id if it has a primary surface, else NULL. */
struct probe_display *display_get(struct probe *probe, int id);
/* 0xRRGGBB, or -1 outside the surface. */
int display_pixel(const struct probe_display *display, int x, int y);
/* Copies a region as packed R, G, B bytes. NULL when it does not lie inside the surface. Free with
 * g_free. */
uint8_t *display_copy_rgb(const struct probe_display *display, int x, int y, int width, int height);
/* SHA-256 in hex of display_copy_rgb's bytes. NULL outside. Free with g_free. */
char *display_hash(const struct probe_display *display, int x, int y, int width, int height);
/* Writes .png or .ppm by the name's end. */
bool display_save(const struct probe_display *display, const char *path, GError **error);

/* probe_cursor.c */

void cursor_attach(struct probe *probe, SpiceChannel *channel);
void cursor_detach(struct probe *probe);

/* probe_sound.c */

void sound_attach(struct probe *probe, SpiceChannel *channel);
void sound_detach(struct probe *probe);

/* probe_inputs.c */

/* "1e", "0x1e", "e04b", or a chord "1d+38+53". Presses in order, releases in reverse. */
bool inputs_key(struct probe *probe, const char *chord);
bool inputs_press(struct probe *probe, const char *chord, bool press);
/* US layout; \n, \t and \b are Return, Tab and Backspace. False: a character that has no key. */
bool inputs_type(struct probe *probe, const char *text);
void inputs_move(struct probe *probe, int x, int y, int display_id);
void inputs_motion(struct probe *probe, int dx, int dy);
/* button: SPICE_MOUSE_BUTTON_*. */
void inputs_button(struct probe *probe, int button, bool press);
/* SPICE_INPUTS_* bits as the guest last set them; -1 without a connection. */
int inputs_leds(const struct probe *probe);

/* probe_counter.c */

struct counter_reading {
	uint32_t value;
	int x, y; /* of the strip's first cell */
};

/* Reads the frame-counter strip of tests/guest/counter_layout.h at `hint` (or NULL), where it was
 * last time, and if it is not there and `search` is set, anywhere. */
bool counter_read(const struct probe_display *display, const struct counter_reading *hint,
	bool search, struct counter_reading *reading);

/* probe_commands.c */

/* Runs one line and prints its answer. */
void command_run(struct probe *probe, const char *line);
