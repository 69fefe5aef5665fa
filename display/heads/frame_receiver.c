/* SPDX-License-Identifier: MIT */
#include "display/heads/frame_receiver.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

#include "display/heads/frame_queue.h"
#include "protocol/stats_clients.h"

struct frame_receiver {
	int refs; /* atomic */
	int fd;
	const struct frame_receiver_ops *ops;
	void *user;
	guint read_source, write_source;
	GHashTable *buffers;        /* id -> struct shared_buffer */
	struct frame_queue *fences; /* NULL: closed */
	bool hello_received, starved;

	/* The members up to the lock are what waits until the socket takes it. */
	bool hello_sent;
	uint32_t rates_mhz[FRAME_HEADS_MAX];
	uint32_t rates_dirty; /* a bit for each head */
	unsigned again;       /* heads of which the whole picture is wanted, bits */
	struct frame_formats_wanted formats;
	uint32_t formats_dirty; /* a bit for each head */
	struct frame_heads_wanted heads;
	bool heads_dirty;
	GMutex lock;      /* for the two below */
	GArray *releases; /* struct frame_release */
	bool send_due;    /* an idle source is under way */
};

static void send_waiting(struct frame_receiver *link);

static void link_unref(struct frame_receiver *link)
{
	if (!g_atomic_int_dec_and_test(&link->refs))
		return;
	g_hash_table_unref(link->buffers);
	g_array_unref(link->releases);
	g_mutex_clear(&link->lock);
	g_free(link);
}

/* ---- sending ---- */

static bool send_hello(struct frame_receiver *link)
{
	struct frame_hello hello = { .header.type = FRAME_MESSAGE_HELLO,
		.version = FRAME_LINK_VERSION };
	if (!link->hello_sent)
		link->hello_sent = link_send(link->fd, &hello, sizeof(hello), NULL, 0) == 0;
	return link->hello_sent;
}

static bool send_releases(struct frame_receiver *link)
{
	g_mutex_lock(&link->lock);
	guint sent = 0;
	while (sent < link->releases->len) {
		struct frame_release *release =
			&g_array_index(link->releases, struct frame_release, sent);
		if (link_send(link->fd, release, sizeof(*release), NULL, 0) < 0)
			break;
		sent++;
	}
	g_array_remove_range(link->releases, 0, sent);
	bool all = link->releases->len == 0;
	g_mutex_unlock(&link->lock);
	return all;
}

static bool send_rate(struct frame_receiver *link, unsigned head, uint32_t rate_mhz)
{
	struct frame_rate_wanted wanted = {
		.header.type = FRAME_MESSAGE_RATE_WANTED,
		.head = head,
		.rate_mhz = rate_mhz,
	};
	return link_send(link->fd, &wanted, sizeof(wanted), NULL, 0) >= 0;
}

/* When a rate rises from 0 render sends the whole picture: so "again" is a 0 before the rate. */
static bool send_rates(struct frame_receiver *link)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (!(link->rates_dirty & 1u << head))
			continue;
		if (link->again & 1u << head && !send_rate(link, head, 0))
			return false;
		link->again &= ~(1u << head);
		if (!send_rate(link, head, link->rates_mhz[head]))
			return false;
		link->rates_dirty &= ~(1u << head);
	}
	return true;
}

static bool send_formats(struct frame_receiver *link)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (!(link->formats_dirty & 1u << head))
			continue;
		link->formats.head = head;
		if (link_send(link->fd, &link->formats, sizeof(link->formats), NULL, 0) < 0)
			return false;
		link->formats_dirty &= ~(1u << head);
	}
	return true;
}

static bool send_heads(struct frame_receiver *link)
{
	if (link->heads_dirty)
		link->heads_dirty =
			link_send(link->fd, &link->heads, sizeof(link->heads), NULL, 0) < 0;
	return !link->heads_dirty;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer user)
{
	struct frame_receiver *link = user;
	link->write_source = 0;
	send_waiting(link);
	return G_SOURCE_REMOVE;
}

