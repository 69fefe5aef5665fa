/* SPDX-License-Identifier: MIT */
#include "guest-tools/clipboard/compositor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

/* Programs ask for none of this name; it tells our own offers from others'. */
#define OWN_MIME "application/x-vitrine-clipboard"

/* The two protocols differ in their names alone. Requests, then events, of each object: */
enum { MANAGER_CREATE_SOURCE, MANAGER_GET_DEVICE };
enum { DEVICE_SET_SELECTION, DEVICE_DESTROY, DEVICE_SET_PRIMARY };
enum { DEVICE_DATA_OFFER, DEVICE_SELECTION, DEVICE_FINISHED, DEVICE_PRIMARY };
enum { SOURCE_OFFER, SOURCE_DESTROY };
enum { SOURCE_SEND, SOURCE_CANCELLED };
enum { OFFER_RECEIVE, OFFER_DESTROY };
enum { OUTPUT_GEOMETRY, OUTPUT_MODE };
#define OUTPUT_MODE_CURRENT 1
/* From here on the compositor numbers its own objects. */
#define SERVER_ID 0xff000000u

static const struct {
	unsigned kind;
	const char *mime;
} mimes[] = {
	{ KIND_TEXT, "text/plain;charset=utf-8" },
	{ KIND_TEXT, "UTF8_STRING" },
	{ KIND_TEXT, "text/plain" },
	{ KIND_TEXT, "STRING" },
	{ KIND_TEXT, "TEXT" },
	{ 2, "image/png" },
	{ 3, "image/bmp" },
	{ 4, "image/tiff" },
	{ 5, "image/jpeg" },
};

static unsigned kind_of(const char *mime)
{
	for (unsigned i = 0; i < ARRAY_LENGTH(mimes); i++)
		if (strcmp(mimes[i].mime, mime) == 0)
			return mimes[i].kind;
	return KIND_NONE;
}

/* ---- offers of programs ---- */

static struct program_offer *find_offer(struct compositor *compositor, uint32_t id)
{
	for (unsigned i = 0; id && i < OFFERS_MAX; i++)
		if (compositor->offers[i].id == id)
			return &compositor->offers[i];
	return NULL;
}

static void drop_offer(struct compositor *compositor, struct program_offer *offer)
{
	if (!offer || !offer->id)
		return;
	wire_send(&compositor->wire, offer->id, OFFER_DESTROY, -1, "");
	for (unsigned i = 0; i < SELECTIONS; i++)
		if (compositor->current[i] == offer->id)
			compositor->current[i] = 0;
	offer->id = 0;
}

static void begin_offer(struct compositor *compositor, uint32_t id)
{
	struct program_offer *offer = &compositor->offers[compositor->next_offer++ % OFFERS_MAX];
	drop_offer(compositor, offer);
	*offer = (struct program_offer){ .id = id };
}

static void add_mime(struct program_offer *offer, const char *mime)
{
	unsigned kind = kind_of(mime);
	if (strcmp(mime, OWN_MIME) == 0)
		offer->is_ours = true;
	/* The first that stands in the table is as good as any, but UTF-8 must be said. */
	if (kind == KIND_NONE || (offer->kinds & 1u << kind && !strchr(mime, '8')))
		return;
	offer->kinds |= 1u << kind;
	text_copy(offer->mimes[kind], sizeof(offer->mimes[kind]), mime);
}

static void select_offer(struct compositor *compositor, enum selection selection, uint32_t id)
{
	struct program_offer *offer = find_offer(compositor, id);
	if (compositor->current[selection] != id)
		drop_offer(compositor, find_offer(compositor, compositor->current[selection]));
	compositor->current[selection] = 0;
	if (offer && offer->is_ours)
		return;
	compositor->current[selection] = id;
	compositor->ops->copied(compositor->user, selection, offer ? offer->kinds : 0);
}

/* ---- events ---- */

static void bind(struct compositor *compositor, uint32_t name, const char *interface,
	uint32_t version, uint32_t *id)
{
	*id = wire_new_id(&compositor->wire);
	wire_send(&compositor->wire, compositor->registry, REGISTRY_BIND, -1, "usuu", name,
		interface, version, *id);
}

static void on_global(struct compositor *compositor, struct wire_event *event)
{
	uint32_t name = wire_number(event);
	const char *interface = wire_text(event);
	uint32_t version = wire_number(event);
	bool is_ext = strcmp(interface, "ext_data_control_manager_v1") == 0;
	if (strcmp(interface, "wl_seat") == 0 && !compositor->seat) {
		bind(compositor, name, interface, 1, &compositor->seat);
	} else if (strcmp(interface, "wl_output") == 0 && !compositor->output) {
		bind(compositor, name, interface, 1, &compositor->output);
	} else if (is_ext || (strcmp(interface, "zwlr_data_control_manager_v1") == 0 &&
				     !compositor->manager)) {
		compositor->is_ext = is_ext;
		compositor->manager_version = version < 2 ? version : 2;
		bind(compositor, name, interface, is_ext ? 1 : compositor->manager_version,
			&compositor->manager);
	}
}

static void on_device(struct compositor *compositor, struct wire_event *event)
{
	uint32_t id = wire_number(event);
	switch (event->opcode) {
	case DEVICE_DATA_OFFER:
		begin_offer(compositor, id);
		break;
	case DEVICE_SELECTION:
		select_offer(compositor, SELECTION_CLIPBOARD, id);
		break;
	case DEVICE_PRIMARY:
		select_offer(compositor, SELECTION_PRIMARY, id);
		break;
	default:
		break;
	}
}

