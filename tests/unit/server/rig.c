/* SPDX-License-Identifier: MIT */
#include "tests/unit/server/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"

#define PATIENCE_MS 20000
#define ANSWER_MS 3000
#define MEMORY_BYTES (1u << 20)
#define USER_ADDR 0x7f0000000000ull

static void write_workers(const struct rig *rig)
{
	static const char *const names[] = { "vitrine-render", "vitrine-display" };
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(rig->dir, names[i], NULL);
		g_assert_cmpint(symlink(g_getenv("FAKE_WORKER"), path), ==, 0);
	}
}

struct rig *rig_create(const char *const *arguments)
{
	struct rig *rig = g_new0(struct rig, 1);
	rig->dir = g_dir_make_tmp("vitrine-rig-XXXXXX", NULL);
	rig->worker_log = g_build_filename(rig->dir, "workers", NULL);
	rig->error_log = g_build_filename(rig->dir, "errors", NULL);
	rig->gpu_socket = -1;
	rig->memory = memfd_create("guest", MFD_CLOEXEC);
	g_assert_cmpint(ftruncate(rig->memory, MEMORY_BYTES), ==, 0);
	write_workers(rig);
	g_setenv("FAKE_WORKER_LOG", rig->worker_log, TRUE);
	/* Workers write only where GStreamer has its registry. */
	g_autofree char *registry = g_build_filename(rig->dir, "registry", NULL);
	g_setenv("GST_REGISTRY_1_0", registry, TRUE);

