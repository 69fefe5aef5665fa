/* SPDX-License-Identifier: MIT */
/*
 * net_card is the guest's network card: what is behind it, as --net and --forward say, and QEMU's
 * arguments for it. All of it is done with the user's own rights: bridges are QEMU's helper's to
 * allow, a tap device is one that the caller has opened.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/desktop/desktop.h"

/* In QEMU the tap device has this descriptor. */
#define QEMU_TAP_FD 5

enum net_kind { NET_NONE, NET_USER, NET_BRIDGE, NET_TAP };

struct net_card {
	enum net_kind kind;
	char *bridge;
	int tap_fd;          /* the caller's; -1: none */
	GPtrArray *forwards; /* QEMU's words for each, as "tcp:127.0.0.1:2222-:22" */
	char address[18];    /* of Ethernet; "": QEMU's own, which is the same for all */
};

/*
 * Gives false with `error` set for what is no network, and for a descriptor that is no tap device.
 * Finish it in any case.
 */
bool net_card_init(struct net_card *card, const struct desktop *desktop, GError **error);
void net_card_finish(struct net_card *card);

void net_card_add_arguments(const struct net_card *card, GPtrArray *argv);
