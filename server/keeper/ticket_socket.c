/* SPDX-License-Identifier: MIT */
#include "server/keeper/ticket_socket.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/listen.h"
#include "server/keeper/limits.h"

struct asker {
	struct ticket_socket *board;
	int fd;
	guint source, timer;
	bool follows;
};

static void asker_free(gpointer data)
{
	struct asker *asker = data;
	asker->board->n_followers -= asker->follows;
	g_clear_handle_id(&asker->source, g_source_remove);
	g_clear_handle_id(&asker->timer, g_source_remove);
	close(asker->fd);
	g_free(asker);
}

static bool is_understood(const struct ticket_request *request)
{
	return request->version == TICKET_REQUEST_VERSION &&
	       (request->flags & ~(KEEPER_TICKET_VIEW_ONLY | TICKET_FOLLOW | TICKET_NONE)) == 0 &&
	       (request->flags & (TICKET_FOLLOW | TICKET_NONE)) != TICKET_NONE &&
	       request->use_within_s > 0 && request->use_within_s <= TICKET_WITHIN_MAX_S;
}

/* Returns false when there are too many who do. */
static bool let_follow(struct asker *asker)
{
	if (asker->follows)
		return true;
	if (asker->board->n_followers == TICKET_FOLLOWERS_MAX)
		return false;
	asker->follows = true;
	asker->board->n_followers++;
	g_clear_handle_id(&asker->timer, g_source_remove);
	return true;
}

static void judge(
	struct asker *asker, const struct ticket_request *request, struct ticket_answer *answer)
{
	struct ticket_request plain = *request;
	plain.flags &= ~TICKET_FOLLOW;
	if (!is_understood(request))
		answer->result = TICKET_NOT_UNDERSTOOD;
	else if (request->flags & TICKET_FOLLOW && !let_follow(asker))
		answer->result = TICKET_TOO_MANY_FOLLOW;
	else if (request->flags & TICKET_NONE)
		answer->result = TICKET_NOT_WANTED;
	else
		asker->board->give(asker->board->user, &plain, answer);
}

static bool on_request(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct asker *asker = user;
	const struct ticket_request *request = message;
	struct ticket_answer answer = { .header.type = TICKET_MESSAGE_ANSWER,
		.version = TICKET_REQUEST_VERSION };
	judge(asker, request, &answer);
	int result = link_send(asker->fd, &answer, sizeof(answer), NULL, 0);
	explicit_bzero(&answer, sizeof(answer));
	if (result < 0)
		g_debug("tickets: an asker was not answered: %s", g_strerror(-result));
	return true;
}

static bool on_upgrade(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct asker *asker = user;
	asker->board->upgrade(asker->board->user, message, fcntl(asker->fd, F_DUPFD_CLOEXEC, 0));
	return true;
}

static bool on_screenshot(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct asker *asker = user;
	asker->board->screenshot(asker->board->user, message, fcntl(asker->fd, F_DUPFD_CLOEXEC, 0));
	return true;
}

static bool on_hand_over(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct asker *asker = user;
	struct ticket_hand_over m = *(const struct ticket_hand_over *)message;
	m.client[sizeof(m.client) - 1] = '\0';
	if (asker->follows && asker->board->hand_over)
		asker->board->hand_over(asker->board->user, m.client);
	return asker->follows;
}

static const struct link_handler table[] = {
	{ TICKET_MESSAGE_HAND_OVER, "HAND_OVER", sizeof(struct ticket_hand_over), 0, 0,
		on_hand_over },
	{ SCREENSHOT_MESSAGE_REQUEST, "SCREENSHOT", sizeof(struct screenshot_request), 0, 0,
		on_screenshot },
	{ UPGRADE_MESSAGE_REQUEST, "UPGRADE", sizeof(struct upgrade_request), 0, 0, on_upgrade },
	{ TICKET_MESSAGE_REQUEST, "REQUEST", sizeof(struct ticket_request), 0, 0, on_request },
};

