/* SPDX-License-Identifier: MIT */
#include "server/desktop/qmp_client.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/desktop/limits.h"

struct qmp_client {
	struct qmp_client_events events;
	int fd;
	unsigned source;
	GString *received;
	bool ready;
	/*
	 * It points to a flag while a handler runs. A handler that destroys the client sets it, and
	 * the reading ends.
	 */
	bool *destroyed;
};

static int connect_unix(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(addr.sun_path))
		return -1;
	memcpy(addr.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool qmp_client_send(struct qmp_client *client, const char *command, const char *arguments, int fd)
{
	g_autofree char *text_line =
		arguments ? g_strdup_printf(
				    "{\"execute\":\"%s\",\"arguments\":%s}\n", command, arguments) :
			    g_strdup_printf("{\"execute\":\"%s\"}\n", command);
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = text_line, .iov_len = strlen(text_line) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	ssize_t n = sendmsg(client->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n == (ssize_t)iov.iov_len;
}

/* Gives NULL when there is no such member, or when it is no object. */
static JsonObject *get_object(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);
	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static const char *get_string(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);
	return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
}

static const char *error_text(JsonObject *object)
{
	JsonObject *error = get_object(object, "error");
	const char *text = error ? get_string(error, "desc") : NULL;
	return text ? text : "no reason given";
}

/* Gives false when the event has no name: QMP knows no such thing. */
static bool handle_event(struct qmp_client *client, JsonObject *object)
{
	const char *name = get_string(object, "event");
	if (name && client->events.event)
		client->events.event(client->events.user, name, get_object(object, "data"));
	return name != NULL;
}

static void handle_answer(struct qmp_client *client, JsonObject *object)
{
	bool failed = json_object_has_member(object, "error");
	if (client->ready) {
		client->events.answer(client->events.user, json_object_get_member(object, "return"),
			failed ? error_text(object) : NULL);
	} else {
		client->ready = true;
		client->events.ready(client->events.user);
	}
}

static bool handle_text_line(struct qmp_client *client, const char *text_line, size_t length)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	if (!json_parser_load_from_data(parser, text_line, (gssize)length, NULL))
		return false;
	JsonNode *root = json_parser_get_root(parser);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root))
		return false;
	JsonObject *object = json_node_get_object(root);
	if (json_object_has_member(object, "QMP"))
		return qmp_client_send(client, "qmp_capabilities", NULL, -1);
	if (json_object_has_member(object, "return") || json_object_has_member(object, "error"))
		handle_answer(client, object);
	else if (json_object_has_member(object, "event"))
		return handle_event(client, object);
	return true;
}

/*
 * Gives false when the conversation is over or a handler destroyed the client, which *destroyed
 * says.
 */
static bool handle_received(struct qmp_client *client, bool *destroyed)
{
	char *end;
	while ((end = memchr(client->received->str, '\n', client->received->len))) {
		size_t length = (size_t)(end - client->received->str);
		g_autofree char *text_line = g_strndup(client->received->str, length);
		g_string_erase(client->received, 0, (gssize)length + 1);
		bool sane = handle_text_line(client, text_line, length);
		if (*destroyed || !sane)
			return false;
	}
	return client->received->len <= QMP_TEXT_LINE_MAX_BYTES;
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer user)
{
	struct qmp_client *client = user;
	char buffer[4096];
	ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	bool destroyed = false;
	/* A handler must not run the main loop: what was received is still being read. */
	g_assert(!client->destroyed);
	client->destroyed = &destroyed;
	if (n > 0) {
		g_string_append_len(client->received, buffer, n);
		if (handle_received(client, &destroyed)) {
			client->destroyed = NULL;
			return G_SOURCE_CONTINUE;
		}
	}
	if (destroyed)
		return G_SOURCE_REMOVE;
	client->destroyed = NULL;
	client->source = 0;
	client->events.closed(client->events.user);
	return G_SOURCE_REMOVE;
}

struct qmp_client *qmp_client_connect(const char *path, const struct qmp_client_events *events)
{
	int fd = connect_unix(path);
	return fd < 0 ? NULL : qmp_client_create(fd, events);
}

struct qmp_client *qmp_client_create(int fd, const struct qmp_client_events *events)
{
	g_assert(fd >= 0 && events->ready && events->answer && events->closed);
	struct qmp_client *client = g_new0(struct qmp_client, 1);
	client->events = *events;
	client->fd = fd;
	client->received = g_string_new(NULL);
	client->source = g_unix_fd_add(fd, G_IO_IN, on_readable, client);
	return client;
}

void qmp_client_destroy(struct qmp_client *client)
{
	if (!client)
		return;
	if (client->destroyed)
		*client->destroyed = true;
	g_clear_handle_id(&client->source, g_source_remove);
	close(client->fd);
	g_string_free(client->received, TRUE);
	g_free(client);
}
