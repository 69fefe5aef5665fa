/* SPDX-License-Identifier: MIT */
#include "server/keeper/qmp.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/desktop/qmp_client.h"

#define RETRY_MS 200
#define FD_NAME "vitrine-display"

enum qmp_step { STEP_IDLE, STEP_GETFD, STEP_ADD_CLIENT };

struct qmp_broker {
	struct qmp_broker_events events;

	struct qmp_client *client;
	bool ready;
	bool wanted; /* a request is open */
	enum qmp_step step;
	int ours; /* our end of the pair that is being handed over */
	unsigned timer;
};

static void proceed(struct qmp_broker *broker);

static void drop_pair(struct qmp_broker *broker)
{
	if (broker->ours >= 0)
		close(broker->ours);
	broker->ours = -1;
	broker->step = STEP_IDLE;
}

static gboolean on_timer(gpointer user)
{
	struct qmp_broker *broker = user;
	broker->timer = 0;
	proceed(broker);
	return G_SOURCE_REMOVE;
}

static void retry_later(struct qmp_broker *broker)
{
	if (!broker->timer)
		broker->timer = g_timeout_add(RETRY_MS, on_timer, broker);
}

static void on_closed(void *user)
{
	struct qmp_broker *broker = user;
	qmp_client_destroy(broker->client);
	broker->client = NULL;
	broker->ready = false;
	drop_pair(broker);
	if (broker->wanted)
		retry_later(broker);
}

static void on_ready(void *user)
{
	struct qmp_broker *broker = user;
	broker->ready = true;
	proceed(broker);
}

static void on_answer(void *user, JsonNode *result, const char *error)
{
	struct qmp_broker *broker = user;
	if (error) {
		g_warning("QEMU gives no D-Bus display: %s; no keyboard, no pointer", error);
		broker->wanted = false;
		drop_pair(broker);
	} else if (broker->step == STEP_GETFD) {
		broker->step = STEP_ADD_CLIENT;
		if (!qmp_client_send(broker->client, "add_client",
			    "{\"protocol\":\"@dbus-display\",\"fdname\":\"" FD_NAME "\"}", -1))
			on_closed(broker);
	} else if (broker->step == STEP_ADD_CLIENT) {
		g_debug("QEMU's D-Bus display is connected");
		broker->wanted = false;
		broker->events.connected(broker->events.user, broker->ours);
		drop_pair(broker);
	}
}

static void on_event(void *user, const char *name, JsonObject *data)
{
	struct qmp_broker *broker = user;
	if (!data)
		return;
	const char *id = json_object_get_string_member_with_default(data, "id", NULL);
	const char *reason = json_object_get_string_member_with_default(data, "reason", "");
	if (strcmp(name, "VSERPORT_CHANGE") == 0 && id && broker->events.port_changed)
		broker->events.port_changed(broker->events.user, id,
			json_object_get_boolean_member_with_default(data, "open", FALSE));
	else if (strcmp(name, "SHUTDOWN") == 0)
		broker->events.shutdown(
			broker->events.user, g_strcmp0(reason, "guest-shutdown") == 0);
}

static void send_pair(struct qmp_broker *broker)
{
	g_assert(broker->step == STEP_IDLE && broker->ours < 0);
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
		g_warning("cannot make a socket pair for QEMU's D-Bus display: %s",
			g_strerror(errno));
		retry_later(broker);
		return;
	}
	broker->ours = fds[0];
	broker->step = STEP_GETFD;
	bool sent =
		qmp_client_send(broker->client, "getfd", "{\"fdname\":\"" FD_NAME "\"}", fds[1]);
	close(fds[1]);
	if (!sent)
		on_closed(broker);
}

static void proceed(struct qmp_broker *broker)
{
	static const struct qmp_client_events events = {
		.ready = on_ready,
		.answer = on_answer,
		.event = on_event,
		.closed = on_closed,
	};
	if (!broker->wanted || broker->step != STEP_IDLE)
		return;
	if (!broker->client) {
		struct qmp_client_events own = events;
		own.user = broker;
		int fd = broker->events.connect(broker->events.user);
		if (fd >= 0)
			broker->client = qmp_client_create(fd, &own);
		else
			retry_later(broker);
	} else if (broker->ready) {
		send_pair(broker);
	}
}

struct qmp_broker *qmp_broker_create(const struct qmp_broker_events *events)
{
	struct qmp_broker *broker = g_new0(struct qmp_broker, 1);
	broker->events = *events;
	broker->ours = -1;
	return broker;
}

void qmp_broker_destroy(struct qmp_broker *broker)
{
	if (!broker)
		return;
	g_clear_handle_id(&broker->timer, g_source_remove);
	qmp_client_destroy(broker->client);
	drop_pair(broker);
	g_free(broker);
}

void qmp_broker_request(struct qmp_broker *broker)
{
	broker->wanted = true;
	proceed(broker);
}
