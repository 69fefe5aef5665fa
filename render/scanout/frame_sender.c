/* SPDX-License-Identifier: MIT */
#include "render/scanout/frame_sender.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>

#include "common/fd.h"
struct outstanding {
	uint64_t serial;
	struct buffer *buffer;
	uint32_t buffer_id;
};

struct sent_head {
	bool on, told_on;
	struct frame_head_on wanted, told;
	uint32_t rate_mhz;
	unsigned n_formats;
	struct frame_format formats[FRAME_FORMATS_MAX];
	uint64_t serial;
	unsigned n_outstanding;
	struct outstanding outstanding[FRAME_SENDER_OUTSTANDING_MAX];
};

struct frame_sender {
	const struct frame_sender_listener *listener;
	void *user;
	int fd;
	bool hello_sent, hello_received;
	bool full;
	uint32_t next_id;
	GHashTable *announced; /* id -> struct buffer*, not referenced: on_destroy takes it out */
	GArray *removed;       /* ids that display is still to be told of */
	struct sent_head heads[FRAME_HEADS_MAX];
};

struct frame_sender *frame_sender_create(const struct frame_sender_listener *listener, void *user)
{
	struct frame_sender *link = g_new0(struct frame_sender, 1);
	link->listener = listener;
	link->user = user;
	link->fd = -1;
	link->announced = g_hash_table_new(NULL, NULL);
	link->removed = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	return link;
}

/* ---- locks and announcements ---- */

/*
 * The buffer leaves the list before it is let go of: when it was the last, display is told so,
 * which may find out that display is gone and end all that are in the list.
 */
static void end_outstanding(struct sent_head *head, unsigned index)
{
	g_assert(index < head->n_outstanding);
	struct buffer *buffer = head->outstanding[index].buffer;
	head->n_outstanding--;
	memmove(&head->outstanding[index], &head->outstanding[index + 1],
		(head->n_outstanding - index) * sizeof(head->outstanding[0]));
	g_assert(buffer->locked > 0);
	buffer->locked--;
	buffer_unref(buffer);
}

static void forget_buffers(struct frame_sender *link)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, link->announced);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct buffer *buffer = value;
		buffer->link_id = 0;
		buffer->on_destroy = NULL;
	}
	g_hash_table_remove_all(link->announced);
	g_array_set_size(link->removed, 0);
}

static void detach(struct frame_sender *link)
{
	fd_close(&link->fd);
	link->hello_sent = link->hello_received = link->full = false;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		struct sent_head *head = &link->heads[i];
		while (head->n_outstanding > 0)
			end_outstanding(head, head->n_outstanding - 1);
		head->rate_mhz = 0;
		head->n_formats = 0;
		head->told_on = false;
	}
	forget_buffers(link);
}

void frame_sender_destroy(struct frame_sender *link)
{
	if (!link)
		return;
	detach(link);
	g_hash_table_unref(link->announced);
	g_array_unref(link->removed);
	g_free(link);
}

/* Returns 0, -EAGAIN when there is no room, or -ENOTCONN after the peer has gone. */
static int send_message(struct frame_sender *link, void *message, size_t size_bytes, uint32_t type,
	const int *fds, unsigned n_fds)
{
	if (link->fd < 0)
		return -ENOTCONN;
	((struct link_header *)message)->type = type;
	int result = link_send(link->fd, message, size_bytes, fds, n_fds);
	if (result == -EAGAIN || result == -ENOBUFS) {
		link->full = true;
		return -EAGAIN;
	}
	if (result < 0) {
		g_message("frame link: closed: %s", g_strerror(-result));
		detach(link);
		return -ENOTCONN;
	}
	return 0;
}

static int send_removed(struct frame_sender *link)
{
	while (link->removed->len > 0) {
		unsigned last = link->removed->len - 1;
		struct frame_buffer_remove remove = { .buffer = g_array_index(
							      link->removed, uint32_t, last) };
		int result = send_message(
			link, &remove, sizeof(remove), FRAME_MESSAGE_BUFFER_REMOVE, NULL, 0);
		if (result < 0)
			return result;
		g_array_set_size(link->removed, last);
	}
	return 0;
}

/* Tells display at once that the buffer has gone, since display holds the memory until then. */
static void buffer_is_gone(void *user, struct buffer *buffer)
{
	struct frame_sender *link = user;
	g_hash_table_remove(link->announced, GUINT_TO_POINTER(buffer->link_id));
	g_array_append_val(link->removed, buffer->link_id);
	send_removed(link);
}

