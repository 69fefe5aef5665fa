/* SPDX-License-Identifier: MIT */
#include "server/keeper/lock_on_leave.h"

#include <glib.h>

#include "server/keeper/guest_port.h"

void lock_on_leave_init(struct lock_on_leave *lock, struct guest_port *port)
{
	*lock = (struct lock_on_leave){ .port = port };
}

void lock_on_leave_finish(struct lock_on_leave *lock)
{
	g_clear_handle_id(&lock->timer, g_source_remove);
}

static gboolean on_time(gpointer user)
{
	struct lock_on_leave *lock = user;
	lock->timer = 0;
	if (lock->n_users > 0)
		return G_SOURCE_REMOVE;
	if (guest_port_lock(lock->port))
		g_message("the guest is told to lock its session: nobody is there");
	else
		g_warning("the guest's session is not locked though nobody is there: in the guest "
			  "vitrine-guest-recover does not listen");
	return G_SOURCE_REMOVE;
}

static void go(struct lock_on_leave *lock)
{
	if (lock->n_users == 0 && !lock->timer)
		lock->timer = g_timeout_add(LOCK_ON_LEAVE_MS, on_time, lock);
}

void lock_on_leave_note(struct lock_on_leave *lock, const struct keeper_client *client)
{
	if (!lock->port || client->flags & KEEPER_CLIENT_VIEW_ONLY)
		return;
	if (client->what == KEEPER_CLIENT_CAME)
		lock->n_users++;
	if (client->what != KEEPER_CLIENT_LEFT || lock->n_users == 0)
		return;
	lock->n_users--;
	go(lock);
}

void lock_on_leave_all_left(struct lock_on_leave *lock)
{
	bool any = lock->n_users > 0;
	lock->n_users = 0;
	if (any)
		go(lock);
}