	int pair[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	int errors = open(rig->error_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	g_autofree char *worker_dir = g_strdup_printf("--worker-dir=%s", rig->dir);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_ptr_array_add(argv, (char *)g_getenv("VITRINE_GPU"));
	g_ptr_array_add(argv, (char *)"--fd=3");
	g_ptr_array_add(argv, worker_dir);
	/* Who wants a spare one says so behind it. */
	g_ptr_array_add(argv, (char *)"--spare=none");
	for (unsigned i = 0; arguments && arguments[i]; i++)
		g_ptr_array_add(argv, (char *)arguments[i]);
	g_ptr_array_add(argv, NULL);
	struct process_options options = {
		.death_signal = SIGKILL, .stderr_fd = errors, .fds = { { pair[1], 3 } }, .n_fds = 1
	};
	g_autoptr(GError) error = NULL;
	rig->pid = process_spawn((char **)argv->pdata, &options, &error);
	g_assert_no_error(error);
	close(errors);
	close(pair[1]);
	rig->socket = pair[0];
	return rig;
}

char *rig_errors(const struct rig *rig)
{
	char *text = NULL;
	g_file_get_contents(rig->error_log, &text, NULL, NULL);
	return text ? text : g_strdup("");
}

int rig_wait_end(struct rig *rig)
{
	int status;
	if (!process_wait_end(rig->pid, PATIENCE_MS))
		g_error("vitrine-gpu does not end");
	g_assert_cmpint(waitpid(rig->pid, &status, 0), ==, rig->pid);
	rig->pid = 0;
	return status;
}

void rig_free(struct rig *rig)
{
	static const char *const files[] = { "vitrine-render", "vitrine-display", "workers",
		"errors" };
	for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(rig->dir, files[i], NULL);
		g_unlink(path);
	}
	g_rmdir(rig->dir);
	if (rig->socket >= 0)
		close(rig->socket);
	if (rig->gpu_socket >= 0)
		close(rig->gpu_socket);
	close(rig->memory);
	g_free(rig->dir);
	g_free(rig->worker_log);
	g_free(rig->error_log);
	g_free(rig);
}

void rig_destroy(struct rig *rig)
{
	close(rig->socket);
	rig->socket = -1;
	int status = rig_wait_end(rig);
	if (status != 0) {
		g_autofree char *errors = rig_errors(rig);
		g_error("wait status %#x: %s", (unsigned)status, errors);
	}
	rig_free(rig);
}

void rig_send(struct rig *rig, uint32_t request, uint32_t flags, const void *payload,
	size_t size_bytes, const int *fds, unsigned n_fds)
{
	struct vhost_user_header header = { request, VHOST_USER_VERSION | flags,
		(uint32_t)size_bytes };
	struct iovec iov[2] = { { &header, sizeof(header) }, { (void *)payload, size_bytes } };
	char control[CMSG_SPACE(sizeof(int) * 8)] = { 0 };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	if (n_fds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	g_assert_cmpint(sendmsg(rig->socket, &msg, MSG_NOSIGNAL), ==,
		(gssize)(sizeof(header) + size_bytes));
}

void rig_send_u64(struct rig *rig, uint32_t request, uint64_t value)
{
	rig_send(rig, request, 0, &value, sizeof(value), NULL, 0);
}

static void read_all(struct rig *rig, void *to, size_t size_bytes, int patience_ms)
{
	for (size_t have = 0; have < size_bytes;) {
		struct pollfd p = { .fd = rig->socket, .events = POLLIN };
		g_assert_cmpint(poll(&p, 1, patience_ms), ==, 1);
		ssize_t n = read(rig->socket, (char *)to + have, size_bytes - have);
		g_assert_cmpint(n, >, 0);
		have += (size_t)n;
	}
}

static void receive(
	struct rig *rig, uint32_t request, void *payload, size_t size_bytes, int patience_ms)
{
	struct vhost_user_header header;
	read_all(rig, &header, sizeof(header), patience_ms);
	g_assert_cmpuint(header.request, ==, request);
	g_assert_cmpuint(header.flags, ==, VHOST_USER_VERSION | VHOST_USER_FLAG_REPLY);
	g_assert_cmpuint(header.size_bytes, ==, size_bytes);
	read_all(rig, payload, size_bytes, patience_ms);
}

void rig_receive(struct rig *rig, uint32_t request, void *payload, size_t size_bytes)
{
	receive(rig, request, payload, size_bytes, ANSWER_MS);
}

uint64_t rig_get_u64(struct rig *rig, uint32_t request)
{
	uint64_t value;
	rig_send(rig, request, 0, NULL, 0, NULL, 0);
	rig_receive(rig, request, &value, sizeof(value));
	return value;
}

void rig_negotiate(struct rig *rig)
{
	uint64_t features;
	/* We wait longer for the first answer, as it comes when the workers are ready. */
	rig_send(rig, VHOST_USER_GET_FEATURES, 0, NULL, 0, NULL, 0);
	receive(rig, VHOST_USER_GET_FEATURES, &features, sizeof(features), PATIENCE_MS);
	g_assert_true(features & (1ull << VHOST_USER_F_PROTOCOL_FEATURES));
	uint64_t protocol = rig_get_u64(rig, VHOST_USER_GET_PROTOCOL_FEATURES);
	rig_send_u64(rig, VHOST_USER_SET_PROTOCOL_FEATURES, protocol);
	rig_send(rig, VHOST_USER_SET_OWNER, 0, NULL, 0, NULL, 0);
}

static void send_eventfd(struct rig *rig, uint32_t request, unsigned ring)
{
	uint64_t value = ring;
	int fd = eventfd(0, EFD_CLOEXEC);
	rig_send(rig, request, 0, &value, sizeof(value), &fd, 1);
	close(fd);
}

static void send_state(struct rig *rig, uint32_t request, unsigned ring, unsigned num)
{
	struct vhost_user_vring_state state = { ring, num };
	rig_send(rig, request, 0, &state, sizeof(state), NULL, 0);
}

static void send_gpu_socket(struct rig *rig)
{
	int pair[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	rig_send(rig, VHOST_USER_GPU_SET_SOCKET, 0, NULL, 0, &pair[1], 1);
	close(pair[1]);
	if (rig->gpu_socket >= 0)
		close(rig->gpu_socket);
	rig->gpu_socket = pair[0];
}

void rig_start(struct rig *rig, unsigned base, uint64_t address)
{
	struct vhost_user_memory memory = { .n_regions = 1,
		.regions = { { 0, MEMORY_BYTES, USER_ADDR, 0 } } };
	uint64_t answer;
	send_gpu_socket(rig);
	rig_send_u64(rig, VHOST_USER_SET_FEATURES,
		1ull << 32 | 1ull << VHOST_USER_F_PROTOCOL_FEATURES | 3);
	rig_send(rig, VHOST_USER_SET_MEM_TABLE, VHOST_USER_FLAG_NEED_REPLY, &memory,
		8 + sizeof(memory.regions[0]), &rig->memory, 1);
	rig_receive(rig, VHOST_USER_SET_MEM_TABLE, &answer, sizeof(answer));
	g_assert_cmpuint(answer, ==, 0);
	for (unsigned ring = 0; ring < 2; ring++) {
		uint64_t at = USER_ADDR + address + ring * 0x10000;
		struct vhost_user_vring_addr addr = { .index = ring,
			.desc_user_addr = at,
			.avail_user_addr = at + 0x4000,
			.used_user_addr = at + 0x8000 };
		send_state(rig, VHOST_USER_SET_VRING_NUM, ring, ring ? 16 : 256);
		send_state(rig, VHOST_USER_SET_VRING_BASE, ring, base);
		rig_send(rig, VHOST_USER_SET_VRING_ADDR, 0, &addr, sizeof(addr), NULL, 0);
		send_eventfd(rig, VHOST_USER_SET_VRING_KICK, ring);
		send_eventfd(rig, VHOST_USER_SET_VRING_CALL, ring);
	}
	for (unsigned ring = 0; ring < 2; ring++)
		send_state(rig, VHOST_USER_SET_VRING_ENABLE, ring, 1);
	rig_get_u64(rig, VHOST_USER_GET_FEATURES);
}

unsigned rig_stop(struct rig *rig)
{
	struct vhost_user_vring_state state[2];
	for (unsigned ring = 0; ring < 2; ring++)
		send_state(rig, VHOST_USER_SET_VRING_ENABLE, ring, 0);
	for (unsigned ring = 0; ring < 2; ring++) {
		send_state(rig, VHOST_USER_GET_VRING_BASE, ring, 0);
		rig_receive(rig, VHOST_USER_GET_VRING_BASE, &state[ring], sizeof(state[ring]));
		g_assert_cmpuint(state[ring].index, ==, ring);
	}
	return state[0].num;
}

unsigned rig_count_log(const struct rig *rig, const char *text)
{
	g_autofree char *log = NULL;
	unsigned n = 0;
	g_file_get_contents(rig->worker_log, &log, NULL, NULL);
	for (const char *at = log; at && (at = strstr(at, text)); at += strlen(text))
		n++;
	return n;
}

void rig_wait_log(const struct rig *rig, const char *text, unsigned n_times)
{
	for (unsigned waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 10) {
		if (rig_count_log(rig, text) >= n_times)
			return;
		g_usleep(10000);
	}
	g_autofree char *log = NULL;
	g_autofree char *errors = rig_errors(rig);
	g_file_get_contents(rig->worker_log, &log, NULL, NULL);
	g_error("\"%s\" is not there %u times:\n%s\n%s", text, n_times, log, errors);
}

/* Returns whether a line, from its process id on, is of one that does not wait to be told. */
static bool has_been_told(const char *line)
{
	const char *what = strchr(line, ' ');
	return what && !g_str_has_prefix(what, " NODE") && !g_str_has_prefix(what, " READY");
}

pid_t rig_worker(const struct rig *rig, const char *name)
{
	g_autofree char *log = NULL;
	g_autofree char *prefix = g_strdup_printf("%s ", name);
	g_file_get_contents(rig->worker_log, &log, NULL, NULL);
	g_assert_nonnull(log);
	char *last = NULL, *told = NULL;
	for (char *at = log; (at = strstr(at, prefix)); at++) {
		last = at;
		if (has_been_told(at + strlen(prefix)))
			told = at;
	}
	/* A spare display waits beside the one that works. */
	if (told && strcmp(name, "display") == 0)
		last = told;
	g_assert_nonnull(last);
	return (pid_t)g_ascii_strtoll(last + strlen(prefix), NULL, 10);
}

pid_t rig_renderer(const struct rig *rig)
{
	return rig_worker(rig, "render");
}

pid_t rig_find_starter(const struct rig *rig)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", rig->pid, rig->pid);
	g_autofree char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	g_auto(GStrv) pids = g_strsplit(text, " ", -1);
	for (unsigned i = 0; pids[i]; i++) {
		g_autofree char *file = g_strdup_printf("/proc/%s/comm", g_strstrip(pids[i]));
		g_autofree char *name = NULL;
		if (g_file_get_contents(file, &name, NULL, NULL) &&
			strcmp(g_strstrip(name), "vitrine-starter") == 0)
			return (pid_t)g_ascii_strtoll(pids[i], NULL, 10);
	}
	return 0;
}
