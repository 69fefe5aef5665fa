/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the keeper between QEMU and a renderer, both of whom may say anything: vhost-user messages
 * in any order, whole and in pieces, with any numbers and descriptors (requests.h), and a
 * renderer's end of the keeper link (renderer.h). No descriptor and no memory may stay, and the
 * keeper never waits for a renderer that is gone.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/link.h"
#include "server/keeper/requests.h"
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);
bool __real_link_wait_readable(int fd, int timeout_ms);
bool __wrap_link_wait_readable(int fd, int timeout_ms);

#define REGION_BYTES 65536
#define FDS VHOST_USER_FDS_MAX

struct desk {
	struct device device;
	struct ledger_memory ledger;
	struct renderer renderer;
	struct gpu_socket gpu_socket;
	struct requests requests;
	int qemu;   /* QEMU's end; -1: it has hung up */
	int worker; /* the renderer's end; -1: there is none */
	int memory, event;
	bool closed;
	struct feed *feed;
};

/* The renderer answers when the keeper waits for it. */
static struct desk *waited_on;

/* ---- the renderer ---- */

static void hang_up(struct desk *desk)
{
	if (desk->worker >= 0)
		close(desk->worker);
	desk->worker = -1;
}

/* Tells the keeper something, well or not. */
static void say_link(struct desk *desk, void *message, size_t size_bytes, unsigned n_fds)
{
	const int fds[] = { desk->event, desk->memory, desk->event, desk->event };
	if (desk->worker >= 0)
		link_send(desk->worker, message, size_bytes, fds, n_fds);
}

static void say_stopped(struct desk *desk, uint32_t ring, uint32_t serial, uint16_t next_avail)
{
	struct keeper_ring_stopped stopped = { .header.type = KEEPER_MESSAGE_RING_STOPPED,
		.ring = ring,
		.serial = serial,
		.next_avail = next_avail };
	say_link(desk, &stopped, sizeof(stopped), 0);
}

/* Reads what the keeper said, and answers each RING_STOP: mostly as it should. */
static bool serve(struct desk *desk)
{
	union {
		struct link_header header;
		struct keeper_ring_stop stop;
		uint8_t bytes[LINK_MESSAGE_MAX];
	} message;
	bool answered = false;
	while (desk->worker >= 0 &&
		recv(desk->worker, &message, sizeof(message), MSG_DONTWAIT) > 0) {
		if (message.header.type != KEEPER_MESSAGE_RING_STOP)
			continue;
		uint8_t how = feed_u8(desk->feed);
		if (how == 255)
			hang_up(desk);
		else if (how == 254)
			say_stopped(desk, message.stop.ring ^ 1, message.stop.serial, 0);
		else if (how == 253)
			say_stopped(desk, message.stop.ring, message.stop.serial + 1, how);
		else
			say_stopped(desk, message.stop.ring, message.stop.serial, how);
		answered = true;
	}
	return answered;
}

/* Nobody who is waited for may say nothing: that would only take a second. */
bool __wrap_link_wait_readable(int fd, int timeout_ms)
{
	if (timeout_ms > 0 && !serve(waited_on) && !__real_link_wait_readable(fd, 0))
		hang_up(waited_on);
	return __real_link_wait_readable(fd, 0);
}

/* Lets the keeper read what the renderer has said. */
static void pump(struct desk *desk)
{
	struct worker *worker = &desk->renderer.worker;
	while (g_main_context_iteration(NULL, FALSE))
		;
	serve(desk);
	while (worker->process.link >= 0 && __real_link_wait_readable(worker->process.link, 0) &&
		worker_dispatch_wait(worker, 0))
		serve(desk);
	serve(desk);
}

static void be_ready(struct desk *desk)
{
	struct keeper_ready ready = {
		.header.type = KEEPER_MESSAGE_READY, .version = KEEPER_LINK_VERSION, .n_capsets = 2
	};
	say_link(desk, &ready, sizeof(ready), 0);
}

/* A process that the starter made would be there like this. */
static void start_renderer(struct desk *desk)
{
	struct worker *worker = &desk->renderer.worker;
	int ends[2];
	if (worker->process.link >= 0)
		return;
	hang_up(desk);
	g_assert(link_pair(ends) == 0);
	desk->worker = ends[0];
	worker->process.link = ends[1];
	worker->state = WORKER_STARTING;
	if (feed_u8(desk->feed) < 250)
		be_ready(desk);
	pump(desk);
}

