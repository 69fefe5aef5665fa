/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the keeper link at three of its ends: what display reads of the keeper, what render reads
 * of it, and what the keeper reads of display. (What it reads of render is in fuzz_vhost.c.)
 * Messages have any type, numbers and descriptors; none of these may stay.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/shm.h"
#include "display/keeper_end.h"
#include "protocol/stats_writer.h"
#include "render/keeper_end.h"
#include "server/keeper/admission.h"
#include "server/keeper/ledger_memory.h"
#include "server/keeper/viewer.h"
#include "tests/fuzz/feed.h"
#include "tests/fuzz/gpu_stub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* These go with messages. */
enum { EVENT, MEMORY, LEDGER, STATS, NOTHING, HUNG_UP, DESCRIPTORS };

static const struct {
	uint32_t type;
	size_t size_bytes;
	unsigned n_fds, fd; /* how many, and which one is right */
} kinds[] = {
	{ KEEPER_MESSAGE_READY, sizeof(struct keeper_ready), 0, 0 },
	{ KEEPER_MESSAGE_FRAME_LINK, sizeof(struct keeper_frame_link), 1, EVENT },
	{ KEEPER_MESSAGE_STATS, sizeof(struct keeper_stats), 1, STATS },
	{ KEEPER_MESSAGE_LEDGER, sizeof(struct keeper_ledger), 1, LEDGER },
	{ KEEPER_MESSAGE_FEATURES, sizeof(struct keeper_features), 0, 0 },
	{ KEEPER_MESSAGE_FIRST_MODE, sizeof(struct keeper_first_mode), 0, 0 },
	{ KEEPER_MESSAGE_MEMORY_BEGIN, sizeof(struct keeper_memory_begin), 0, 0 },
	{ KEEPER_MESSAGE_MEMORY_REGION, sizeof(struct keeper_memory_region), 1, MEMORY },
	{ KEEPER_MESSAGE_MEMORY_COMMIT, sizeof(struct keeper_memory_commit), 0, 0 },
	{ KEEPER_MESSAGE_RING_START, sizeof(struct keeper_ring_start), 2, EVENT },
	{ KEEPER_MESSAGE_RING_CALL, sizeof(struct keeper_ring_call), 1, EVENT },
	{ KEEPER_MESSAGE_RING_STOP, sizeof(struct keeper_ring_stop), 0, 0 },
	{ KEEPER_MESSAGE_RESET, sizeof(struct keeper_reset), 0, 0 },
	{ KEEPER_MESSAGE_LISTENER, sizeof(struct keeper_listener), 1, EVENT },
	{ KEEPER_MESSAGE_TICKET, sizeof(struct keeper_ticket), 0, 0 },
	{ KEEPER_MESSAGE_DBUS, sizeof(struct keeper_dbus), 1, EVENT },
	{ KEEPER_MESSAGE_CERTIFICATE, sizeof(struct keeper_certificate), 2, EVENT },
	{ KEEPER_MESSAGE_POINTER_AREA, sizeof(struct keeper_pointer_area), 0, 0 },
	{ 0, 60, 3, NOTHING },
	{ KEEPER_MESSAGE_VISITOR, sizeof(struct keeper_visitor), 0, 0 },
	{ KEEPER_MESSAGE_VISITOR, sizeof(struct keeper_visitor), 1, EVENT },
	{ KEEPER_MESSAGE_VISITOR_JUDGED, sizeof(struct keeper_visitor_judged), 0, 0 },
	{ KEEPER_MESSAGE_PASSWORDS, sizeof(struct keeper_passwords), 0, 0 },
	{ KEEPER_MESSAGE_TICKET_USED, sizeof(struct keeper_ticket_used), 0, 0 },
	{ KEEPER_MESSAGE_SWITCH, sizeof(struct keeper_switch), 0, 0 },
	{ KEEPER_MESSAGE_ENDS, sizeof(struct keeper_ends), 0, 0 },
	{ KEEPER_MESSAGE_DIRTY_LOG, sizeof(struct keeper_dirty_log), 1, MEMORY },
	{ KEEPER_MESSAGE_TROUBLE, sizeof(struct keeper_trouble_told), 0, 0 },
	{ KEEPER_MESSAGE_SAYS, sizeof(struct keeper_says), 0, 0 },
};

/* ---- the peer ---- */

struct peer {
	int link; /* -1: it has hung up */
	int fds[DESCRIPTORS];
	struct ledger_memory ledger;
};

