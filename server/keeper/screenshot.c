/* SPDX-License-Identifier: MIT */
#include "server/keeper/screenshot.h"

#include <unistd.h>

#include "common/fd.h"
#include "protocol/frame_link.h"

/* Display answers sooner; one that is replaced meanwhile does not. */
#define SCREENSHOT_TIMEOUT_MS (SCREENSHOT_ANSWER_MS - 1000)

void screenshot_init(struct screenshot *screenshot, struct viewer *viewer)
{
	*screenshot = SCREENSHOT_NONE;
	screenshot->viewer = viewer;
}

void screenshot_finish(struct screenshot *screenshot)
{
	g_clear_handle_id(&screenshot->timer, g_source_remove);
	fd_close(&screenshot->asker);
}

static void answer(int asker, const struct keeper_screenshot_taken *taken, int fd)
{
	struct screenshot_answer m = { .header.type = SCREENSHOT_MESSAGE_ANSWER,
		.result = taken->result,
		.width = taken->width,
		.height = taken->height };
	int result = link_send(asker, &m, sizeof(m), &fd, fd >= 0 ? 1 : 0);
	if (result < 0)
		g_debug("screenshot: the asker was not answered: %s", g_strerror(-result));
	close(asker);
}

static void refuse(int asker, enum screenshot_result result)
{
	answer(asker, &(struct keeper_screenshot_taken){ .result = result }, -1);
}

static gboolean on_timeout(gpointer user)
{
	struct screenshot *screenshot = user;
	screenshot->timer = 0;
	refuse(screenshot->asker, SCREENSHOT_NO_PICTURE);
	screenshot->asker = -1;
	return G_SOURCE_REMOVE;
}

void screenshot_ask(
	struct screenshot *screenshot, const struct screenshot_request *request, int asker)
{
	if (asker < 0)
		return;
	if (screenshot->asker >= 0)
		refuse(asker, SCREENSHOT_BUSY);
	else if (request->head >= FRAME_HEADS_MAX)
		refuse(asker, SCREENSHOT_NO_HEAD);
	else if (!viewer_ask_screenshot(screenshot->viewer, request->head))
		refuse(asker, SCREENSHOT_NO_PICTURE);
	else {
		screenshot->asker = asker;
		screenshot->timer = g_timeout_add(SCREENSHOT_TIMEOUT_MS, on_timeout, screenshot);
	}
}

/* A late answer to one who has gone is nobody's. Display may be taken over, and say anything. */
void screenshot_taken(
	struct screenshot *screenshot, const struct keeper_screenshot_taken *taken, int fd)
{
	if (screenshot->asker < 0)
		return;
	g_clear_handle_id(&screenshot->timer, g_source_remove);
	if (taken->result >= SCREENSHOT_RESULTS || (taken->result == SCREENSHOT_TAKEN) != (fd >= 0))
		refuse(screenshot->asker, SCREENSHOT_NO_PICTURE);
	else
		answer(screenshot->asker, taken, fd);
	screenshot->asker = -1;
}
