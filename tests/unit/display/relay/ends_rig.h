/* SPDX-License-Identifier: MIT */
/*
 * ends_rig: brings one relayed connection into any of its phases; the test plays client and
 * spice-server. The connection runs on the test's own main context, so it moves only while the rig
 * is pumped.
 */
#pragma once

#include <glib.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/door/lobby.h"
#include "display/line/line.h"
#include "display/relay/connection.h"
#include "display/relay/phases.h"

/* Says which phase a connection is brought into, and on what it travels. */
enum place {
	AT_SHAKE,
	AT_FIRST,
	AT_FIRST_PLAIN,
	AT_REQUEST,
	AT_MESSAGE, /* in frames */
	AT_MESSAGE_PLAIN,
	AT_ANSWER, /* spice-server has not said what it can do */
	AT_TICKET,
	AT_SASL_START, /* the list of mechanisms is with the client */
	AT_SASL_ASK,   /* somebody guesses */
	AT_SASL_STEP,  /* SCRAM has begun */
	AT_JUDGE,      /* somebody guesses */
	AT_INIT,       /* a display has not said it */
	AT_JOIN,
	AT_RESULT,
	AT_ADMISSION, /* spice-server has a display's ticket and INIT, and has not answered */
	AT_OPENING,   /* it has not gone on */
	AT_OPENING_FRAMES,
	AT_CHANNEL,
	AT_CHANNEL_TLS,
	AT_CHANNEL_FRAMES,
	AT_PASS, /* local, and its opening is over */
	AT_REST, /* local, and spice-server is gone from there */
	AT_LEAVING,
	AT_ORPHAN,
	AT_LAST_WORDS,
	AT_CLOSING,
	PLACES,
};

struct ends_rig {
	enum place place;
	struct connection_host host;
	struct line_cap cap;
	struct connection *connection;
	struct line *line;
	struct session *session;   /* that displays join */
	bool over;                 /* ended() was called */
	int client, server, asked; /* asked: that spice-server can do; -1: none */
	gnutls_certificate_credentials_t trust;
	gnutls_session_t tls; /* the client's; NULL: none */
	bool frames;
	GByteArray *said;     /* by the client, what spice-server has to get */
	GByteArray *heard;    /* by spice-server */
	GByteArray *answered; /* to the client: bytes as they are in TLS */
	bool server_answers;  /* spice-server closes when the client has, with a last word */
	bool server_admits;   /* spice-server answers a ticket that it has not answered yet */
	bool server_saw_end, went_on;
	bool end_before_gone_on; /* a display channel's, which kills spice-server */
	bool client_reads, client_saw_end;
};

/* spice-server says this last. */
#define ENDS_RIG_LAST_TYPE 102
#define ENDS_RIG_LAST "the last word"

/* Where its client comes from, and how many like it there may be. */
#define ENDS_RIG_LOBBY_MAX 8
extern const struct peer_address ends_rig_client;

void ends_rig_start(struct ends_rig *rig, enum place place, struct tls_credentials *credentials);
void ends_rig_stop(struct ends_rig *rig);

/* Lets both sides and the connection do what they can, until it is over or time_us have passed. */
void ends_rig_pump(struct ends_rig *rig, gint64 time_us);
/* Have the client say this, on whatever the connection travels on. */
void ends_rig_say(struct ends_rig *rig, const void *bytes, size_t size_bytes);
void ends_rig_say_frame(struct ends_rig *rig, uint8_t opcode, const void *bytes, size_t size_bytes);
/* Has the client say the bytes as they are, below TLS and frames. */
void ends_rig_say_raw(struct ends_rig *rig, const void *bytes, size_t size_bytes);

/* Closes the descriptor and sets it to -1. With `reset` it sends no FIN. */
void ends_rig_close(int *fd, bool reset);

/* Returns what the place is called in tests. */
const char *ends_rig_name(enum place place);
enum phase ends_rig_phase(enum place place);
bool ends_rig_is_display(enum place place);
/* Returns whether spice-server has got a display channel's INIT. */
bool ends_rig_has_init(const struct ends_rig *rig);
