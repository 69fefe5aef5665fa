/* SPDX-License-Identifier: MIT */
#include "server/keeper/late_device.h"

#include <glib.h>

#include "protocol/flight_events.h"
#include "server/keeper/limits.h"

static const char words[] = "QEMU has not started the guest's GPU: see the host's log";
G_STATIC_ASSERT(sizeof(words) <= KEEPER_ENDS_TEXT_BYTES);

static gboolean on_late(gpointer user)
{
	struct late_device *late = user;
	late->source = 0;
	late->is_told = true;
	flight_note(FLIGHT_DEVICE_LATE, DEVICE_LATE_MS, 0, 0);
	g_warning("the guest's driver wants its GPU, and QEMU has not started it for %d s: what "
		  "QEMU lacks is in its log; reset the guest when it has it",
		DEVICE_LATE_MS / 1000);
	viewer_say(late->viewer, words);
	ticket_socket_tell(late->tickets, TICKET_EVENT_DEVICE_LATE, words);
	return G_SOURCE_REMOVE;
}

void late_device_init(
	struct late_device *late, struct viewer *viewer, struct ticket_socket *tickets)
{
	*late = (struct late_device){ .viewer = viewer, .tickets = tickets };
}

void late_device_asked(struct late_device *late)
{
	if (!late->is_up && !late->is_told && !late->source)
		late->source = g_timeout_add(DEVICE_LATE_MS, on_late, late);
}

void late_device_set_up(struct late_device *late, bool is_up)
{
	late->is_up = is_up;
	if (!is_up)
		return;
	g_clear_handle_id(&late->source, g_source_remove);
	if (late->is_told)
		viewer_say(late->viewer, "");
	late->is_told = false;
}

void late_device_finish(struct late_device *late)
{
	g_clear_handle_id(&late->source, g_source_remove);
}
