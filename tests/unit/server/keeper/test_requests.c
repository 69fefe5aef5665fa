/* SPDX-License-Identifier: MIT */
/*
 * requests: sends each vhost-user request to a device without a renderer, and checks what the
 * device is then, and what QEMU may not say.
 */
#include <glib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/keeper/requests.h"
#include "tests/unit/server/rig.h"

#define PROTOCOL_FEATURES                                                                          \
	(1ull << VHOST_USER_PROTOCOL_F_MQ | 1ull << VHOST_USER_PROTOCOL_F_REPLY_ACK |              \
		1ull << VHOST_USER_PROTOCOL_F_CONFIG |                                             \
		1ull << VHOST_USER_PROTOCOL_F_RESET_DEVICE |                                       \
		1ull << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS)
#define REGION_BYTES 0x10000

struct fixture {
	struct device device;
	struct ledger_memory ledger;
	struct renderer renderer;
	struct gpu_socket gpu_socket;
	struct requests requests;
	struct rig qemu; /* only its socket is used */
	int memory, event;
	bool closed, refused;
};

static void on_closed(void *user, bool refused)
{
	struct fixture *fixture = user;
	fixture->closed = true;
	fixture->refused = refused;
}

static void ignore(void *user)
{
}

/* Makes a renderer that is never started; all that matters of it here is struct device. */
static void init_renderer(struct fixture *fixture)
{
	const struct renderer_events events = { .ready = ignore, .failed = ignore };
	static const struct gpu_candidates cpu = { .n = 1 };
	static struct starter none = { .servant = { .link = -1 } };
	g_assert_true(ledger_memory_init(&fixture->ledger, NULL));
	renderer_init(
		&fixture->renderer, &none, &cpu, &fixture->device, &fixture->ledger, 10, &events);
}

