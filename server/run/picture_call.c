/* SPDX-License-Identifier: MIT */
#include "server/run/picture_call.h"

#include <glib-unix.h>
#include <unistd.h>

#include "common/listen.h"

#define PICTURE_CONNECT_MS 1000

struct picture_call {
	picture_call_done done;
	void *user;
	int fd;
	unsigned timer, source;
};

static void finish(
	struct picture_call *call, const char *why, const struct screenshot_answer *answer, int fd)
{
	g_clear_handle_id(&call->timer, g_source_remove);
	g_clear_handle_id(&call->source, g_source_remove);
	call->done(call->user, why, answer, fd);
	if (call->fd >= 0)
		close(call->fd);
	g_free(call);
}

static const char *describe(uint32_t result)
{
	static const char *const reasons[SCREENSHOT_RESULTS] = {
		[SCREENSHOT_NO_HEAD] = "the guest has no such monitor on",
		[SCREENSHOT_NO_PICTURE] = "no picture came in time",
		[SCREENSHOT_BUSY] = "another one is being taken",
		[SCREENSHOT_ON_GPU] = "its pictures go to a local client as they lie on the GPU",
		[SCREENSHOT_TOO_LARGE] = "it is too large",
	};
	return result < SCREENSHOT_RESULTS && reasons[result] ? reasons[result] :
								"the answer is not understood";
}

struct picture_hearing {
	struct picture_call *call; /* NULL: it is finished */
};

static bool on_answer(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct picture_hearing *hearing = user;
	const struct screenshot_answer *answer = message;
	struct picture_call *call = hearing->call;
	bool taken = answer->result == SCREENSHOT_TAKEN && n_fds == 1;
	hearing->call = NULL;
	finish(call, taken ? NULL : describe(answer->result), answer, taken ? fds[0] : -1);
	return true;
}

static const struct link_handler table[] = {
	{ SCREENSHOT_MESSAGE_ANSWER, "SCREENSHOT", sizeof(struct screenshot_answer), 0, 1,
		on_answer },
};

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user)
{
	struct picture_hearing hearing = { user };
	int result = link_dispatch(fd, "vitrine-gpu", table, G_N_ELEMENTS(table), &hearing);
	if (hearing.call && result == 0)
		return G_SOURCE_CONTINUE;
	if (hearing.call)
		finish(hearing.call, "the desktop does not answer", NULL, -1);
	return G_SOURCE_REMOVE;
}

static gboolean on_late(gpointer user)
{
	struct picture_call *call = user;
	call->timer = 0;
	finish(call, "the desktop does not answer", NULL, -1);
	return G_SOURCE_REMOVE;
}

void picture_call_start(const char *path, uint32_t head, picture_call_done done, void *user)
{
	struct picture_call *call = g_new0(struct picture_call, 1);
	struct screenshot_request request = { .header.type = SCREENSHOT_MESSAGE_REQUEST,
		.head = head };
	call->done = done;
	call->user = user;
	call->fd = listen_connect_packets(path, PICTURE_CONNECT_MS, NULL);
	if (call->fd < 0 || link_send(call->fd, &request, sizeof(request), NULL, 0) < 0) {
		finish(call, "the desktop does not answer", NULL, -1);
		return;
	}
	call->source = g_unix_fd_add(call->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, call);
	call->timer = g_timeout_add(SCREENSHOT_ANSWER_MS, on_late, call);
}