static void on_source(
	struct compositor *compositor, enum selection selection, struct wire_event *event)
{
	if (event->opcode == SOURCE_SEND) {
		unsigned kind = kind_of(wire_text(event));
		int fd = wire_take_fd(&compositor->wire);
		if (fd >= 0 && kind != KIND_NONE)
			compositor->ops->pastes(compositor->user, selection, kind, fd);
		else if (fd >= 0)
			close(fd);
	} else {
		wire_send(
			&compositor->wire, compositor->sources[selection], SOURCE_DESTROY, -1, "");
		compositor->sources[selection] = 0;
	}
}

/*
 * A source that was replaced meanwhile is asked for nothing any more. It is there, in the
 * compositor, until it is destroyed: a client copies as often as it likes. Objects from SERVER_ID
 * on are offers.
 */
static void on_old_source(struct compositor *compositor, const struct wire_event *event)
{
	if (event->object >= SERVER_ID)
		return;
	if (event->opcode == SOURCE_SEND) {
		int fd = event->left_bytes > 4 ? wire_take_fd(&compositor->wire) : -1;
		if (fd >= 0)
			close(fd);
	} else {
		wire_send(&compositor->wire, event->object, SOURCE_DESTROY, -1, "");
	}
}

static void on_output(struct compositor *compositor, struct wire_event *event)
{
	if (event->opcode != OUTPUT_MODE || !(wire_number(event) & OUTPUT_MODE_CURRENT))
		return;
	uint32_t width = wire_number(event);
	compositor->ops->resized(compositor->user, width, wire_number(event));
}

/* Gives false when the compositor says that we have made a mistake. */
static bool on_event(struct compositor *compositor, struct wire_event *event)
{
	struct program_offer *offer = find_offer(compositor, event->object);
	if (event->object == DISPLAY_ID)
		return event->opcode != DISPLAY_ERROR;
	if (event->object == compositor->registry && event->opcode == REGISTRY_GLOBAL)
		on_global(compositor, event);
	else if (event->object == compositor->barrier)
		compositor->barrier = 0;
	else if (event->object == compositor->device)
		on_device(compositor, event);
	else if (event->object == compositor->output)
		on_output(compositor, event);
	else if (offer)
		add_mime(offer, wire_text(event));
	else if (event->object == compositor->sources[SELECTION_CLIPBOARD])
		on_source(compositor, SELECTION_CLIPBOARD, event);
	else if (event->object == compositor->sources[SELECTION_PRIMARY])
		on_source(compositor, SELECTION_PRIMARY, event);
	else if (event->object > compositor->device && compositor->device)
		on_old_source(compositor, event);
	return true;
}

bool compositor_handle(struct compositor *compositor)
{
	struct wire_event event;
	size_t at = 0;
	bool good = wire_read(&compositor->wire);
	while (good && wire_next(&compositor->wire, &at, &event))
		good = on_event(compositor, &event);
	wire_done(&compositor->wire, at);
	return good;
}

/* ---- the owner's ---- */

const char *compositor_open(
	struct compositor *compositor, const struct compositor_ops *ops, void *user)
{
	memset(compositor, 0, sizeof(*compositor));
	compositor->ops = ops;
	compositor->user = user;
	struct wire *wire = &compositor->wire;
	if (!wire_connect(wire, NULL))
		return strerror(errno);
	compositor->registry = wire_new_id(wire);
	compositor->barrier = wire_new_id(wire);
	wire_send(wire, DISPLAY_ID, DISPLAY_GET_REGISTRY, -1, "u", compositor->registry);
	wire_send(wire, DISPLAY_ID, DISPLAY_SYNC, -1, "u", compositor->barrier);
	while (compositor->barrier) {
		struct pollfd wait = { wire->fd, POLLIN, 0 };
		if (poll(&wait, 1, 5000) <= 0 || !compositor_handle(compositor))
			return "it does not answer";
	}
	if (!compositor->manager)
		return "it has neither ext-data-control-v1 nor wlr-data-control, by which programs "
		       "without a window see the clipboard";
	if (!compositor->seat)
		return "it has no seat";
	compositor->device = wire_new_id(wire);
	wire_send(wire, compositor->manager, MANAGER_GET_DEVICE, -1, "uu", compositor->device,
		compositor->seat);
	return NULL;
}

bool compositor_offer(struct compositor *compositor, enum selection selection, unsigned kinds)
{
	struct wire *wire = &compositor->wire;
	unsigned set = selection == SELECTION_PRIMARY ? DEVICE_SET_PRIMARY : DEVICE_SET_SELECTION;
	uint32_t source = 0;
	if (set == DEVICE_SET_PRIMARY && !compositor->is_ext && compositor->manager_version < 2)
		return true;
	if (!kinds && !compositor->sources[selection])
		return true;
	if (kinds) {
		source = wire_new_id(wire);
		wire_send(wire, compositor->manager, MANAGER_CREATE_SOURCE, -1, "u", source);
		for (unsigned i = 0; i < ARRAY_LENGTH(mimes); i++)
			if (kinds & 1u << mimes[i].kind)
				wire_send(wire, source, SOURCE_OFFER, -1, "s", mimes[i].mime);
		wire_send(wire, source, SOURCE_OFFER, -1, "s", OWN_MIME);
	}
	compositor->sources[selection] = source;
	return wire_send(wire, compositor->device, set, -1, "u", source);
}

int compositor_paste(struct compositor *compositor, enum selection selection, unsigned kind)
{
	struct program_offer *offer = find_offer(compositor, compositor->current[selection]);
	int ends[2];
	if (!offer || kind >= KINDS || !(offer->kinds & 1u << kind) || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	wire_send(&compositor->wire, offer->id, OFFER_RECEIVE, ends[1], "s", offer->mimes[kind]);
	close(ends[1]);
	/* The program's end may wait. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return ends[0];
}