static void set_up(struct fixture *fixture)
{
	const struct requests_events events = { .user = fixture, .closed = on_closed };
	int pair[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	*fixture = (struct fixture){ .qemu.socket = pair[0],
		.memory = memfd_create("guest", MFD_CLOEXEC),
		.event = eventfd(0, EFD_CLOEXEC) };
	g_assert_cmpint(ftruncate(fixture->memory, 16 * REGION_BYTES), ==, 0);
	device_init(&fixture->device, true);
	gpu_socket_init(&fixture->gpu_socket, NULL, NULL);
	init_renderer(fixture);
	requests_init(&fixture->requests, &fixture->device, &fixture->renderer,
		&fixture->gpu_socket, &events);
	requests_serve(&fixture->requests, pair[1]);
}

static void tear_down(struct fixture *fixture)
{
	requests_finish(&fixture->requests);
	renderer_finish(&fixture->renderer);
	ledger_memory_finish(&fixture->ledger);
	gpu_socket_finish(&fixture->gpu_socket);
	device_finish(&fixture->device);
	close(fixture->qemu.socket);
	close(fixture->memory);
	close(fixture->event);
}

static void run_loop(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* ---- messages ---- */

/*
 * Holds as much of a payload as the message needs, and says how many copies of one descriptor go
 * with it.
 */
enum descriptor { NONE, EVENT, MEMORY };

struct message {
	uint32_t request;
	size_t size_bytes;
	union {
		uint64_t u64;
		struct vhost_user_vring_state state;
		struct vhost_user_vring_addr addr;
		struct vhost_user_memory memory;
		struct vhost_user_memory_single single;
		struct vhost_user_config config;
	} payload;
	enum descriptor descriptor;
	unsigned n_fds;
};

#define U64(name, value)                                                                           \
	{                                                                                          \
		.request = VHOST_USER_##name, .size_bytes = 8, .payload.u64 = value                \
	}
#define U64_FD(name, value)                                                                        \
	{                                                                                          \
		.request = VHOST_USER_##name, .size_bytes = 8, .payload.u64 = value,               \
		.descriptor = EVENT, .n_fds = 1                                                    \
	}
#define BARE(name)                                                                                 \
	{                                                                                          \
		.request = VHOST_USER_##name                                                       \
	}
#define STATE(name, ring, value)                                                                   \
	{                                                                                          \
		.request = VHOST_USER_##name, .size_bytes = 8, .payload.state = { ring, value }    \
	}
#define ADDR(ring, bits, at)                                                                       \
	{                                                                                          \
		.request = VHOST_USER_SET_VRING_ADDR,                                              \
		.size_bytes = sizeof(struct vhost_user_vring_addr), .payload.addr = {              \
			ring,                                                                      \
			bits,                                                                      \
			at,                                                                        \
			at,                                                                        \
			at,                                                                        \
			0                                                                          \
		}                                                                                  \
	}
#define CONFIG(size, told)                                                                         \
	{                                                                                          \
		.request = VHOST_USER_GET_CONFIG, .size_bytes = size, .payload.config = {          \
			0,                                                                         \
			told                                                                       \
		}                                                                                  \
	}
#define TABLE(n, size, fds)                                                                        \
	{                                                                                          \
		.request = VHOST_USER_SET_MEM_TABLE, .size_bytes = size,                           \
		.payload.memory = { n, 0, { { 0, REGION_BYTES, 0, 0 } } }, .descriptor = MEMORY,   \
		.n_fds = fds                                                                       \
	}
#define REGION(name, at)                                                                           \
	{                                                                                          \
		.request = VHOST_USER_##name,                                                      \
		.size_bytes = sizeof(struct vhost_user_memory_single),                             \
		.payload.single = { 0, { at, REGION_BYTES, at, 0 } }, .descriptor = MEMORY,        \
		.n_fds = 1                                                                         \
	}
#define ONE_REGION 40
#define KICK(ring) U64_FD(SET_VRING_KICK, ring)

static void queue_message(struct fixture *fixture, const struct message *m)
{
	int fd = m->descriptor == MEMORY ? fixture->memory : fixture->event;
	int fds[] = { fd, fd, fd, fd, fd, fd, fd, fd };
	rig_send(&fixture->qemu, m->request, 0, &m->payload, m->size_bytes, fds, m->n_fds);
}

static void send_messages(struct fixture *fixture, const struct message *messages, unsigned n)
{
	for (unsigned i = 0; i < n && messages[i].request; i++) {
		queue_message(fixture, &messages[i]);
		run_loop();
	}
}

/* QEMU begins with these. */
static const struct message opening[] = {
	U64(SET_PROTOCOL_FEATURES, PROTOCOL_FEATURES),
	BARE(SET_OWNER),
};

/* ---- what QEMU may not say ---- */

struct refusal {
	const char *name;
	bool opened; /* `opening` comes first */
	struct message messages[3];
	const char *reason;
};

static const struct refusal refusals[] = {
	{ "owner/features", false, { U64(SET_FEATURES, 0) },
		"SET_FEATURES: out of order: before SET_OWNER" },
	{ "owner/ring", false, { STATE(SET_VRING_NUM, 0, 4) }, "before SET_OWNER" },
	{ "owner/socket", false,
		{ { .request = VHOST_USER_GPU_SET_SOCKET, .descriptor = EVENT, .n_fds = 1 } },
		"before SET_OWNER" },
	{ "owner/twice", true, { BARE(SET_OWNER) }, "there is an owner already" },
	{ "features/unknown", true, { U64(SET_FEATURES, 1ull << 63) },
		"features that were not offered" },
	{ "protocol/unknown", true, { U64(SET_PROTOCOL_FEATURES, 1ull << 1) },
		"protocol features that were not offered" },
	{ "protocol/config", false, { CONFIG(12 + 4, 4) },
		"GET_CONFIG: out of order: its protocol feature was not accepted" },
	{ "protocol/reset", false, { BARE(SET_OWNER), BARE(RESET_DEVICE) },
		"its protocol feature was not accepted" },
	{ "protocol/slots", false, { BARE(GET_MAX_MEM_SLOTS) },
		"its protocol feature was not accepted" },
	{ "config/longer", true, { CONFIG(12 + 4, 8) }, "size does not fit the payload" },
	{ "config/huge", true, { CONFIG(12 + 4, UINT32_MAX) }, "size does not fit the payload" },
	{ "table/too-many", true, { TABLE(9, sizeof(struct vhost_user_memory), 8) },
		"too many memory regions" },
	{ "table/size", true, { TABLE(2, ONE_REGION, 2) },
		"size does not fit the number of regions" },
	{ "table/descriptors", true, { TABLE(1, ONE_REGION, 2) },
		"not one descriptor for each region" },
	{ "table/overlap", true, { REGION(ADD_MEM_REG, 0), REGION(ADD_MEM_REG, 1) },
		"ADD_MEM_REG: memory regions overlap" },
	{ "table/remove", true, { REGION(REM_MEM_REG, 0) }, "no such memory region" },
	{ "ring/index", true, { STATE(SET_VRING_NUM, KEEPER_RINGS, 4) }, "no such ring" },
	{ "ring/large-index", true, { STATE(GET_VRING_BASE, UINT32_MAX, 0) }, "no such ring" },
	{ "ring/empty", true, { STATE(SET_VRING_NUM, 0, 0) }, "ring size out of range" },
	{ "ring/size", true, { STATE(SET_VRING_NUM, 0, KEEPER_RING_SIZE_MAX + 1) },
		"ring size out of range" },
	{ "ring/base", true, { STATE(SET_VRING_BASE, 0, 65536) }, "ring index out of range" },
	{ "ring/log", true, { ADDR(0, 1, 0) }, "dirty logging was not offered" },
	{ "ring/enable", true, { STATE(SET_VRING_ENABLE, 0, 2) }, "neither 0 nor 1" },
	{ "running/size", true, { KICK(0), STATE(SET_VRING_NUM, 0, 4) }, "the ring is running" },
	{ "running/addr", true, { KICK(0), ADDR(0, 0, 0) }, "the ring is running" },
	{ "running/base", true, { KICK(0), STATE(SET_VRING_BASE, 0, 0) }, "the ring is running" },
	{ "running/kick", true, { KICK(0), KICK(0) }, "SET_VRING_KICK: the ring is running" },
	{ "kick/bits", true, { KICK(1ull << 9) }, "unknown bits" },
	{ "kick/no-ring", true, { KICK(KEEPER_RINGS) }, "no such ring" },
	{ "kick/missing", true, { U64(SET_VRING_KICK, 0) },
		"number of descriptors contradicts the payload" },
	{ "kick/stray", true, { KICK(VHOST_USER_VRING_NO_FD) },
		"number of descriptors contradicts the payload" },
	{ "kick/poll", true, { U64(SET_VRING_KICK, VHOST_USER_VRING_NO_FD) },
		"polling instead of kicks is not offered" },
};

static void test_refusal(const void *data)
{
	const struct refusal *c = data;
	struct fixture fixture;
	g_autofree char *pattern = g_strdup_printf("*%s: conversation ended", c->reason);
	set_up(&fixture);
	if (c->opened)
		send_messages(&fixture, opening, G_N_ELEMENTS(opening));
	g_assert_false(fixture.closed);
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_WARNING, pattern);
	send_messages(&fixture, c->messages, G_N_ELEMENTS(c->messages));
	g_test_assert_expected_messages();
	g_assert_true(fixture.closed && fixture.refused);
	tear_down(&fixture);
}

/* ---- what the device is then ---- */

static uint64_t get_u64(struct fixture *fixture, uint32_t request)
{
	uint64_t value;
	rig_send(&fixture->qemu, request, 0, NULL, 0, NULL, 0);
	run_loop();
	rig_receive(&fixture->qemu, request, &value, sizeof(value));
	return value;
}

static void open_conversation(struct fixture *fixture)
{
	set_up(fixture);
	send_messages(fixture, opening, G_N_ELEMENTS(opening));
}

static void test_numbers(void)
{
	struct fixture fixture;
	open_conversation(&fixture);
	g_assert_cmpuint(
		get_u64(&fixture, VHOST_USER_GET_FEATURES), ==, fixture.device.features_offered);
	g_assert_cmpuint(
		get_u64(&fixture, VHOST_USER_GET_PROTOCOL_FEATURES), ==, PROTOCOL_FEATURES);
	g_assert_cmpuint(get_u64(&fixture, VHOST_USER_GET_QUEUE_NUM), ==, KEEPER_RINGS);
	g_assert_cmpuint(
		get_u64(&fixture, VHOST_USER_GET_MAX_MEM_SLOTS), ==, KEEPER_MEMORY_REGIONS_MAX);
	tear_down(&fixture);
}

/* QEMU adds features of its own, which change nothing and are not passed on. */
static void test_features(void)
{
	static const struct message tolerated[] = {
		U64(SET_FEATURES,
			DEVICE_F_VERSION_1 | DEVICE_F_ANY_LAYOUT | DEVICE_F_PROTOCOL_FEATURES),
	};
	static const struct message plain[] = { U64(SET_FEATURES, DEVICE_F_VERSION_1) };
	struct fixture fixture;
	open_conversation(&fixture);
	send_messages(&fixture, tolerated, 1);
	g_assert_cmpuint(
		fixture.device.features, ==, DEVICE_F_VERSION_1 | DEVICE_F_PROTOCOL_FEATURES);
	g_assert_false(fixture.device.rings[0].enabled);
	g_assert_false(fixture.device.driver_forgotten);
	/*
	 * Other features come from another driver. Without protocol features rings need no
	 * enabling.
	 */
	send_messages(&fixture, plain, 1);
	g_assert_true(fixture.device.driver_forgotten);
	g_assert_true(fixture.device.rings[0].enabled && fixture.device.rings[1].enabled);
	tear_down(&fixture);
}

static void test_ring(void)
{
	static const struct message messages[] = { STATE(SET_VRING_NUM, 1, 16),
		STATE(SET_VRING_BASE, 1, 7), ADDR(1, 0, 0x1000), U64_FD(SET_VRING_CALL, 1),
		U64_FD(SET_VRING_ERR, 1), KICK(1), STATE(SET_VRING_ENABLE, 1, 1) };
	struct vhost_user_vring_state state = { 1, 0 };
	struct fixture fixture;
	open_conversation(&fixture);
	send_messages(&fixture, messages, G_N_ELEMENTS(messages));
	const struct device_ring *ring = &fixture.device.rings[1];
	g_assert_cmpuint(ring->size, ==, 16);
	g_assert_cmpuint(ring->next_avail, ==, 7);
	g_assert_cmpuint(ring->avail_user_addr, ==, 0x1000);
	g_assert_true(ring->started && ring->enabled);
	g_assert_true(ring->kick >= 0 && ring->call >= 0 && ring->error >= 0);

	rig_send(&fixture.qemu, VHOST_USER_GET_VRING_BASE, 0, &state, sizeof(state), NULL, 0);
	run_loop();
	rig_receive(&fixture.qemu, VHOST_USER_GET_VRING_BASE, &state, sizeof(state));
	g_assert_cmpuint(state.num, ==, 7);
	g_assert_false(ring->started);
	g_assert_cmpint(ring->kick, ==, -1);
	tear_down(&fixture);
}

/*
 * When base and addresses are the same again the guest only paused; when they differ its driver is
 * new.
 */
static void test_reset_or_resume(void)
{
	static const struct message first[] = { STATE(SET_VRING_BASE, 0, 0), ADDR(0, 0, 0x1000) };
	static const struct message moved[] = { ADDR(0, 0, 0x2000) };
	static const struct message rewound[] = { STATE(SET_VRING_BASE, 0, 9) };
	struct fixture fixture;
	open_conversation(&fixture);
	send_messages(&fixture, first, 2);
	send_messages(&fixture, first, 2);
	g_assert_false(fixture.device.driver_forgotten);
	send_messages(&fixture, moved, 1);
	g_assert_true(fixture.device.driver_forgotten);
	fixture.device.driver_forgotten = false;
	send_messages(&fixture, rewound, 1);
	g_assert_true(fixture.device.driver_forgotten);
	tear_down(&fixture);
}

/* A ring of a size that no ring has does not run; that is the guest's fault, not QEMU's. */
static void test_odd_size(void)
{
	static const struct message odd[] = { STATE(SET_VRING_NUM, 0, 12) };
	struct fixture fixture;
	open_conversation(&fixture);
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_WARNING, "guest: ring 0 of 12 entries*");
	send_messages(&fixture, odd, 1);
	g_test_assert_expected_messages();
	g_assert_false(fixture.closed);
	tear_down(&fixture);
}