/* A peer that is gone fails here too; the read side notices and says so. */
static void send_waiting(struct frame_receiver *link)
{
	if (link->fd < 0 || link->write_source)
		return;
	if (!send_hello(link) || !send_releases(link) || !send_formats(link) || !send_rates(link) ||
		!send_heads(link))
		link->write_source = g_unix_fd_add(link->fd, G_IO_OUT, on_writable, link);
}

static gboolean on_send_due(gpointer user)
{
	struct frame_receiver *link = user;
	g_mutex_lock(&link->lock);
	link->send_due = false;
	g_mutex_unlock(&link->lock);
	send_waiting(link);
	return G_SOURCE_REMOVE;
}

static void unref_link(gpointer user)
{
	link_unref(user);
}

/* Any thread may call it. */
static void on_released(void *user, uint32_t buffer, uint32_t head, uint64_t serial)
{
	struct frame_receiver *link = user;
	struct frame_release release = {
		.header.type = FRAME_MESSAGE_RELEASE,
		.buffer = buffer,
		.head = head,
		.serial = serial,
	};
	g_mutex_lock(&link->lock);
	g_array_append_val(link->releases, release);
	bool schedule = !link->send_due;
	link->send_due = true;
	g_mutex_unlock(&link->lock);
	if (schedule) {
		g_atomic_int_inc(&link->refs);
		g_idle_add_full(G_PRIORITY_DEFAULT, on_send_due, link, unref_link);
	}
	link_unref(link);
}

void frame_receiver_want_rate(struct frame_receiver *link, unsigned head, uint32_t rate_mhz)
{
	g_assert(head < FRAME_HEADS_MAX);
	if (link->rates_mhz[head] == rate_mhz)
		return;
	link->rates_mhz[head] = rate_mhz;
	link->rates_dirty |= 1u << head;
	send_waiting(link);
}

void frame_receiver_want_again(struct frame_receiver *link, unsigned head)
{
	g_assert(head < FRAME_HEADS_MAX);
	link->again |= 1u << head;
	link->rates_dirty |= 1u << head;
	send_waiting(link);
}

void frame_receiver_want_formats(
	struct frame_receiver *link, const struct frame_format *formats, unsigned n_formats)
{
	/* A link begins with memfds: there is nothing to tell. */
	if (n_formats == 0 && link->formats.n_formats == 0)
		return;
	link->formats = (struct frame_formats_wanted){
		.header.type = FRAME_MESSAGE_FORMATS_WANTED,
		.n_formats = MIN(n_formats, FRAME_FORMATS_MAX),
	};
	for (unsigned i = 0; i < link->formats.n_formats; i++)
		link->formats.formats[i] = formats[i];
	link->formats_dirty = (1u << FRAME_HEADS_MAX) - 1;
	send_waiting(link);
}

void frame_receiver_want_heads(
	struct frame_receiver *link, const struct frame_head_mode *heads, unsigned n_heads)
{
	link->heads = (struct frame_heads_wanted){
		.header.type = FRAME_MESSAGE_HEADS_WANTED,
		.n_heads = MIN(n_heads, FRAME_HEADS_MAX),
	};
	for (unsigned i = 0; i < link->heads.n_heads; i++)
		link->heads.heads[i] = heads[i];
	link->heads_dirty = true;
	send_waiting(link);
}

/* ---- receiving ---- */

static bool check_head(const char *what, uint32_t head)
{
	if (head < FRAME_HEADS_MAX)
		return true;
	g_warning("render: %s: head %u, there are %d", what, head, FRAME_HEADS_MAX);
	return false;
}

static bool on_hello(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_receiver *link = user;
	const struct frame_hello *hello = message;
	link->hello_received = true;
	if (hello->version == FRAME_LINK_VERSION)
		return true;
	g_warning("render: speaks version %u, expected %d", hello->version, FRAME_LINK_VERSION);
	return false;
}

