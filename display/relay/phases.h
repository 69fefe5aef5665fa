/* SPDX-License-Identifier: MIT */
/*
 * phases: describes the life of a relayed connection as a state machine. It is in one phase at a
 * time; events lead from one to another by the table in connection.c, which can be read alone. This
 * header is for the files that the machine is made of, and for nobody else:
 *
 *   connection.c  the table, the event source, creation and end
 *   greeting.c    from the first byte to the channel it is for: TLS, WebSocket, the link message
 *   login.c       the answer, the ticket and the result: whether the client may come in
 *   login_sasl.c  the same for clients that log in by SASL, up to the judgement
 *   join.c        the same with spice-server, where we are the client
 *   channel.c     bytes and messages in both directions
 *   opening.c     a display channel's beginning, which spice-server must not see the end of
 *   pass.c        local display channels, after their opening
 *   closing.c     what is still said when one side has ended
 *   farewell.c    who came and went, for the log, and the word that a client is told
 *   asides.c      what the relay measures and says by itself: the line, the clock, the compression
 *
 * Threads: the relay's; in PHASE_PASS the worker thread of a head, too (pass.h). What both touch
 * then is under pass.c's lock: the pipes, and fds, n_fds, half_closed and stepped_aside. The worker
 * only reads talk.link.id, server_fd, server_inode and the numbers of both ends, which stay as they
 * are from before the phase until pass_end.
 */
#pragma once

#include <glib.h>

#include "display/relay/connection.h"
#include "display/relay/limits.h"
#include "display/relay/login.h"
#include "display/relay/outer.h"
#include "display/relay/pipe.h"
#include "display/relay/spice_talk.h"
#include "display/relay/spice_watches.h"
#include "display/relay/spice_viewing.h"

enum phase {
	PHASE_NONE, /* in the table: the event cannot come in this phase */
	/* Greeting: nobody knows yet who it is; the lobby has a deadline. */
	PHASE_SHAKE,      /* TLS shakes hands */
	PHASE_FIRST,      /* the first bytes are read, in TLS or not */
	PHASE_REQUEST,    /* a WebSocket client's request is read */
	PHASE_MESSAGE,    /* the SPICE link message is read, in frames or not */
	PHASE_ANSWER,     /* its answer waits for a key, or for what spice-server can do */
	PHASE_TICKET,     /* the client's ticket is read, or that it chooses SASL */
	PHASE_SASL_START, /* the mechanism that it chooses is read, and the first that it says */
	PHASE_SASL_ASK,   /* that waits to be looked at, since somebody guesses */
	PHASE_SASL_STEP,  /* what it says further is read */
	PHASE_JUDGE,      /* the ticket waits to be judged, since somebody guesses */
	/* Joining: we have let the client in, and spice-server has not yet. */
	PHASE_INIT,      /* a display channel has not said INIT */
	PHASE_JOIN,      /* our link message is with spice-server */
	PHASE_RESULT,    /* spice-server has our ticket */
	PHASE_ADMISSION, /* the same, of a display channel, with INIT */
	/* Relaying: spice-server has the other end. */
	PHASE_OPENING, /* spice-server has not gone on yet after a display channel's INIT */
	PHASE_CHANNEL, /* messages pass */
	/* All that a local client says passes, until its socket takes the place of ours. */
	PHASE_PASS,
	/* Ending: one of the two is gone, or both. */
	PHASE_REST,    /* spice-server is gone from PHASE_PASS; the local client gets the rest */
	PHASE_LEAVING, /* the client says no more; spice-server may still answer */
	/* The client is gone; we keep the channel until spice-server has passed INIT, because it
	 * crashes on an earlier end. */
	PHASE_ORPHAN,
	PHASE_LAST_WORDS, /* spice-server is gone; the client gets the rest */
	PHASE_CLOSING,    /* we have said our last word; what the client says is thrown away */
	PHASE_OVER,       /* all is closed; the owner destroys it */
	PHASES,
};

enum event {
	/* The phase itself says these. */
	EVENT_DONE,    /* the phase has done what it is for */
	EVENT_HTTP,    /* it begins like an HTTP request */
	EVENT_REFUSED, /* it has been answered by no */
	EVENT_PASS,    /* it is local, and its opening is over */
	EVENT_SASL,    /* the client logs in by SASL, and has more to say */
	EVENT_DISPLAY, /* the phase has done what it is for, and it is a display channel */
	/* One of the ends says these, or time does, or the relay's owner. */
	EVENT_CLIENT_ENDED, /* it says no more, in order: FIN, close_notify */
	EVENT_CLIENT_BYE,   /* it said goodbye in a WebSocket frame, and hears no more */
	EVENT_CLIENT_GONE,  /* reset, or nobody acknowledges */
	EVENT_CLIENT_WRONG, /* it broke a rule: `why` says which */
	EVENT_SERVER_GONE,  /* spice-server closed its end; what it said may still be there */
	EVENT_SERVER_ENDED, /* spice-server closed its end, and all is read */
	EVENT_LATE,         /* the phase's deadline has passed */
	EVENT_QUIT,         /* the relay ends */
	EVENTS,
};

