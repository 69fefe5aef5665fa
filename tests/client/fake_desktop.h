/* SPDX-License-Identifier: MIT */
/*
 * fake_desktop: a desktop without a virtual machine. It starts the real vitrine-display and plays
 * the processes around it over the real links: the keeper (here), vitrine-render (fake_render.h)
 * and QEMU's D-Bus display (fake_qemu.h).
 *
 * The display program is $VITRINE_DISPLAY. Its standard error goes to a file, printed when a test
 * fails, so that tests can also ask what was logged.
 *
 * Threads: one thread of its own reads the links and serves D-Bus; the test calls from its thread.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "protocol/keeper_link.h"
#include "protocol/heartbeat.h"
#include "protocol/stats.h"
#include "tests/client/fake_qemu.h"
#include "tests/client/fake_render.h"

#define FAKE_DESKTOP_ARGUMENTS_MAX 4

struct fake_desktop_options {
	const char *ticket;  /* NULL: none is asked for */
	bool unix_socket;    /* instead of TCP on the loopback */
	bool tls;            /* on TCP, with a certificate made for this desktop */
	bool no_qemu;        /* no D-Bus descriptor is sent */
	const char *clock;   /* display's --clock; NULL: its default */
	const char *encoder; /* as --encoder; NULL: display chooses */
	const char *arguments[FAKE_DESKTOP_ARGUMENTS_MAX]; /* more of display's, then NULL */
};

struct fake_desktop;

/*
 * Starts a desktop; returns when display has said READY and has everything, and asserts that it
 * does.
 */
struct fake_desktop *fake_desktop_start(const struct fake_desktop_options *options);

/*
 * Closes the keeper link and waits for display to end. Asserts that it ended by itself with status
 * 0 (not by a signal or a sanitizer) and never broke the frame link's contract.
 */
void fake_desktop_stop(struct fake_desktop *desktop);
/* Says that display ends before that, by itself and with a failure, and that this is asserted. */
void fake_desktop_want_fault(struct fake_desktop *desktop);

struct fake_render *fake_desktop_render(struct fake_desktop *desktop);
struct fake_qemu *fake_desktop_qemu(struct fake_desktop *desktop);

/*
 * Returns the address as spice-probe takes it: "spice://127.0.0.1:PORT" or "--unix=PATH". The
 * desktop owns it.
 */
const char *fake_desktop_address(const struct fake_desktop *desktop);
/*
 * Returns the path of the certificate that a client of a desktop with TLS must trust. The desktop
 * owns it.
 */
const char *fake_desktop_certificate(const struct fake_desktop *desktop);
/* Returns the TCP port that display listens on. */
unsigned fake_desktop_port(const struct fake_desktop *desktop);
/* Connects to the listening socket; returns a blocking socket, which the caller closes. */
int fake_desktop_connect_socket(const struct fake_desktop *desktop);

/* Gives display another password or ticket, as the keeper does; `flags` are KEEPER_TICKET_...
 * NULL: this password is none any more. */
void fake_desktop_give_ticket(
	struct fake_desktop *desktop, uint32_t name, uint32_t flags, const char *ticket);
/* The same of one that is given with a user's name. */
void fake_desktop_give_user(struct fake_desktop *desktop, uint32_t name, uint32_t flags,
	const char *user, const char *secret);

/* Says why heads show nothing, as the keeper does. */
void fake_desktop_say(struct fake_desktop *desktop, const char *text);

/* Gives display a fresh frame link, as after the renderer was replaced. */
void fake_desktop_renew_frame_link(struct fake_desktop *desktop);

/* Gives display a fresh D-Bus descriptor, as after QEMU was asked for a new peer. */
void fake_desktop_renew_dbus(struct fake_desktop *desktop);

/* Runs `call` on the desktop's thread and waits for it; fake_qemu's setters must run there. */
void fake_desktop_call(struct fake_desktop *desktop, void (*call)(struct fake_desktop *desktop));

/*
 * Both return memory shared with display, which goes on writing there: its beats, and what it
 * counts.
 */
const struct heartbeat *fake_desktop_heartbeat(const struct fake_desktop *desktop);
const struct stats *fake_desktop_stats(const struct fake_desktop *desktop);
/* Returns the process id of display; 0 when it is gone. */
pid_t fake_desktop_pid(const struct fake_desktop *desktop);
/* Returns the resident memory of display in KiB; 0 when it is gone. */
unsigned long fake_desktop_resident_kib(const struct fake_desktop *desktop);
bool fake_desktop_is_alive(struct fake_desktop *desktop);
/* Waits until display's log has a line that holds `text`. */
bool fake_desktop_wait_log(const struct fake_desktop *desktop, const char *text, int timeout_ms);
/* The user whose connections the keeper that this plays takes all to be. */
#define FAKE_DESKTOP_VISITOR 4242
/*
 * From here on the keeper that this plays says of all who come without a password that they may
 * not come in, or that they may, as it does at first.
 */
void fake_desktop_refuse_visitors(struct fake_desktop *desktop, bool refuse);
/* Waits until display has said this of some client, in words that hold `text`. */
bool fake_desktop_wait_client(struct fake_desktop *desktop, enum keeper_client_what what,
	const char *text, int timeout_ms);
/* Has the client drive that is named so, as the keeper does; "": who came to. */
void fake_desktop_hand_over(struct fake_desktop *desktop, const char *client);
/* Gives the name of the client that display told of last so, "ADDRESS:PORT"; the caller frees it.
 */
char *fake_desktop_find_client(
	struct fake_desktop *desktop, enum keeper_client_what what, const char *text);
/* Gives the ticket that display said last that it is used; 0: none, or that it is not after all. */
uint32_t fake_desktop_used_ticket(struct fake_desktop *desktop);
/* Tells whether display has asked since then. */
bool fake_desktop_was_asked(struct fake_desktop *desktop);
/* Prints display's log to standard error. */
void fake_desktop_print_log(const struct fake_desktop *desktop);
unsigned fake_desktop_count_log_lines(const struct fake_desktop *desktop);
/* Waits until the last POINTER_AREA that display sent has this size. */
bool fake_desktop_wait_pointer_area(
	struct fake_desktop *desktop, uint32_t width, uint32_t height, int timeout_ms);