static bool on_buffer_add(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_receiver *link = user;
	const struct frame_buffer_add *add = message;
	if (add->buffer == 0 ||
		g_hash_table_contains(link->buffers, GUINT_TO_POINTER(add->buffer))) {
		g_warning("render: buffer %u is 0 or added already", add->buffer);
		return false;
	}
	if (g_hash_table_size(link->buffers) >= FRAME_BUFFERS_MAX) {
		g_warning("render: more than %d buffers", FRAME_BUFFERS_MAX);
		return false;
	}
	struct shared_buffer *buffer = shared_buffer_create(add, fds[0]);
	if (!buffer) {
		link->starved = errno == ENOMEM || errno == EMFILE || errno == ENFILE;
		return false;
	}
	g_hash_table_insert(link->buffers, GUINT_TO_POINTER(add->buffer), buffer);
	return true;
}

static bool on_buffer_remove(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_receiver *link = user;
	const struct frame_buffer_remove *remove = message;
	if (g_hash_table_remove(link->buffers, GUINT_TO_POINTER(remove->buffer)))
		return true;
	g_warning("render: no buffer %u to remove", remove->buffer);
	return false;
}

static bool on_head_on(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_receiver *link = user;
	const struct frame_head_on *on = message;
	if (!check_head("HEAD_ON", on->head))
		return false;
	if (on->width == 0 || on->height == 0 || on->width > FRAME_SIZE_MAX ||
		on->height > FRAME_SIZE_MAX || on->x > FRAME_DESKTOP_MAX - on->width ||
		on->y > FRAME_DESKTOP_MAX - on->height) {
		g_warning("render: head %u: absurd mode %ux%u at %u,%u", on->head, on->width,
			on->height, on->x, on->y);
		return false;
	}
	return link->ops->head_on(link->user, on);
}

static bool on_head_off(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_receiver *link = user;
	const struct frame_head_off *off = message;
	if (!check_head("HEAD_OFF", off->head))
		return false;
	frame_queue_drop(link->fences, off->head);
	link->ops->head_off(link->user, off->head);
	return true;
}

/* While the frame waited for its fence its head may have got another size. */
static bool deliver_frame(void *user, struct frame *frame, const struct frame_present *message)
{
	struct frame_receiver *link = user;
	uint32_t width, height;
	if (!link->ops->head_size(link->user, message->head, &width, &height) ||
		width != frame->width || height != frame->height) {
		frame_unref(frame);
		return true;
	}
	stats_add(message->head, STATS_FRAMES_RECEIVED, 1);
	stats_record_since_ns(message->head, STATS_FLUSH_TO_PICTURE, message->flush_time_ns);
	return link->ops->frame(link->user, frame, message);
}

static void on_delivery_failed(void *user)
{
	struct frame_receiver *link = user;
	link->ops->gone(link->user);
}

static bool reads_releases(struct frame_receiver *link)
{
	g_mutex_lock(&link->lock);
	bool reads = link->releases->len < RELEASES_MAX;
	g_mutex_unlock(&link->lock);
	if (!reads)
		g_warning("render: does not read its releases");
	return reads;
}

static bool on_present(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_receiver *link = user;
	const struct frame_present *m = message;
	uint32_t width, height;
	if (!check_head("PRESENT", m->head))
		return false;
	struct shared_buffer *buffer =
		g_hash_table_lookup(link->buffers, GUINT_TO_POINTER(m->buffer));
	if (!buffer || m->n_rects > FRAME_RECTS_MAX ||
		!link->ops->head_size(link->user, m->head, &width, &height)) {
		g_warning("render: frame of head %u: %s", m->head,
			!buffer                      ? "unknown buffer" :
			m->n_rects > FRAME_RECTS_MAX ? "too many rectangles" :
						       "the head is off");
		return false;
	}
	if (!reads_releases(link))
		return false;
	g_atomic_int_inc(&link->refs);
	struct frame *frame = frame_create(buffer, m, width, height, on_released, link);
	if (!frame) {
		link_unref(link);
		return false;
	}
	return frame_queue_push(link->fences, frame, m, n_fds > 0 ? g_steal_fd(&fds[0]) : -1);
}

