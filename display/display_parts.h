/* SPDX-License-Identifier: MIT */
/*
 * display parts: declares what the files of `display` share. Each neighbour's callbacks stand in a
 * file of their own, and the neighbours know nothing of each other: whatever passes between two of
 * them passes through here.
 *
 *   display.c          the keeper's side, and the start and end of everything
 *   display_desktop.c  the desktop's size, its pointer, the monitors that clients wish for
 *   display_clients.c  people: from the listening sockets to spice-server's channels
 *   display_frames.c   render's side: heads, frames
 *   display_cursor.c   the guest's cursor, and where it points
 *   display_qemu.c     QEMU's side: inputs that leave, sound that comes, the agent in the guest
 *   display_ports.c    the guest's devices that clients have: USB, a folder, ports
 *   display_shot.c     a picture of a head for whoever asks the keeper for one
 *
 * Threads: main loop.
 */
#pragma once

#include <gio/gio.h>

#include "display/display_walls.h"
#include "display/door/audience.h"
#include "display/door/dmabuf_door.h"
#include "display/heads/frame_receiver.h"
#include "display/heads/hot_spot.h"
#include "display/keeper_end.h"
#include "display/line/intake.h"
#include "display/line/line.h"
#include "display/lookers.h"
#include "display/line/line_stats.h"
#include "display/qemu/dbus_audio.h"
#include "display/qemu/microphone.h"
#include "display/qemu/dbus_chardev.h"
#include "display/qemu/dbus_display.h"
#include "display/qemu/dbus_ports.h"
#include "display/qemu/inputs.h"
#include "display/relay/relay.h"
#include "display/spice/screens.h"
#include "display/spice/spice_agent.h"
#include "display/spice/spice_core.h"
#include "display/spice/spice_inputs.h"
#include "display/spice/spice_playback.h"
#include "display/spice/spice_record.h"
#include "display/spice/spice_port.h"
#include "display/tickets/tickets.h"
#include "display/video/video.h"

/* What the guest says of a head's cursor. */
struct display_cursor {
	struct hot_spot spot;
	int32_t x, y;          /* of the picture's corner, on the head */
	uint32_t hot_x, hot_y; /* as clients are told */
};

struct display {
	void (*done)(void *user, bool fault);
	void *user;
	struct display_walls *walls;
	struct keeper_end *keeper;
	struct tickets *tickets;
	struct relay *relay;
	struct line *line;
	struct line_stats *line_stats;
	struct intake *intake;
	struct dmabuf_door *door;
	struct audience *audience;
	struct spice_core *core; /* NULL before it is there, and from its destruction on */
	struct screens *screens;
	struct lookers *lookers; /* who look on beside the one who drives */
	GHashTable *seats;       /* descriptor of a looker's that is at the door: its seat */
	struct spice_inputs *spice_inputs;
	struct spice_agent *agent;
	struct spice_playback *playback;
	struct spice_record *record;
	struct microphone *microphone; /* what `record` hears, for QEMU */
	struct inputs *inputs;
	struct frame_receiver *frames;      /* NULL: no renderer */
	struct dbus_display *dbus;          /* NULL: no QEMU */
	struct dbus_audio *audio;           /* NULL: no QEMU */
	struct dbus_audio *audio_in;        /* the same, of the microphone */
	struct dbus_chardev *agent_port;    /* NULL: no QEMU */
	GDBusConnection *qemu_bus;          /* of the ports; NULL: no QEMU */
	struct dbus_ports *port_finder;     /* NULL: no QEMU */
	GPtrArray *ports;                   /* display_ports.c's; NULL: no QEMU */
	struct video_options video_options; /* its text is the caller's */
	unsigned switch_source;             /* another display takes over; 0: none does */
	unsigned words_source;              /* why the desktop ends is read; 0: it is not */
	int64_t ends_us;                    /* until when that may be; 0: it does not end */
	char said[KEEPER_ENDS_TEXT_BYTES]; /* is shown while the guest shows nothing; "": nothing */
	bool shows_said;                   /* head 0 is on for that */
	struct display_shot {
		unsigned timer; /* a picture is awaited; 0: none is */
		unsigned head;
	} shot;
	unsigned let_go_source; /* another one drives; 0: nothing is done */
	bool warns;             /* words are shown in the place of what the guest shows */
	bool video_is_begun;
	unsigned n_heads; /* the guest's device has; FRAME_HEADS_MAX until QEMU has said it */
	struct frame_head_mode
		wanted[FRAME_HEADS_MAX]; /* by the client; none enabled: never asked */
	struct frame_head_mode wished[FRAME_HEADS_MAX]; /* what takes their place in a moment */
	unsigned wish_source;                           /* 0: nothing does */
	struct display_cursor cursors[FRAME_HEADS_MAX];
	unsigned cursor_head;   /* whose cursor the guest has changed last */
	int64_t cursor_us;      /* when that was */
	unsigned settle_source; /* looks whether it has settled; 0: nothing does */
	bool absolute;          /* the guest's pointer has positions, not steps */
};

