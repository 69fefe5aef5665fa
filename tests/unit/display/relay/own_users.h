/* SPDX-License-Identifier: MIT */
/* own_users: who may come in where a test asks for passwords, and others who guess. */
#pragma once

#include "display/tickets/tickets.h"

#define OWN_USERS_PASSWORD "right"
#define OWN_USERS_NAME "alice"
#define OWN_USERS_SECRET "wonder"
#define OWN_USERS_VIEWER "bob"
#define OWN_USERS_VIEWER_SECRET "land"

/* From here on a password is asked for. */
void own_users_add(struct tickets *tickets);
/* Lets others guess from there, so that who comes now has to wait. */
void own_users_guess(struct tickets *tickets, const struct peer_address *from);