/* After REM_MEM_REG the new table is held back until QEMU pauses, or a ring starts. */
static void test_memory_settles(void)
{
	static const struct message add[] = { REGION(ADD_MEM_REG, 0) };
	static const struct message remove[] = { REGION(REM_MEM_REG, 0) };
	static const struct message kick[] = { KICK(0) };
	struct fixture fixture;
	open_conversation(&fixture);
	send_messages(&fixture, add, 1);
	g_assert_cmpuint(fixture.device.n_regions, ==, 1);
	g_assert_cmpuint(fixture.requests.memory_timer, ==, 0);
	/*
	 * One turn handles the message; the timer that it starts can fire in the next at the
	 * earliest.
	 */
	queue_message(&fixture, remove);
	g_main_context_iteration(NULL, FALSE);
	g_assert_cmpuint(fixture.device.n_regions, ==, 0);
	g_assert_cmpuint(fixture.requests.memory_timer, !=, 0);
	g_usleep(20000);
	run_loop();
	g_assert_cmpuint(fixture.requests.memory_timer, ==, 0);

	send_messages(&fixture, add, 1);
	queue_message(&fixture, remove);
	queue_message(&fixture, kick);
	g_main_context_iteration(NULL, FALSE);
	g_assert_true(fixture.device.rings[0].started);
	g_assert_cmpuint(fixture.requests.memory_timer, ==, 0);
	tear_down(&fixture);
}