static gboolean on_asker(gint fd, GIOCondition condition, gpointer user)
{
	struct asker *asker = user;
	int result = link_dispatch(fd, "ticket asker", table, G_N_ELEMENTS(table), asker);
	if (result == 0 || (result > 0 && asker->follows))
		return G_SOURCE_CONTINUE;
	asker->source = 0;
	g_ptr_array_remove(asker->board->askers, asker);
	return G_SOURCE_REMOVE;
}

static gboolean on_silence(gpointer user)
{
	struct asker *asker = user;
	asker->timer = 0;
	g_ptr_array_remove(asker->board->askers, asker);
	return G_SOURCE_REMOVE;
}

static gboolean on_connect(gint listener, GIOCondition condition, gpointer user)
{
	struct ticket_socket *board = user;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return G_SOURCE_CONTINUE;
	if (board->askers->len - board->n_followers == TICKET_ASKERS_MAX) {
		close(fd);
		return G_SOURCE_CONTINUE;
	}
	struct asker *asker = g_new0(struct asker, 1);
	*asker = (struct asker){ .board = board, .fd = fd };
	asker->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_asker, asker);
	asker->timer = g_timeout_add(TICKET_ASKER_TIMEOUT_MS, on_silence, asker);
	g_ptr_array_add(board->askers, asker);
	return G_SOURCE_CONTINUE;
}

bool ticket_socket_listen(struct ticket_socket *board, const char *path,
	void (*give)(
		void *user, const struct ticket_request *request, struct ticket_answer *answer),
	void (*upgrade)(void *user, const struct upgrade_request *request, int fd),
	void (*screenshot)(void *user, const struct screenshot_request *request, int fd),
	void *user, GError **error)
{
	g_assert(give && upgrade && screenshot && board->listener < 0);
	board->listener = listen_unix_packets(path, error);
	if (board->listener < 0)
		return false;
	board->path = g_strdup(path);
	board->give = give;
	board->upgrade = upgrade;
	board->screenshot = screenshot;
	board->user = user;
	board->askers = g_ptr_array_new_with_free_func(asker_free);
	board->source = g_unix_fd_add(board->listener, G_IO_IN, on_connect, board);
	return true;
}

void ticket_socket_tell(struct ticket_socket *board, enum ticket_event_kind kind, const char *text)
{
	struct ticket_event event = { .header.type = TICKET_MESSAGE_EVENT, .kind = kind };
	g_strlcpy(event.text, text ? text : "", sizeof(event.text));
	for (guint i = board->askers ? board->askers->len : 0; i-- > 0;) {
		struct asker *asker = g_ptr_array_index(board->askers, i);
		/* It may be the one whose request is being answered, so it goes by its own source.
		 */
		if (asker->follows && link_send(asker->fd, &event, sizeof(event), NULL, 0) < 0)
			shutdown(asker->fd, SHUT_RDWR);
	}
}

void ticket_socket_tell_client(struct ticket_socket *board, const struct keeper_client *client)
{
	static const enum ticket_event_kind kinds[] = {
		[KEEPER_CLIENT_LEFT] = TICKET_EVENT_CLIENT_LEFT,
		[KEEPER_CLIENT_CAME] = TICKET_EVENT_CLIENT_CAME,
		[KEEPER_CLIENT_REFUSED] = TICKET_EVENT_CLIENT_REFUSED,
		[KEEPER_CLIENT_DRIVES] = TICKET_EVENT_CLIENT_DRIVES,
		[KEEPER_CLIENT_NOT_THERE] = TICKET_EVENT_CLIENT_NOT_THERE,
	};
	g_assert(client->what < G_N_ELEMENTS(kinds));
	ticket_socket_tell(board, kinds[client->what], client->text);
}

void ticket_socket_finish(struct ticket_socket *board)
{
	g_clear_handle_id(&board->source, g_source_remove);
	g_clear_pointer(&board->askers, g_ptr_array_unref);
	if (board->path)
		unlink(board->path);
	g_clear_pointer(&board->path, g_free);
	fd_close(&board->listener);
}