/* display_desktop.c */

extern const struct spice_agent_ops display_agent_ops;

/* Is called after the guest's pointer became absolute or relative, or a head was turned on. */
void display_update_pointer(struct display *display);
/* Is called after QEMU has said how many heads the device has. */
void display_set_heads(struct display *display, unsigned n_heads);
/* Tells a renderer or a QEMU that is new what the client wants. */
void display_want_heads_again(struct display *display);
/* Is called after a head was turned on or off, or moved. */
void display_update_desktop(struct display *display);
/*
 * Passes the monitors that a client wishes for on to render and QEMU. Is spice_head_wanted; `user`
 * is the display.
 */
void display_want_heads(void *user, const struct frame_head_mode *heads, unsigned n_heads);

/* display_clients.c */

extern const struct relay_ops display_relay_ops;
extern const struct dmabuf_door_ops display_door_ops;
extern const struct audience_ops display_audience_ops;
extern const struct spice_gl_ops display_gl_ops;
extern const struct spice_core_ops display_core_ops;
extern const struct lookers_ops display_lookers_ops;

/* Both tell the renderer, when it is new or when the answer changes, what it is to send. */
void display_want_formats(struct display *display);
void display_want_rates(struct display *display);

/* display_frames.c */

extern const struct frame_receiver_ops display_frames_ops;

/*
 * Ends the frame link. What was shown stays on the clients' screens until a renderer brings more.
 */
void display_close_frames(struct display *display);
/* Shows who looks what the keeper has said, if the guest shows nothing. */
void display_show_said(struct display *display);
void display_say(struct display *display, const char *text);
/* Has the heads that somebody looks at show why the desktop ends, and render's frames no more. */
void display_show_words(struct display *display, const char *text);
/* Has them show this until it is said that there is nothing to show (NULL), and then the guest. */
void display_warn(struct display *display, const char *words);
bool display_is_looked_at(const struct display *display);

/* display_cursor.c */

/* Both pass what the guest shows on to clients, and find out where it points. */
void display_cursor_image(struct display *display, const struct frame_cursor_image *image);
void display_cursor_move(struct display *display, unsigned head, int32_t x, int32_t y);

/* display_shot.c */

/* Answers with the next picture of the head, which is asked for. */
void display_take_shot(void *user, uint32_t head);
/* Tells whether this head is looked at for a picture's sake, by nobody else. */
bool display_wants_shot(const struct display *display, unsigned head);
/* The head shows this frame, which stays the caller's. */
void display_shoot(struct display *display, const struct frame *frame);
/* There is to be no answer any more. */
void display_drop_shot(struct display *display);

/* display_qemu.c */

extern const struct dbus_display_ops display_dbus_ops;
extern const struct spice_record_ops display_record_ops;

/* Sends QEMU what is in the inputs' queue. `user` is the display. */
void display_send_inputs(void *user);
/* Ends QEMU's sound, inputs and sizes, because it has left or another one has come. */
void display_close_qemu(struct display *display);

/* display_ports.c */

/* Gives clients what QEMU has for them, as it comes and goes. */
void display_open_ports(struct display *display, GDBusConnection *connection);
/* Ends that, because QEMU has left. */
void display_close_ports(struct display *display);