static int announce_buffer(struct frame_sender *link, struct buffer *buffer)
{
	if (buffer->link_id != 0)
		return 0;
	if (g_hash_table_size(link->announced) >= FRAME_BUFFERS_MAX)
		return -EAGAIN;
	struct frame_buffer_add add = { .buffer = link->next_id + 1,
		.kind = buffer->kind,
		.width = buffer->width,
		.height = buffer->height,
		.stride_bytes = buffer->stride_bytes,
		.fourcc = buffer->fourcc,
		.modifier = buffer->modifier,
		.offset_bytes = buffer->offset_bytes,
		.size_bytes = buffer->size_bytes };
	int result =
		send_message(link, &add, sizeof(add), FRAME_MESSAGE_BUFFER_ADD, &buffer->fd, 1);
	if (result < 0)
		return result;
	buffer->link_id = ++link->next_id;
	buffer->on_destroy = buffer_is_gone;
	buffer->on_destroy_user = link;
	g_hash_table_insert(link->announced, GUINT_TO_POINTER(buffer->link_id), buffer);
	return 0;
}

/* ---- state that is sent when there is room ---- */

static int send_hello(struct frame_sender *link)
{
	if (link->hello_sent)
		return 0;
	struct frame_hello hello = { .version = FRAME_LINK_VERSION };
	int result = send_message(link, &hello, sizeof(hello), FRAME_MESSAGE_HELLO, NULL, 0);
	if (result == 0)
		link->hello_sent = true;
	return result;
}

static int send_head(struct frame_sender *link, unsigned index)
{
	struct sent_head *head = &link->heads[index];
	int result = 0;
	if (head->on &&
		(!head->told_on || memcmp(&head->told, &head->wanted, sizeof(head->told)) != 0)) {
		struct frame_head_on on = head->wanted;
		result = send_message(link, &on, sizeof(on), FRAME_MESSAGE_HEAD_ON, NULL, 0);
		if (result == 0) {
			head->told = head->wanted;
			head->told_on = true;
		}
	} else if (!head->on && head->told_on) {
		struct frame_head_off off = { .head = index };
		result = send_message(link, &off, sizeof(off), FRAME_MESSAGE_HEAD_OFF, NULL, 0);
		if (result == 0)
			head->told_on = false;
	}
	return result;
}

void frame_sender_send_waiting(struct frame_sender *link)
{
	if (link->fd < 0)
		return;
	link->full = false;
	if (send_hello(link) < 0 || send_removed(link) < 0)
		return;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (send_head(link, i) < 0)
			return;
	}
}

void frame_sender_attach(struct frame_sender *link, int fd)
{
	detach(link);
	link->fd = fd;
	frame_sender_send_waiting(link);
}

int frame_sender_get_fd(const struct frame_sender *link)
{
	return link->fd;
}

bool frame_sender_wants_room(const struct frame_sender *link)
{
	return link->fd >= 0 && link->full;
}

void frame_sender_ask_room(struct frame_sender *link)
{
	link->full = true;
}

void frame_sender_set_head(struct frame_sender *link, unsigned head, const struct frame_head_on *on)
{
	g_assert(head < FRAME_HEADS_MAX);
	struct sent_head *h = &link->heads[head];
	h->on = on != NULL;
	if (on) {
		h->wanted = *on;
		h->wanted.header = (struct link_header){ 0 };
	}
	if (link->fd >= 0 && link->hello_sent)
		send_head(link, head);
}

/* ---- frames ---- */

const struct frame_format *frame_sender_get_formats(
	const struct frame_sender *link, unsigned head, unsigned *n)
{
	*n = link->heads[head].n_formats;
	return link->heads[head].formats;
}

uint32_t frame_sender_get_rate(const struct frame_sender *link, unsigned head)
{
	return link->heads[head].rate_mhz;
}

bool frame_sender_wants_frame(const struct frame_sender *link, unsigned head)
{
	const struct sent_head *h = &link->heads[head];
	return link->fd >= 0 && link->hello_sent && h->rate_mhz > 0 &&
	       h->n_outstanding < FRAME_SENDER_OUTSTANDING_MAX;
}

bool frame_sender_has_lent(
	const struct frame_sender *link, unsigned head, const struct buffer *buffer)
{
	const struct sent_head *h = &link->heads[head];
	for (unsigned i = 0; i < h->n_outstanding; i++) {
		if (h->outstanding[i].buffer == buffer)
			return true;
	}
	return false;
}

/* Returns false for a fence that is over already, which is not worth a descriptor. */
static bool is_unsignaled(int fence_fd)
{
	struct pollfd fence = { .fd = fence_fd, .events = POLLIN };
	return fence_fd >= 0 && poll(&fence, 1, 0) == 0;
}