struct end {
	int fd;                  /* -1: none */
	struct poll_end *polled; /* NULL: not polled */
	GIOCondition wants;
};

struct connection {
	const struct connection_host *host;
	GThread *thread; /* the relay's */
	struct poll_source *source;
	enum phase phase;
	gint64 deadline_us; /* of the phase; 0: none */
	const char *why; /* the log gives it at EVENT_CLIENT_WRONG and EVENT_REFUSED; "": it has */
	struct end outer, inner;
	struct outer *stream; /* speaks on the outer end; NULL: that is closed */
	struct pipe pipes[SPICE_TALK_SIDES];
	struct peer_address from;
	char client[PEER_ADDRESS_TEXT_MAX]; /* the same as text */

	/* greeting.c */
	struct effort_turn turn; /* to make us compute */
	bool in_tls;             /* its bytes travel in TLS */
	bool open;               /* no password will be asked for (websocket.h) */
	size_t seen_bytes;       /* of the request (http_request.h) */

	/* login.c */
	struct login *login;          /* NULL: not begun, or spice-server has let it in */
	bool view_only;               /* it may look and listen, and no more */
	struct spice_viewing viewing; /* if so */
	uint32_t visit;               /* of a main channel (tickets.h); 0: none */

	/* channel.c */
	struct spice_talk talk;
	struct spice_watched watched;
	bool unparsed;    /* the client's pipe holds what talk has not looked at */
	gint64 pulled_us; /* when what is in the server's pipe was read */

	/* pass.c; who may touch it in PHASE_PASS is said above */
	bool is_unix;          /* the client is on the unix socket */
	bool is_local;         /* and speaks no WebSocket */
	int server_fd;         /* the number of spice-server's end of the inner connection */
	ino_t server_inode;    /* by which it is known */
	int fds[PASS_FDS_MAX]; /* spice-server sent them; they go on with the last byte */
	unsigned n_fds;
	bool joined;        /* the head's worker knows it */
	bool half_closed;   /* the client says no more */
	bool stepped_aside; /* spice-server has the client's socket */

	struct line_cap_user cap;
	struct line *line; /* of its seat */

	/* farewell.c */
	gint64 came_us;         /* of a main channel that has come in and not gone; else 0 */
	bool goes;              /* it is known how it ends */
	bool vanished;          /* its machine answers nothing any more */
	const char *thrown_out; /* why, if not by itself; NULL */
	bool told_why;

	/* closing.c */
	bool shut; /* our last word is out */
	size_t discarded_bytes;

	/* asides.c */
	bool tell;          /* the client is to be told the time */
	bool small;         /* the line wants pictures small (compression.h) */
	bool told_small;    /* spice-server was told so */
	unsigned line_name; /* 0: none */
	gint64 line_us;     /* last measured for the session */
	uint32_t line_held_bytes;
	gint line_awaited; /* atomic */
};

/* ---- connection.c ---- */

/* Leads to the next phase, after the table's action. */
void connection_event(struct connection *connection, enum event event);
/* Returns what the table says; PHASE_NONE: the event cannot come in this phase. */
enum phase connection_next(enum phase phase, enum event event);
/* Closes the client's end, and what was on it: its line, TLS, frames. */
void connection_close_outer(struct connection *connection);
void connection_close_inner(struct connection *connection);
/* Polls spice-server's end no more, since it has hung up: what it said can still be read. */
void connection_stop_polling_inner(struct connection *connection);
void connection_open_inner(struct connection *connection, int fd);
/* These say what each end is polled for from now on. */
void connection_want_outer(struct connection *connection, bool in, bool out);
void connection_want_inner(struct connection *connection, bool in, bool out);
/* Polls the client's end for room, perhaps, and for its end: nothing is read from it. */
void connection_watch_outer(struct connection *connection, bool out);
/* Says when the source runs even if no end wakes it: 0 is at once, -1 is never. The phase's
 * deadline wakes it, too. */
void connection_plan(struct connection *connection, gint64 next_us);
bool connection_is_passing(ssize_t error);

/* ---- greeting.c: the phases' work, and actions ---- */

void greeting_shake(struct connection *connection);
void greeting_read_first(struct connection *connection);
void greeting_read_request(struct connection *connection);
void greeting_read_message(struct connection *connection);
void greeting_begin_request(struct connection *connection);
/* Returns true when the client's turn has come to make us compute; effort_end() must follow. */
bool greeting_may_compute(struct connection *connection);
/* Reads more of what the client says. Returns true when something came. Otherwise an event was
 * raised, or more is awaited. */
