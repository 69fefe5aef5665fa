/* SPDX-License-Identifier: MIT */
/*
 * viewer keeps a vitrine-display process in step: it gives each one the passwords, the certificate,
 * the listening sockets and the way to QEMU's D-Bus display.
 *
 * Encoders run in that process, with the code of GPUs' drivers. Which of them later processes of
 * this desktop do not use, when it crashes, says encoder_blame.h.
 *
 * Whoever has come in by a ticket loses their session when the process ends, and could not come
 * again: a ticket lets one session in. So it becomes its own follow-on: with the next process it
 * lets that session in once more, for VIEWER_FOLLOW_ON_S.
 *
 * The listening sockets stay open here. So a client that arrives while the process is replaced
 * waits in the queue instead of being refused.
 */
#pragma once

#include "server/desktop/users.h"
#include "server/keeper/encoder_blame.h"
#include "server/keeper/lock_on_leave.h"
#include "server/keeper/worker.h"

#define VIEWER_LISTENERS_MAX 4

struct viewer_events {
	void *user;
	/* The process is ready, and needs a frame link and a D-Bus connection. */
	void (*ready)(void *user);
	/* It was, and is no more: all clients are cut off. Another one comes, or `failed`. */
	void (*lost)(void *user);
	void (*failed)(void *user);
	/* The desktop has this size, in pixels. */
	void (*pointer_area)(void *user, uint32_t width, uint32_t height);
	/* May somebody come in who gives no password, and whose connection is it? `fd` is -1 or
	 * the connection, and stays the viewer's. */
	bool (*visitor)(void *user, const struct keeper_visitor *visitor, int fd, uint32_t *uid);
	/* A client has come, or gone. The text has a NUL, and is what display says. */
	void (*client)(void *user, const struct keeper_client *client);
	/* What viewer_ask_screenshot() asked for; `fd` is -1, or stays the viewer's. */
	void (*screenshot)(void *user, const struct keeper_screenshot_taken *taken, int fd);
};

struct viewer_listener {
	int fd;
	enum keeper_listener_kind kind;
};

struct viewer_ticket {
	uint32_t name, flags; /* as in struct keeper_ticket */
	char text[KEEPER_TICKET_MAX + 1];
	int64_t use_by_us; /* on the monotonic clock; 0: at any time */
	char user[KEEPER_USER_MAX + 1];
	bool in_session;  /* in the display that there is */
	bool used_before; /* in a display that is gone */
};

struct viewer {
	struct worker worker;
	struct viewer_events events;
	struct viewer_ticket password;      /* empty: nobody is asked */
	struct viewer_ticket view_password; /* empty: none */
	GArray *given; /* struct viewer_ticket; those that are over go when one is given */
	uint32_t last_given;
	bool has_said_end;
	char said[KEEPER_ENDS_TEXT_BYTES]; /* every display is told; empty: nothing */
	unsigned leave_source;             /* it was told to, and has this long */
	struct users users;                /* a copy */
	int certificate[2];                /* files: certificate and key; -1: none */
	struct viewer_listener listeners[VIEWER_LISTENERS_MAX];
	unsigned n_listeners;
	struct encoder_blame encoder_blame;
	struct lock_on_leave lock; /* the owner's to begin */
};

/* `password` may be NULL: then clients are asked for none. */
void viewer_init(struct viewer *viewer, struct starter *starter, const char *password,
	const struct viewer_events *events);
/* The next display knows this one, and that of now when viewer_say_passwords() is called. */
void viewer_set_password(struct viewer *viewer, const char *password);
/* The same of those who may only look on. */
void viewer_set_view_password(struct viewer *viewer, const char *password);
/* The same of those who have names. */
void viewer_set_users(struct viewer *viewer, const struct users *users);
/* From here on passwords that were set count for those who come, all at once. */
void viewer_say_passwords(struct viewer *viewer);
/*
 * Makes a ticket that must be used first within so many seconds, and writes its text into `ticket`.
 * Returns false when there are VIEWER_GIVEN_MAX, or when the kernel gives no randomness.
 */
bool viewer_give_ticket(struct viewer *viewer, uint32_t flags, uint32_t use_within_s,
	char ticket[KEEPER_TICKET_MAX + 1]);
/*
 * Takes both descriptors, which are of PEM files that display reads. The first ones come before
 * viewer_start(); later ones count for those who come.
 */
void viewer_set_certificate(struct viewer *viewer, int certificate_fd, int key_fd);
/* Takes fd. It is called before viewer_start(). */
void viewer_add_listener(struct viewer *viewer, enum keeper_listener_kind kind, int fd);
bool viewer_start(struct viewer *viewer, GError **error);
void viewer_finish(struct viewer *viewer);

/*
 * Has another process take over, as planned: clients that can come again by SPICE's host switch.
 * One that has not left after VIEWER_LEAVE_MS is ended.
 */
void viewer_switch(struct viewer *viewer);
/* False: no process is ready. */
bool viewer_ask_screenshot(struct viewer *viewer, uint32_t head);
/* Has clients be shown this text while the guest shows nothing; "": nothing. */
void viewer_say(struct viewer *viewer, const char *text);
/* The same of this client, which is to drive (keeper_link.h). */
bool viewer_hand_over(struct viewer *viewer, const char *client);
/* Tells whoever is connected why the desktop ends, which it then must do. */
void viewer_say_end(struct viewer *viewer, const char *why);

/* In both `end` stays the caller's, and false means that no process is ready. */
bool viewer_send_frame_link(struct viewer *viewer, int end);
bool viewer_send_dbus(struct viewer *viewer, int end);