static bool on_cursor_image(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_receiver *link = user;
	const struct frame_cursor_image *image = message;
	if (!check_head("CURSOR_IMAGE", image->head))
		return false;
	link->ops->cursor_image(link->user, image);
	return true;
}

static bool on_cursor_move(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_receiver *link = user;
	const struct frame_cursor_move *move = message;
	if (!check_head("CURSOR_MOVE", move->head))
		return false;
	link->ops->cursor_move(link->user, move->head, move->x, move->y);
	return true;
}

static bool on_cursor_hide(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct frame_receiver *link = user;
	const struct frame_cursor_hide *hide = message;
	if (!check_head("CURSOR_HIDE", hide->head))
		return false;
	link->ops->cursor_hide(link->user, hide->head);
	return true;
}

#define FRAME_ROW(type, name, min, max)                                                            \
	{                                                                                          \
		FRAME_MESSAGE_##type, #type, sizeof(struct frame_##name), min, max, on_##name      \
	}
static const struct link_handler handlers[] = {
	FRAME_ROW(HELLO, hello, 0, 0),
	FRAME_ROW(BUFFER_ADD, buffer_add, 1, 1),
	FRAME_ROW(BUFFER_REMOVE, buffer_remove, 0, 0),
	FRAME_ROW(HEAD_ON, head_on, 0, 0),
	FRAME_ROW(HEAD_OFF, head_off, 0, 0),
	FRAME_ROW(PRESENT, present, 0, 1),
	FRAME_ROW(CURSOR_IMAGE, cursor_image, 0, 0),
	FRAME_ROW(CURSOR_MOVE, cursor_move, 0, 0),
	FRAME_ROW(CURSOR_HIDE, cursor_hide, 0, 0),
};
#undef FRAME_ROW

/* HELLO must come first: until then its row is the only one. */
static int dispatch(struct frame_receiver *link)
{
	return link_dispatch(link->fd, "render", handlers,
		link->hello_received ? G_N_ELEMENTS(handlers) : 1, link);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user)
{
	struct frame_receiver *link = user;
	int result = 1;
	g_atomic_int_inc(&link->refs);
	for (int i = 0; i < MESSAGES_PER_TURN && result > 0 && link->fd >= 0; i++)
		result = dispatch(link);
	if (result < 0 && link->fd >= 0) {
		link->read_source = 0;
		if (link->starved)
			link->ops->starved(link->user);
		else
			link->ops->gone(link->user);
	}
	link_unref(link);
	return result < 0 ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void drop_buffer(gpointer buffer)
{
	shared_buffer_unref(buffer);
}

struct frame_receiver *frame_receiver_create(
	int fd, const struct frame_receiver_ops *ops, void *user)
{
	struct frame_receiver *link = g_new0(struct frame_receiver, 1);
	link->refs = 1;
	link->fd = fd;
	link->ops = ops;
	link->user = user;
	link->buffers = g_hash_table_new_full(NULL, NULL, NULL, drop_buffer);
	link->fences = frame_queue_create(deliver_frame, on_delivery_failed, link);
	link->releases = g_array_new(FALSE, FALSE, sizeof(struct frame_release));
	g_mutex_init(&link->lock);
	link->read_source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, link);
	send_waiting(link);
	return link;
}

void frame_receiver_close(struct frame_receiver *link)
{
	if (!link)
		return;
	g_clear_handle_id(&link->read_source, g_source_remove);
	g_clear_handle_id(&link->write_source, g_source_remove);
	close(link->fd);
	link->fd = -1;
	g_clear_pointer(&link->fences, frame_queue_destroy);
	g_hash_table_remove_all(link->buffers);
	link_unref(link);
}