/* What is wrong, and what puts it right, is said once, by name. */
struct trouble {
	const char *name;
	struct message messages[6];
	const char *line;
};

#define FEATURES(more) U64(SET_FEATURES, DEVICE_F_VERSION_1 | DEVICE_F_PROTOCOL_FEATURES | (more))
#define ENABLE(ring) STATE(SET_VRING_ENABLE, ring, 1)
static const struct trouble troubles[] = {
	{ "no-memory", { FEATURES(0), ADDR(0, 0, 0x1000), KICK(0), ENABLE(0), ENABLE(1) },
		"*none of the guest's memory*memory-backend-memfd*share=on*" },
	{ "outside",
		{ FEATURES(0), REGION(ADD_MEM_REG, 0), ADDR(0, 0, REGION_BYTES), KICK(0),
			ENABLE(0) },
		"*rings into memory that is not shared*share=on*" },
	{ "iommu",
		{ FEATURES(DEVICE_F_ACCESS_PLATFORM), REGION(ADD_MEM_REG, 0), ADDR(0, 0, 0),
			KICK(0), ENABLE(0) },
		"*virtual IOMMU*iommu_platform=on*" },
	{ "none",
		{ FEATURES(0), REGION(ADD_MEM_REG, 0), ADDR(0, 0, REGION_BYTES - 1), KICK(0),
			ENABLE(0) },
		NULL },
	{ "not-enabled", { FEATURES(0), ADDR(0, 0, 0x1000), KICK(0) }, NULL },
};

