/* SPDX-License-Identifier: MIT */
/*
 * vhost: says what QEMU would never say: messages of the wrong size, out of order, with too many
 * descriptors, cut short. The connection is refused with a reason in the log, and nothing crashes.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/wire/wire.h"

static struct desktop *create(bool machine_only)
{
	struct desktop_options options = {
		.layout = GUEST_MEMORY_ONE,
		.machine_only = machine_only,
		.protocol_features = GUEST_PROTOCOL_FEATURES,
	};
	return desktop_create(&options);
}

/* Checks that the program ends with a status, not by a signal, and says why in its log. */
static void expect_refused(struct desktop *desktop, const char *what)
{
	struct backend *backend = desktop->guest->backend;
	if (!backend_wait_exit(backend, wire_ms(WIRE_END_MS)))
		g_error("%s: not refused", what);
	if (!WIFEXITED(backend->wait_status) || WEXITSTATUS(backend->wait_status) == 0)
		g_error("%s: wait status %#x", what, backend->wait_status);
	if (!backend_count_log(backend, "QEMU"))
		g_error("%s: no reason in the log", what);
	guest_destroy(desktop->guest);
	consumer_link_destroy(desktop->consumer);
	g_free(desktop);
}

struct wrong {
	const char *name;
	uint32_t request;
	uint32_t payload_bytes;
	unsigned n_fds;
	bool after_start; /* with rings running */
	uint8_t payload[64];
};

static const struct wrong WRONG[] = {
	{ "unknown request", 200, 8, 0, false, { 0 } },
	{ "request 0", 0, 0, 0, false, { 0 } },
	{ "huge payload", VHOST_USER_SET_FEATURES, 0x7fffffff, 0, false, { 0 } },
	{ "short SET_FEATURES", VHOST_USER_SET_FEATURES, 4, 0, false, { 0 } },
	{ "long SET_FEATURES", VHOST_USER_SET_FEATURES, 16, 0, false, { 0 } },
	{ "features not offered", VHOST_USER_SET_FEATURES, 8, 0, false,
		{ 0, 0, 0, 0, 0, 0, 0, 0x80 } },
	{ "GET_FEATURES with payload", VHOST_USER_GET_FEATURES, 8, 0, false, { 0 } },
	{ "owner twice", VHOST_USER_SET_OWNER, 0, 0, false, { 0 } },
	{ "no GPU socket in GPU_SET_SOCKET", VHOST_USER_GPU_SET_SOCKET, 0, 0, false, { 0 } },
	{ "two GPU sockets", VHOST_USER_GPU_SET_SOCKET, 0, 2, false, { 0 } },
	{ "memory table without regions' bytes", VHOST_USER_SET_MEM_TABLE, 8, 0, false, { 3 } },
	{ "memory table of 200 regions", VHOST_USER_SET_MEM_TABLE, 8, 0, false, { 200 } },
	{ "memory table without descriptor", VHOST_USER_SET_MEM_TABLE, 40, 0, false, { 1 } },
	{ "region without descriptor", VHOST_USER_ADD_MEM_REG, 40, 0, false, { 0 } },
	{ "unknown region removed", VHOST_USER_REM_MEM_REG, 40, 0, false,
		{ 0, 0, 0, 0, 0, 0, 0, 0, 7 } },
	{ "ring 2", VHOST_USER_SET_VRING_NUM, 8, 0, false, { 2, 0, 0, 0, 16 } },
	{ "ring of 0 entries", VHOST_USER_SET_VRING_NUM, 8, 0, false, { 0 } },
	{ "ring of 65536 entries", VHOST_USER_SET_VRING_NUM, 8, 0, false, { 0, 0, 0, 0, 0, 0, 1 } },
	{ "base 65536", VHOST_USER_SET_VRING_BASE, 8, 0, false, { 0, 0, 0, 0, 0, 0, 1 } },
	{ "short ring addresses", VHOST_USER_SET_VRING_ADDR, 8, 0, false, { 0 } },
	{ "kick without descriptor", VHOST_USER_SET_VRING_KICK, 8, 0, false, { 0 } },
	{ "kick of ring 9", VHOST_USER_SET_VRING_KICK, 8, 1, false, { 9 } },
	{ "stop of ring 77", VHOST_USER_GET_VRING_BASE, 8, 0, false, { 77 } },
	{ "enable with 7", VHOST_USER_SET_VRING_ENABLE, 8, 0, false, { 0, 0, 0, 0, 7 } },
	{ "config of 1000 bytes", VHOST_USER_GET_CONFIG, 12, 0, false, { 0, 0, 0, 0, 0xe8, 3 } },
	{ "ring size while running", VHOST_USER_SET_VRING_NUM, 8, 0, true, { 0, 0, 0, 0, 128 } },
	{ "ring address while running", VHOST_USER_SET_VRING_ADDR, 40, 0, true, { 0 } },
	{ "sixteen descriptors", VHOST_USER_SET_VRING_CALL, 8, 16, true, { 0 } },
};

static void test_wrong(const void *data)
{
	const struct wrong *w = data;
	struct desktop *desktop = create(!w->after_start);
	int fds[16];
	for (unsigned i = 0; i < w->n_fds; i++)
		fds[i] = dup(STDERR_FILENO);
	struct vhost_user_header header = { w->request, VHOST_USER_VERSION, w->payload_bytes };
	uint8_t bytes[sizeof(header) + sizeof(w->payload)];
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), w->payload, sizeof(w->payload));
	struct iovec iov = {
		.iov_base = bytes,
		.iov_len = sizeof(header) + MIN(w->payload_bytes, sizeof(w->payload)),
	};
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	char control[CMSG_SPACE(sizeof(fds))] = { 0 };
	if (w->n_fds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * w->n_fds);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * w->n_fds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * w->n_fds);
	}
	g_assert_cmpint(sendmsg(desktop->guest->fe.socket, &msg, MSG_NOSIGNAL), >, 0);
	for (unsigned i = 0; i < w->n_fds; i++)
		close(fds[i]);
	expect_refused(desktop, w->name);
}

