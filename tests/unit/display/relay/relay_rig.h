/* SPDX-License-Identifier: MIT */
/*
 * relay_rig: is a real relay whose client and spice-server the test plays. It has a main channel
 * open, whose session is SPICE_WORDS_SESSION, so that others can join that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "display/relay/relay.h"

/* What either side waits for comes within this time. */
#define RELAY_RIG_LONG_S 10

struct relay_rig {
	struct line *line;
	struct tickets *tickets; /* nobody is asked for a password */
	struct relay *relay;
	struct connection_guest guest; /* who arrived last; its fd is -1: nobody yet */
	ino_t guest_inode;             /* of a local guest's own socket */
	uint8_t channel_id;            /* that clients name */
	int main_client, main_server;  /* -1: none */
	bool silent;                   /* spice-server does not say what it can do */
	unsigned n_asked;              /* how often it was asked */
};

void relay_rig_start(struct relay_rig *rig);
void relay_rig_stop(struct relay_rig *rig);

/* Connects a client and returns its socket, which blocks and is the caller's. */
int relay_rig_connect(struct relay_rig *rig, enum keeper_listener_kind kind);
/* Waits for the next guest. Returns spice-server's end, which blocks and is the caller's. */
int relay_rig_await_guest(struct relay_rig *rig);

/* Play spice-server until it has let the relay in; the answer says so, too. */
void relay_rig_hear_link(int server);
void relay_rig_let_in(int server, bool mini);
/* How many bytes the client hears as the answer to its link message. */
size_t relay_rig_answer_bytes(void);

/* Has the relay ask spice-server for a type of channel, so that nobody has to wait for that later.
 */
void relay_rig_learn(struct relay_rig *rig, uint8_t channel);

/* Plays a client on a socket that blocks, until it is let in. */
void relay_rig_log_in(struct relay_rig *rig, int client, uint8_t channel, bool mini);