static void test_trouble(const void *data)
{
	const struct trouble *c = data;
	struct fixture fixture;
	open_conversation(&fixture);
	if (c->line)
		g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_WARNING, c->line);
	for (unsigned twice = 0; twice < 2; twice++) {
		send_messages(&fixture, c->messages, G_N_ELEMENTS(c->messages));
		static const struct message again[] = { STATE(GET_VRING_BASE, 0, 0),
			REGION(REM_MEM_REG, 0) };
		send_messages(&fixture, again, fixture.device.n_regions ? 2 : 1);
	}
	g_test_assert_expected_messages();
	g_assert_false(fixture.closed);
	tear_down(&fixture);
}

/* A packed ring's base is two places, each with its wrap counter, and its size is any. */
static void test_packed(void)
{
	static const struct message messages[] = { FEATURES(DEVICE_F_RING_PACKED),
		STATE(SET_VRING_NUM, 1, 12), STATE(SET_VRING_BASE, 1, 0x8003800b),
		ADDR(1, 0, 0x1000), REGION(ADD_MEM_REG, 0), KICK(1),
		STATE(SET_VRING_ENABLE, 1, 1) };
	struct vhost_user_vring_state state = { 1, 0 };
	struct fixture fixture;
	open_conversation(&fixture);
	send_messages(&fixture, messages, G_N_ELEMENTS(messages));
	const struct device_ring *ring = &fixture.device.rings[1];
	g_assert_cmphex(ring->next_avail, ==, 0x800b);
	g_assert_cmphex(ring->next_used, ==, 0x8003);
	g_assert_true(device_ring_runnable(&fixture.device, 1));
	rig_send(&fixture.qemu, VHOST_USER_GET_VRING_BASE, 0, &state, sizeof(state), NULL, 0);
	run_loop();
	rig_receive(&fixture.qemu, VHOST_USER_GET_VRING_BASE, &state, sizeof(state));
	g_assert_cmphex(state.num, ==, 0x8003800b);
	/* The same again is the same driver; where it gives back counts, too. */
	fixture.device.driver_forgotten = false;
	static const struct message same[] = { STATE(SET_VRING_BASE, 1, 0x8003800b) };
	static const struct message other[] = { STATE(SET_VRING_BASE, 1, 0x0003800b) };
	send_messages(&fixture, same, 1);
	g_assert_false(fixture.device.driver_forgotten);
	send_messages(&fixture, other, 1);
	g_assert_true(fixture.device.driver_forgotten);
	tear_down(&fixture);
}

/*
 * What QEMU says before it saves a guest without OpenGL, in its order, while the rings run: no
 * driver is new for it. A guest with OpenGL is not offered it.
 */