static void test_wrong_version(void)
{
	struct desktop *desktop = create(true);
	struct vhost_user_header header = { VHOST_USER_GET_FEATURES, 2, 0 };
	g_assert_cmpint(
		send(desktop->guest->fe.socket, &header, sizeof(header), MSG_NOSIGNAL), >, 0);
	expect_refused(desktop, "protocol version 2");
}

static void test_cut_short(void)
{
	struct desktop *desktop = create(true);
	struct vhost_user_header header = { VHOST_USER_SET_FEATURES, VHOST_USER_VERSION, 8 };
	g_assert_cmpint(send(desktop->guest->fe.socket, &header, 7, MSG_NOSIGNAL), ==, 7);
	backend_close_socket(desktop->guest->backend);
	expect_refused(desktop, "a header of 7 bytes");
}

/* Before SET_OWNER the keeper takes nothing that changes the device. */
static void test_out_of_order(const void *data)
{
	uint32_t request = GPOINTER_TO_UINT(data);
	char *directory = backend_directory_create();
	g_autofree char *worker_dir = g_strdup_printf("--worker-dir=%s", directory);
	const char *arguments[] = { worker_dir, "--software", NULL };
	struct desktop *desktop = g_new0(struct desktop, 1);
	desktop->guest = g_new0(struct guest, 1);
	desktop->consumer = consumer_link_create(
		directory, g_getenv("WIRE_CONSUMER"), g_getenv("VITRINE_RENDER"), wire_ms(15000));
	desktop->guest->backend = backend_start(g_getenv("VITRINE_GPU"), arguments, directory);
	front_end_init(&desktop->guest->fe, desktop->guest->backend->socket, wire_ms(15000));
	g_assert_true(consumer_link_accept(desktop->consumer));
	uint64_t payload = 0;
	uint32_t bytes = request == VHOST_USER_SET_FEATURES ? 8 : 8;
	front_end_try_send(&desktop->guest->fe, request, 0, &payload, bytes, NULL, 0);
	expect_refused(desktop, "out of order");
}

/* A message may come in any pieces, down to single bytes. */
static void test_dribble(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	struct vhost_user_header header = { VHOST_USER_GET_FEATURES, VHOST_USER_VERSION, 0 };
	for (int k = 0; k < 5; k++) {
		struct vhost_user_message answer;
		for (size_t i = 0; i < sizeof(header); i++) {
			g_assert_cmpint(
				send(guest->fe.socket, (uint8_t *)&header + i, 1, MSG_NOSIGNAL), ==,
				1);
			g_usleep(1000);
		}
		g_assert_true(front_end_try_receive(&guest->fe, &answer));
		g_assert_cmpuint(answer.header.request, ==, VHOST_USER_GET_FEATURES);
		g_assert_cmpuint(answer.payload.u64, ==, guest->fe.device_features);
	}
	desktop_destroy(desktop);
}

/*
 * A region is told that is longer than its memory: the keeper never maps it, the renderer refuses
 * what it cannot map.
 */
static void test_memory_too_short(void)
{
	struct desktop *desktop = create(true);
	struct guest *guest = desktop->guest;
	struct guest_memory_region *region = &guest->memory->regions[0];
	region->size_bytes *= 16;
	if (front_end_try_send(&guest->fe, VHOST_USER_SET_MEM_TABLE, 0,
		    &(struct vhost_user_memory){ .n_regions = 1,
			    .regions[0] = { region->guest_addr, region->size_bytes,
				    region->user_addr, 0 } },
		    40, &region->fd, 1)) {
		struct vhost_user_message answer;
		front_end_try_send(&guest->fe, VHOST_USER_GET_FEATURES, 0, NULL, 0, NULL, 0);
		/*
		 * The keeper may refuse the region or accept it in vain, but must not die by a
		 * signal.
		 */
		if (!front_end_try_receive(&guest->fe, &answer))
			g_assert_true(backend_wait_exit(guest->backend, wire_ms(WIRE_END_MS)));
	}
	region->size_bytes /= 16;
	if (guest->backend->reaped)
		g_assert_true(WIFEXITED(guest->backend->wait_status));
	guest_destroy(guest);
	consumer_link_destroy(desktop->consumer);
	g_free(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	for (unsigned i = 0; i < G_N_ELEMENTS(WRONG); i++) {
		g_autofree char *path = g_strdup_printf("/vhost/wrong/%s", WRONG[i].name);
		g_strdelimit(path + 13, " /'", '-');
		g_test_add_data_func(path, &WRONG[i], test_wrong);
	}
	g_test_add_func("/vhost/wrong-version", test_wrong_version);
	g_test_add_func("/vhost/cut-short", test_cut_short);
	g_test_add_data_func("/vhost/out-of-order/features",
		GUINT_TO_POINTER(VHOST_USER_SET_FEATURES), test_out_of_order);
	g_test_add_data_func("/vhost/out-of-order/vring-num",
		GUINT_TO_POINTER(VHOST_USER_SET_VRING_NUM), test_out_of_order);
	g_test_add_func("/vhost/dribble", test_dribble);
	g_test_add_func("/vhost/memory-too-short", test_memory_too_short);
	return g_test_run();
}