int frame_sender_send_frame(
	struct frame_sender *link, struct frame_present *frame, struct buffer *buffer)
{
	g_assert(frame->head < FRAME_HEADS_MAX && frame->n_rects <= FRAME_RECTS_MAX);
	struct sent_head *head = &link->heads[frame->head];
	if (head->n_outstanding == FRAME_SENDER_OUTSTANDING_MAX)
		return -EAGAIN;
	int result = send_removed(link);
	if (result == 0)
		result = send_head(link, frame->head);
	if (result == 0)
		result = announce_buffer(link, buffer);
	if (result < 0)
		return result;
	frame->buffer = buffer->link_id;
	frame->serial = head->serial + 1;
	result = send_message(link, frame, sizeof(*frame), FRAME_MESSAGE_PRESENT, &buffer->fence_fd,
		is_unsignaled(buffer->fence_fd) ? 1 : 0);
	if (result < 0)
		return result;
	head->serial++;
	buffer->locked++;
	head->outstanding[head->n_outstanding++] =
		(struct outstanding){ frame->serial, buffer_ref(buffer), buffer->link_id };
	return 0;
}

/* ---- what display says ---- */

static bool handle_hello(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_sender *link = user;
	const struct frame_hello *hello = message;
	link->hello_received = hello->version == FRAME_LINK_VERSION;
	return link->hello_received;
}

static bool handle_release(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_sender *link = user;
	const struct frame_release *release = message;
	if (release->head >= FRAME_HEADS_MAX)
		return false;
	struct sent_head *head = &link->heads[release->head];
	for (unsigned i = 0; i < head->n_outstanding; i++) {
		if (head->outstanding[i].serial == release->serial &&
			head->outstanding[i].buffer_id == release->buffer) {
			end_outstanding(head, i);
			link->listener->released(link->user, release->head);
			return true;
		}
	}
	g_debug("frame link: buffer %u serial %" G_GUINT64_FORMAT " released but not lent",
		release->buffer, release->serial);
	return true;
}

static bool handle_heads_wanted(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_sender *link = user;
	const struct frame_heads_wanted *wanted = message;
	if (wanted->n_heads > FRAME_HEADS_MAX)
		return false;
	link->listener->heads_wanted(link->user, wanted);
	return true;
}

static bool handle_rate_wanted(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_sender *link = user;
	const struct frame_rate_wanted *rate = message;
	if (rate->head >= FRAME_HEADS_MAX)
		return false;
	struct sent_head *head = &link->heads[rate->head];
	uint32_t was_mhz = head->rate_mhz;
	head->rate_mhz = rate->rate_mhz;
	link->listener->rate_changed(link->user, rate->head, was_mhz);
	return true;
}

static bool handle_formats_wanted(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_sender *link = user;
	const struct frame_formats_wanted *wanted = message;
	if (wanted->head >= FRAME_HEADS_MAX || wanted->n_formats > FRAME_FORMATS_MAX)
		return false;
	struct sent_head *head = &link->heads[wanted->head];
	head->n_formats = wanted->n_formats;
	memcpy(head->formats, wanted->formats, sizeof(head->formats));
	link->listener->formats_changed(link->user, wanted->head);
	return true;
}

static const struct link_handler handlers[] = {
	{ FRAME_MESSAGE_HELLO, "HELLO", sizeof(struct frame_hello), 0, 0, handle_hello },
	{ FRAME_MESSAGE_RELEASE, "RELEASE", sizeof(struct frame_release), 0, 0, handle_release },
	{ FRAME_MESSAGE_HEADS_WANTED, "HEADS_WANTED", sizeof(struct frame_heads_wanted), 0, 0,
		handle_heads_wanted },
	{ FRAME_MESSAGE_RATE_WANTED, "RATE_WANTED", sizeof(struct frame_rate_wanted), 0, 0,
		handle_rate_wanted },
	{ FRAME_MESSAGE_FORMATS_WANTED, "FORMATS_WANTED", sizeof(struct frame_formats_wanted), 0, 0,
		handle_formats_wanted },
};

void frame_sender_receive(struct frame_sender *link, unsigned max)
{
	int result = 0;
	for (unsigned n = 0; n < max && link->fd >= 0; n++) {
		result = link_dispatch(link->fd, "display", handlers, G_N_ELEMENTS(handlers), link);
		if (result != 1)
			break;
	}
	if (result < 0) {
		g_message("frame link: display has gone");
		detach(link);
	}
}
