/* SPDX-License-Identifier: MIT */
#include "guest-tools/resize/wlr_heads.h"

#include "guest-tools/common/text.h"

/* Events of zwlr_output_head_v1 and zwlr_output_mode_v1, by their numbers. */
enum {
	HEAD_NAME = 0,
	HEAD_MODE = 3,
	HEAD_ENABLED = 4,
	HEAD_CURRENT_MODE = 5,
	HEAD_POSITION = 6,
	HEAD_TRANSFORM = 7,
	HEAD_SCALE = 8,
	HEAD_FINISHED = 9,
};
enum { MODE_SIZE = 0, MODE_REFRESH = 1, MODE_FINISHED = 3 };

void wlr_heads_add(struct wlr_heads *heads, uint32_t id)
{
	if (heads->n_heads < HEADS_MAX)
		heads->heads[heads->n_heads++] = (struct wlr_head){ .id = id, .scale = 256 };
}

static void remove_mode(struct wlr_heads *heads, struct wlr_mode *mode)
{
	*mode = heads->modes[--heads->n_modes];
}

static void remove_head(struct wlr_heads *heads, struct wlr_head *head)
{
	for (unsigned i = heads->n_modes; i-- > 0;)
		if (heads->modes[i].head == head->id)
			remove_mode(heads, &heads->modes[i]);
	*head = heads->heads[--heads->n_heads];
}

static void take_head(struct wlr_heads *heads, struct wlr_head *head, struct wire_event *event)
{
	switch (event->opcode) {
	case HEAD_NAME:
		text_copy(head->name, sizeof head->name, wire_text(event));
		break;
	case HEAD_MODE:
		if (heads->n_modes < MODES_MAX)
			heads->modes[heads->n_modes++] =
				(struct wlr_mode){ .id = wire_number(event), .head = head->id };
		break;
	case HEAD_ENABLED:
		head->enabled = wire_number(event) != 0;
		break;
	case HEAD_CURRENT_MODE:
		head->current = wire_number(event);
		head->made = false;
		break;
	case HEAD_POSITION:
		head->x = (int32_t)wire_number(event);
		head->y = (int32_t)wire_number(event);
		break;
	case HEAD_TRANSFORM:
		head->transform = (int32_t)wire_number(event);
		break;
	case HEAD_SCALE:
		head->scale = wire_number(event);
		break;
	case HEAD_FINISHED:
		remove_head(heads, head);
		break;
	}
}

static void take_mode(struct wlr_heads *heads, struct wlr_mode *mode, struct wire_event *event)
{
	switch (event->opcode) {
	case MODE_SIZE:
		mode->mode.width = wire_number(event);
		mode->mode.height = wire_number(event);
		break;
	case MODE_REFRESH:
		mode->mode.refresh_mhz = wire_number(event);
		break;
	case MODE_FINISHED:
		remove_mode(heads, mode);
		break;
	}
}

bool wlr_heads_take(struct wlr_heads *heads, struct wire_event *event)
{
	for (unsigned i = 0; i < heads->n_heads; i++)
		if (heads->heads[i].id == event->object) {
			take_head(heads, &heads->heads[i], event);
			return true;
		}
	for (unsigned i = 0; i < heads->n_modes; i++)
		if (heads->modes[i].id == event->object) {
			take_mode(heads, &heads->modes[i], event);
			return true;
		}
	return false;
}

const struct wlr_mode *wlr_heads_current(const struct wlr_heads *heads, const struct wlr_head *head)
{
	for (unsigned i = 0; i < heads->n_modes; i++)
		if (heads->modes[i].id == head->current)
			return &heads->modes[i];
	return NULL;
}

const struct wlr_mode *wlr_heads_find(
	const struct wlr_heads *heads, const struct wlr_head *head, const struct resize_mode *wish)
{
	for (unsigned i = 0; i < heads->n_modes; i++)
		if (heads->modes[i].head == head->id && wish_is_same(&heads->modes[i].mode, wish))
			return &heads->modes[i];
	return NULL;
}