static int make_stats(void)
{
	int fd = shm_create("stats", sizeof(struct stats));
	struct stats *stats = shm_map(fd, sizeof(*stats), true);
	*stats = (struct stats){ .magic = STATS_MAGIC,
		.version = STATS_VERSION,
		.size_bytes = sizeof(*stats),
		.worker = STATS_RENDER };
	shm_unmap(stats, sizeof(*stats));
	return fd;
}

static void peer_start(struct peer *peer, int *end)
{
	int ends[2], hung_up[2];
	g_assert(link_pair(ends) == 0 && pipe2(hung_up, O_CLOEXEC) == 0);
	close(hung_up[1]);
	g_assert(ledger_memory_init(&peer->ledger, NULL));
	peer->fds[EVENT] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	peer->fds[MEMORY] = memfd_create("guest", MFD_CLOEXEC);
	peer->fds[LEDGER] = peer->ledger.fd;
	peer->fds[STATS] = make_stats();
	peer->fds[NOTHING] = open("/dev/null", O_RDWR | O_CLOEXEC);
	peer->fds[HUNG_UP] = hung_up[0];
	g_assert(ftruncate(peer->fds[MEMORY], 65536) == 0);
	peer->link = ends[0];
	*end = ends[1];
}

static void peer_hang_up(struct peer *peer)
{
	if (peer->link >= 0)
		close(peer->link);
	peer->link = -1;
}

static void peer_end(struct peer *peer)
{
	peer_hang_up(peer);
	for (unsigned i = 0; i < DESCRIPTORS; i++) {
		if (i != LEDGER)
			close(peer->fds[i]);
	}
	ledger_memory_finish(&peer->ledger);
}

/* Says a message: of the right size and with the right descriptors, unless the input wants it. */
static void peer_say(struct peer *peer, struct feed *feed)
{
	union {
		struct link_header header;
		uint8_t bytes[sizeof(struct keeper_ready)]; /* the longest */
	} message;
	int fds[LINK_FDS_MAX];
	unsigned kind = feed_u8(feed) % G_N_ELEMENTS(kinds);
	uint8_t odd = feed_u8(feed), other = odd >= 240 ? feed_u8(feed) : 0;
	size_t n = kinds[kind].size_bytes;
	unsigned n_fds = kinds[kind].n_fds;
	memset(&message, 0, sizeof(message));
	/* Numbers are mostly small; the rest is zeros. */
	for (size_t at = sizeof(message.header); at + 4 <= n; at += 4)
		message.bytes[at] = odd & 1 ? feed_u8(feed) : 0;
	if (odd & 2)
		feed_copy(feed, message.bytes + sizeof(message.header), n - sizeof(message.header));
	message.header.type = kinds[kind].type ? kinds[kind].type : odd;
	if (odd >= 240) {
		n = MAX(sizeof(message.header), other);
		n_fds = other % (LINK_FDS_MAX + 1);
	}
	for (unsigned i = 0; i < LINK_FDS_MAX; i++)
		fds[i] = peer->fds[odd & 4 ? (odd >> 3) % DESCRIPTORS : kinds[kind].fd];
	if (peer->link >= 0)
		link_send(peer->link, &message, n, fds, n_fds);
}