bool greeting_fill(struct connection *connection);

/* ---- login.c ---- */

void login_begin(struct connection *connection);
void login_answer(struct connection *connection);
void login_read_ticket(struct connection *connection);
void login_judge(struct connection *connection);
void login_await_init(struct connection *connection);
void login_say_late(struct connection *connection);
void login_finish(struct connection *connection);

/* ---- login_sasl.c ---- */

void login_sasl_begin(struct connection *connection);
void login_sasl_read_start(struct connection *connection);
void login_sasl_ask(struct connection *connection);
void login_sasl_read_step(struct connection *connection);

/* ---- join.c ---- */

void join_begin(struct connection *connection);
void join_read_answer(struct connection *connection);
void join_read_result(struct connection *connection);
enum join_result {
	JOIN_OPEN,
	JOIN_IN,
	JOIN_OUT,
};
/* Reads whether spice-server lets the client in. */
enum join_result join_hear_result(struct connection *connection);
void join_fail(struct connection *connection);
void join_say_late(struct connection *connection);

/* ---- channel.c ---- */

void channel_relay(struct connection *connection);
/* Sends the client what is ready for it. Returns true when all is out. */
bool channel_flush(struct connection *connection);
/* Turns what a reading of the client's end came to into its event: 0 or -errno, not -EAGAIN. */
void channel_end_of_client(struct connection *connection, ssize_t n);

/* ---- opening.c ---- */

void opening_go_on(struct connection *connection);
void opening_say_late(struct connection *connection);
void opening_late(struct connection *connection);
void opening_orphan(struct connection *connection);
void opening_warn_orphan(struct connection *connection);
void opening_await(struct connection *connection);

/* ---- pass.c ---- */

void pass_work(struct connection *connection);
void pass_begin(struct connection *connection);
/*
 * Takes the connection from the head's worker, and closes the descriptors that the client did not
 * get. It may be called in any phase.
 */
void pass_end(struct connection *connection);
void pass_half_close(struct connection *connection);
/*
 * Begins to send out what spice-server, which is gone, has said and the client has not taken yet.
 */
void pass_begin_rest(struct connection *connection);
void pass_rest(struct connection *connection);
/* Is like recv(2) of what spice-server says to a local client, but returns -errno; it keeps the
 * descriptors that come. */
ssize_t pass_receive(struct connection *connection, uint8_t *bytes, size_t size_bytes);

/* ---- closing.c ---- */

void closing_note(struct connection *connection);
void closing_warn(struct connection *connection);
void closing_refuse(struct connection *connection);
void closing_pass_end(struct connection *connection);
void closing_drop_server(struct connection *connection);
void closing_cut_off(struct connection *connection);
void closing_say_bye(struct connection *connection);
void closing_say_going_away(struct connection *connection);
void closing_discard(struct connection *connection);

/* ---- farewell.c ---- */

/* Says that spice-server has let the connection in. */
void farewell_greet(struct connection *connection);
/* Notes the first event that ends it. */
void farewell_note(struct connection *connection, enum event event);
/* Tells the client why it is thrown out, once, if it is. It may raise EVENT_CLIENT_GONE. */
void farewell_say(struct connection *connection);
/* Has the client notified of something, if a message may be put in now. */
void farewell_notify(struct connection *connection, const char *words);
/* The same, as far as there is room now, without an event. */
void farewell_say_at_once(struct connection *connection);
/* Has a client in session come again by itself, where it can. `subject` is as in
 * connection_switch(). */
bool farewell_switch(struct connection *connection, const char *subject);
/* Says that somebody was not let in who knows the password. */
void farewell_tell_refused(const struct connection *connection, const char *why);
/* As connection_drive(). */
bool farewell_drive(struct connection *connection, const char *client);
/* Says that it has gone. */
void farewell_tell(struct connection *connection);

/* ---- asides.c ---- */

/* Returns false when there is no such session, or when its client has this channel already. */
bool asides_join_session(struct connection *connection);
void asides_join_line(struct connection *connection);
void asides_leave_line(struct connection *connection);
void asides_leave_session(struct connection *connection);
void asides_tick(struct connection *connection);
/* Says whether the client may be sent more now; if not, asides_next_us() says when. */
bool asides_may_send(struct connection *connection);
void asides_count_sent(struct connection *connection, size_t size_bytes);
/* Says something of ours, if it is due and a message may be put in. */
void asides_say(struct connection *connection, enum spice_talk_side side);
void asides_measure(struct connection *connection, gint64 now_us);
/* Notes that the head's pipe has been emptied. */
void asides_count_gone(const struct connection *connection);
/*
 * Returns when the line or the clock wants to be looked at again; -1: not before something happens.
 */
gint64 asides_next_us(struct connection *connection, gint64 now_us);
