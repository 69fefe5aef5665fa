/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "common/shm.h"
#include "display/display_parts.h"
#include "protocol/screenshot_request.h"

/* A renderer that is asked for a picture sends it within a frame's time, unless it is replaced. */
#define SHOT_TIMEOUT_MS 3000

static void answer(struct display *display, struct keeper_screenshot_taken *taken, int fd)
{
	g_clear_handle_id(&display->shot.timer, g_source_remove);
	keeper_end_say_screenshot(display->keeper, taken, fd);
	display_want_rates(display);
}

static void refuse(struct display *display, enum screenshot_result result)
{
	struct keeper_screenshot_taken taken = { .result = result };
	answer(display, &taken, -1);
}

static gboolean on_late(gpointer user)
{
	struct display *display = user;
	display->shot.timer = 0;
	refuse(display, SCREENSHOT_NO_PICTURE);
	return G_SOURCE_REMOVE;
}

void display_take_shot(void *user, uint32_t head)
{
	struct display *display = user;
	if (display->shot.timer)
		refuse(display, SCREENSHOT_BUSY);
	else if (head >= FRAME_HEADS_MAX || !screens_is_on(display->screens, head))
		refuse(display, SCREENSHOT_NO_HEAD);
	else if (dmabuf_door_uses_dmabufs(display->door))
		refuse(display, SCREENSHOT_ON_GPU);
	else if (!display->frames)
		refuse(display, SCREENSHOT_NO_PICTURE);
	else {
		display->shot = (struct display_shot){
			.timer = g_timeout_add(SHOT_TIMEOUT_MS, on_late, display), .head = head
		};
		display_want_rates(display);
		frame_receiver_want_again(display->frames, head);
	}
}

bool display_wants_shot(const struct display *display, unsigned head)
{
	return display->shot.timer && display->shot.head == head;
}

/* Rows are copied without their padding. Returns a descriptor, or -errno. */
static int copy(const struct frame *frame, size_t size_bytes)
{
	size_t row_bytes = (size_t)frame->width * 4;
	int fd = shm_create("vitrine-screenshot", size_bytes);
	uint8_t *to = fd >= 0 ? shm_map(fd, size_bytes, true) : NULL;
	if (!to) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	for (uint32_t y = 0; y < frame->height; y++)
		memcpy(to + y * row_bytes, frame->pixels + (size_t)y * frame->stride_bytes,
			row_bytes);
	shm_unmap(to, size_bytes);
	return fd;
}

void display_shoot(struct display *display, const struct frame *frame)
{
	uint64_t size_bytes = (uint64_t)frame->width * frame->height * 4;
	if (!display_wants_shot(display, frame->head) || !frame->pixels)
		return;
	if (size_bytes == 0 || size_bytes > SCREENSHOT_BYTES_MAX) {
		refuse(display, SCREENSHOT_TOO_LARGE);
		return;
	}
	int fd = copy(frame, size_bytes);
	struct keeper_screenshot_taken taken = {
		.result = fd >= 0 ? SCREENSHOT_TAKEN : SCREENSHOT_NO_PICTURE,
		.width = frame->width,
		.height = frame->height,
	};
	answer(display, &taken, fd);
	if (fd >= 0)
		close(fd);
}

void display_drop_shot(struct display *display)
{
	g_clear_handle_id(&display->shot.timer, g_source_remove);
}