static void peer_hear(struct peer *peer)
{
	uint8_t bytes[LINK_MESSAGE_MAX];
	while (peer->link >= 0 && recv(peer->link, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void iterate(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* ---- display's end ---- */

struct display {
	unsigned n_gone;
};

static bool take(void *user, int fd)
{
	g_assert(fd >= 0);
	close(fd);
	return true;
}

static bool on_ticket(void *user, const struct keeper_ticket *ticket)
{
	g_assert(strlen(ticket->ticket) <= KEEPER_TICKET_MAX && ticket->ticket[0] != '\0');
	g_assert(strlen(ticket->user) <= KEEPER_USER_MAX);
	return true;
}

static bool on_passwords(void *user, const struct keeper_ticket *all, unsigned n)
{
	g_assert(n <= KEEPER_PASSWORDS_MAX);
	for (unsigned i = 0; i < n; i++)
		on_ticket(user, &all[i]);
	return true;
}

static bool on_listener(void *user, enum keeper_listener_kind kind, int fd)
{
	g_assert(kind >= KEEPER_LISTENER_TCP && kind <= KEEPER_LISTENER_TLS);
	return take(user, fd);
}

static bool on_certificate(void *user, int certificate_fd, int key_fd)
{
	g_assert(certificate_fd >= 0 && key_fd >= 0);
	return true;
}

static bool on_visitor_judged(void *user, const struct keeper_visitor_judged *judged)
{
	return true;
}

static void on_switched(void *user)
{
}

static void on_screenshot(void *user, uint32_t head)
{
}

static void on_ends(void *user, const char *text)
{
	g_assert(strlen(text) < KEEPER_ENDS_TEXT_BYTES);
}

static void on_says(void *user, const char *text)
{
	g_assert(strlen(text) < KEEPER_ENDS_TEXT_BYTES);
}

static void on_gone(void *user, bool fault)
{
	struct display *display = user;
	g_assert(display->n_gone++ == 0);
}

static void fuzz_display(struct feed *feed)
{
	static const struct keeper_end_ops ops = { on_passwords, on_ticket, on_listener, take, take,
		on_certificate, on_visitor_judged, on_switched, on_screenshot, on_ends, on_says,
		on_says, on_gone };
	struct display display = { 0 };
	struct peer peer;
	int end;
	peer_start(&peer, &end);
	struct keeper_end *keeper = keeper_end_create(end, &ops, &display);
	while (feed->left_bytes > 0) {
		peer_say(&peer, feed);
		iterate();
		keeper_end_say_pointer_area(keeper, feed->left_bytes % 7, 1);
		peer_hear(&peer);
	}
	peer_hang_up(&peer);
	iterate();
	g_assert(display.n_gone == 1);
	keeper_end_destroy(keeper);
	peer_end(&peer);
}

/* ---- the keeper's end of display's link ---- */

static void ignore(void *user)
{
}

static void on_area(void *user, uint32_t width, uint32_t height)
{
}

/* The kernel is asked, as it is for everybody who comes. */
static struct admission admission = ADMISSION_NONE;

static bool on_visitor(void *user, const struct keeper_visitor *visitor, int fd, uint32_t *uid)
{
	return admission_judge(&admission, visitor, fd, uid);
}

static void on_client(void *user, const struct keeper_client *client)
{
	g_assert(strlen(client->text) < KEEPER_CLIENT_TEXT_BYTES);
	g_assert(client->what <= KEEPER_CLIENT_NOT_THERE);
}

static void on_taken(void *user, const struct keeper_screenshot_taken *taken, int fd)
{
}

static void fuzz_viewer(struct feed *feed)
{
	static struct starter none = { .servant = { .link = -1 } };
	const struct viewer_events events = { .ready = ignore,
		.lost = ignore,
		.failed = ignore,
		.pointer_area = on_area,
		.visitor = on_visitor,
		.screenshot = on_taken,
		.client = on_client };
	struct viewer viewer;
	struct peer peer;
	int end;
	peer_start(&peer, &end);
	viewer_init(&viewer, &none, "secret", &events);
	g_assert(worker_process_prepare(&viewer.worker.process, NULL));
	/* A process that the starter made would be there like this. */
	viewer.worker.process.link = end;
	viewer.worker.state = WORKER_STARTING;
	while (feed->left_bytes > 0) {
		peer_say(&peer, feed);
		worker_dispatch_wait(&viewer.worker, 0);
		iterate();
		peer_hear(&peer);
	}
	viewer_finish(&viewer);
	peer_end(&peer);
}

/* ---- render's end ---- */

static void fuzz_render(struct feed *feed)
{
	const struct confine_state walls = { 0 };
	struct gpu *gpu = gpu_stub_create();
	struct peer peer;
	int end;
	peer_start(&peer, &end);
	while (feed->left_bytes > 0)
		peer_say(&peer, feed);
	/* It reads all of this, and the end behind it. */
	shutdown(peer.link, SHUT_WR);
	keeper_end_run(end, gpu, &walls);
	gpu_stub_destroy(gpu);
	close(end);
	peer_end(&peer);
}

/* The memory of figures comes once a process, and stays. */
static void forget_stats(struct stats *before)
{
	if (stats_memory != before)
		shm_unmap(stats_memory, sizeof(*stats_memory));
	stats_memory = before;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct feed feed = { data, size_bytes };
	struct stats *before = stats_memory;
	feed_drop_log();
	if (admission.owner.netlink < 0)
		socket_owner_init(&admission.owner);
	iterate();
	int next_fd = feed_next_fd();
	switch (feed_u8(&feed) % 3) {
	case 0:
		fuzz_display(&feed);
		break;
	case 1:
		fuzz_viewer(&feed);
		break;
	default:
		fuzz_render(&feed);
		break;
	}
	forget_stats(before);
	iterate();
	g_assert(feed_next_fd() == next_fd);
	return 0;
}