static void test_dirty_log(void)
{
	struct message begin[] = { FEATURES(0), REGION(ADD_MEM_REG, 0), ADDR(0, 0, 0x1000), KICK(0),
		ENABLE(0) };
	struct message log[] = { FEATURES(DEVICE_F_LOG_ALL), ADDR(0, 1, 0x1000) };
	struct message moved[] = { ADDR(0, 1, 0x2000) };
	struct vhost_user_log base = { .size_bytes = 64 };
	struct fixture fixture;
	uint64_t answer = 1;
	set_up(&fixture);
	device_finish(&fixture.device);
	device_init(&fixture.device, false);
	struct message opening_2d[] = { U64(SET_PROTOCOL_FEATURES, fixture.device.protocol_offered),
		BARE(SET_OWNER) };
	send_messages(&fixture, opening_2d, 2);
	send_messages(&fixture, begin, G_N_ELEMENTS(begin));
	fixture.device.driver_forgotten = false;
	rig_send(
		&fixture.qemu, VHOST_USER_SET_LOG_BASE, 0, &base, sizeof(base), &fixture.memory, 1);
	run_loop();
	rig_receive(&fixture.qemu, VHOST_USER_SET_LOG_BASE, &answer, sizeof(answer));
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_MESSAGE, "the machine is being saved*");
	send_messages(&fixture, log, 2);
	g_test_assert_expected_messages();
	g_assert_true(fixture.device.rings[0].started && !fixture.device.driver_forgotten);
	g_assert_cmpuint(fixture.device.log_size_bytes, ==, 64);
	g_assert_cmpint(fixture.device.log, >=, 0);
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_WARNING, "*the ring is running*");
	send_messages(&fixture, moved, 1);
	g_test_assert_expected_messages();
	tear_down(&fixture);
}

/* QEMU waits for the answer to each of these. */
static void test_iotlb(void)
{
	struct vhost_user_iotlb iotlb = { .size_bytes = 4096, .type = 2 };
	struct fixture fixture;
	uint64_t answer = 1;
	open_conversation(&fixture);
	rig_send(&fixture.qemu, VHOST_USER_IOTLB_MSG, VHOST_USER_FLAG_NEED_REPLY, &iotlb,
		sizeof(iotlb), NULL, 0);
	run_loop();
	rig_receive(&fixture.qemu, VHOST_USER_IOTLB_MSG, &answer, sizeof(answer));
	g_assert_cmpuint(answer, ==, 0);
	tear_down(&fixture);
}

static void test_reset_device(void)
{
	static const struct message messages[] = { U64(SET_FEATURES, DEVICE_F_VERSION_1),
		REGION(ADD_MEM_REG, 0), STATE(SET_VRING_NUM, 0, 16), KICK(0), BARE(RESET_DEVICE) };
	struct fixture fixture;
	open_conversation(&fixture);
	send_messages(&fixture, messages, G_N_ELEMENTS(messages));
	g_assert_false(fixture.device.have_features);
	g_assert_false(fixture.device.rings[0].started);
	g_assert_false(fixture.device.rings[0].enabled);
	g_assert_cmpuint(fixture.device.n_regions, ==, 1);
	tear_down(&fixture);
}

static void test_hang_up(void)
{
	struct fixture fixture;
	open_conversation(&fixture);
	g_assert_cmpint(requests_peer_pid(&fixture.requests), ==, getpid());
	shutdown(fixture.qemu.socket, SHUT_WR);
	run_loop();
	g_assert_true(fixture.closed && !fixture.refused);
	tear_down(&fixture);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++) {
		g_autofree char *path = g_strdup_printf("/requests/refused/%s", refusals[i].name);
		g_test_add_data_func(path, &refusals[i], test_refusal);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(troubles); i++) {
		g_autofree char *path = g_strdup_printf("/requests/trouble/%s", troubles[i].name);
		g_test_add_data_func(path, &troubles[i], test_trouble);
	}
	g_test_add_func("/requests/packed", test_packed);
	g_test_add_func("/requests/dirty-log", test_dirty_log);
	g_test_add_func("/requests/iotlb", test_iotlb);
	g_test_add_func("/requests/numbers", test_numbers);
	g_test_add_func("/requests/features", test_features);
	g_test_add_func("/requests/ring", test_ring);
	g_test_add_func("/requests/reset-or-resume", test_reset_or_resume);
	g_test_add_func("/requests/odd-size", test_odd_size);
	g_test_add_func("/requests/memory-settles", test_memory_settles);
	g_test_add_func("/requests/reset-device", test_reset_device);
	g_test_add_func("/requests/hang-up", test_hang_up);
	return g_test_run();
}