static void say_of_worker(struct desk *desk)
{
	union {
		struct link_header header;
		struct keeper_ready ready;
		uint8_t bytes[sizeof(struct keeper_ready) + 16];
	} message;
	uint8_t what = feed_u8(desk->feed);
	feed_copy(desk->feed, &message, sizeof(message));
	message.header.type = what & 1 ? KEEPER_MESSAGE_READY : KEEPER_MESSAGE_RING_STOPPED;
	if (what & 2)
		message.header.type = what;
	size_t n = what & 1 ? sizeof(struct keeper_ready) : sizeof(struct keeper_ring_stopped);
	say_link(desk, &message, what & 4 ? sizeof(message) : n, what >> 4 & 3);
	pump(desk);
}

static void end_renderer(struct desk *desk)
{
	hang_up(desk);
	pump(desk);
}

/* ---- QEMU ---- */

static void send_bytes(struct desk *desk, const void *bytes, size_t size_bytes, unsigned n_fds)
{
	int fds[FDS + 1];
	char control[CMSG_SPACE(sizeof(fds))] = { 0 };
	struct iovec iov = { (void *)bytes, size_bytes };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++)
		fds[i] = i % 2 ? desk->event : desk->memory;
	if (n_fds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	if (desk->qemu >= 0)
		sendmsg(desk->qemu, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void hear_answers(struct desk *desk)
{
	uint8_t bytes[4096];
	while (desk->qemu >= 0 && recv(desk->qemu, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

/* Says a message with a payload of the input's, as long as the request wants it, or not. */
static void say_request(struct desk *desk)
{
	struct {
		struct vhost_user_header header;
		uint8_t payload[sizeof(struct vhost_user_memory) + 64];
	} message;
	uint8_t how = feed_u8(desk->feed);
	message.header = (struct vhost_user_header){ .request = feed_u8(desk->feed) % 48,
		.flags = VHOST_USER_VERSION | (how & 1 ? VHOST_USER_FLAG_NEED_REPLY : 0),
		.size_bytes = feed_u8(desk->feed) * 4u };
	if (how & 128)
		message.header.flags = feed_u32(desk->feed);
	unsigned n_fds = how >> 1 & 15;
	size_t n = MIN(message.header.size_bytes, sizeof(message.payload));
	feed_copy(desk->feed, message.payload, n);
	n += sizeof(message.header);
	size_t first = how & 64 ? feed_u8(desk->feed) % n : n;
	send_bytes(desk, &message, first, MIN(n_fds, FDS + 1u));
	if (first < n) {
		pump(desk);
		send_bytes(desk, (uint8_t *)&message + first, n - first, 0);
	}
	pump(desk);
	hear_answers(desk);
}

static void say_u64(struct desk *desk, uint32_t request, uint64_t value, unsigned n_fds)
{
	struct {
		struct vhost_user_header header;
		uint64_t value;
	} __attribute__((packed)) message = { { request, VHOST_USER_VERSION, 8 }, value };
	send_bytes(desk, &message, sizeof(message), n_fds);
}

/* Says all that QEMU says until a ring runs, in one act. */
static void begin(struct desk *desk)
{
	struct vhost_user_header owner = { VHOST_USER_SET_OWNER, VHOST_USER_VERSION, 0 };
	say_u64(desk, VHOST_USER_SET_PROTOCOL_FEATURES, desk->device.protocol_offered, 0);
	send_bytes(desk, &owner, sizeof(owner), 0);
	say_u64(desk, VHOST_USER_SET_FEATURES,
		desk->device.features_offered & ~(feed_u8(desk->feed) & UINT64_C(1)), 0);
	pump(desk);
	hear_answers(desk);
}

static void run_ring(struct desk *desk)
{
	uint8_t how = feed_u8(desk->feed);
	uint32_t ring = how & 1;
	struct {
		struct vhost_user_header header;
		uint32_t index, num;
	} num = { { VHOST_USER_SET_VRING_NUM, VHOST_USER_VERSION, 8 }, ring, 16 },
	  base = { { VHOST_USER_SET_VRING_BASE, VHOST_USER_VERSION, 8 }, ring, how >> 4 },
	  enable = { { VHOST_USER_SET_VRING_ENABLE, VHOST_USER_VERSION, 8 }, ring, 1 };
	struct {
		struct vhost_user_header header;
		struct vhost_user_vring_addr addr;
	} __attribute__((packed))
	addr = { { VHOST_USER_SET_VRING_ADDR, VHOST_USER_VERSION, sizeof(addr.addr) },
		{ .index = ring,
			.desc_user_addr = how,
			.avail_user_addr = 64,
			.used_user_addr = 128 } };
	send_bytes(desk, &num, sizeof(num), 0);
	send_bytes(desk, &base, sizeof(base), 0);
	send_bytes(desk, &addr, sizeof(addr), 0);
	say_u64(desk, VHOST_USER_SET_VRING_KICK, ring, 1);
	say_u64(desk, VHOST_USER_SET_VRING_CALL, ring, 1);
	send_bytes(desk, &enable, sizeof(enable), 0);
	pump(desk);
}

static void stop_ring(struct desk *desk)
{
	struct {
		struct vhost_user_header header;
		uint32_t index, num;
	} get = { { VHOST_USER_GET_VRING_BASE, VHOST_USER_VERSION, 8 }, feed_u8(desk->feed) & 1,
		0 };
	send_bytes(desk, &get, sizeof(get), 0);
	pump(desk);
	hear_answers(desk);
}

static void end_qemu(struct desk *desk)
{
	if (desk->qemu >= 0)
		close(desk->qemu);
	desk->qemu = -1;
	pump(desk);
}

static void (*const acts[])(struct desk *desk) = { say_request, begin, run_ring, stop_ring,
	start_renderer, say_of_worker, end_renderer, say_request, say_request, end_qemu };

/* ---- the target ---- */

static void on_closed(void *user, bool refused)
{
	struct desk *desk = user;
	g_assert(!desk->closed);
	desk->closed = true;
}

static void ignore(void *user)
{
}

static void set_up(struct desk *desk, struct feed *feed)
{
	static const struct gpu_candidates cpu = { .n = 1 };
	static struct starter none = { .servant = { .link = -1 } };
	const struct renderer_events renderer_events = { .ready = ignore, .failed = ignore };
	const struct requests_events events = { .user = desk, .closed = on_closed };
	int pair[2];
	const int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
	g_assert(socketpair(AF_UNIX, type, 0, pair) == 0);
	*desk = (struct desk){ .qemu = pair[0],
		.worker = -1,
		.memory = memfd_create("guest", MFD_CLOEXEC),
		.event = eventfd(0, EFD_CLOEXEC),
		.feed = feed };
	waited_on = desk;
	g_assert(ftruncate(desk->memory, 16 * REGION_BYTES) == 0);
	device_init(&desk->device, true);
	gpu_socket_init(&desk->gpu_socket, NULL, NULL);
	g_assert(ledger_memory_init(&desk->ledger, NULL));
	renderer_init(
		&desk->renderer, &none, &cpu, &desk->device, &desk->ledger, 10, &renderer_events);
	g_assert(worker_process_prepare(&desk->renderer.worker.process, NULL));
	requests_init(&desk->requests, &desk->device, &desk->renderer, &desk->gpu_socket, &events);
	requests_serve(&desk->requests, pair[1]);
}

static void tear_down(struct desk *desk)
{
	requests_finish(&desk->requests);
	renderer_finish(&desk->renderer);
	ledger_memory_finish(&desk->ledger);
	gpu_socket_finish(&desk->gpu_socket);
	device_finish(&desk->device);
	hang_up(desk);
	if (desk->qemu >= 0)
		close(desk->qemu);
	close(desk->memory);
	close(desk->event);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct feed feed = { data, size_bytes };
	struct desk desk;
	feed_drop_log();
	while (g_main_context_iteration(NULL, FALSE))
		;
	int next_fd = feed_next_fd();
	set_up(&desk, &feed);
	while (feed.left_bytes > 0)
		acts[feed_u8(&feed) % G_N_ELEMENTS(acts)](&desk);
	tear_down(&desk);
	g_assert(feed_next_fd() == next_fd);
	return 0;
}
