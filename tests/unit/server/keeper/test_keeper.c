/* SPDX-License-Identifier: MIT */
/*
 * keeper: runs vitrine-gpu as QEMU meets it. It answers in time whatever its workers do, and
 * refuses nonsense.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"
#include "server/keeper/device.h"
#include "server/keeper/limits.h"
#include "server/keeper/gpu_socket.h"
#include "tests/unit/server/rig.h"

/* Returns what a busy machine may add to a deadline, in milliseconds. */
static int64_t slack_ms(void)
{
	return g_getenv("RIG_SLACK_MS") ? g_ascii_strtoll(g_getenv("RIG_SLACK_MS"), NULL, 10) : 200;
}

static const char *const virgl[] = { "--virgl", NULL };

static void test_negotiation(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	uint64_t features = rig_get_u64(rig, VHOST_USER_GET_FEATURES);
	g_assert_cmpuint(features, ==,
		DEVICE_F_VIRGL | DEVICE_F_EDID | DEVICE_F_RING_PACKED | DEVICE_F_INDIRECT_DESC |
			DEVICE_F_EVENT_IDX | DEVICE_F_PROTOCOL_FEATURES | DEVICE_F_VERSION_1);
	g_assert_cmpuint(rig_get_u64(rig, VHOST_USER_GET_QUEUE_NUM), ==, 2);
	g_assert_cmpuint(
		rig_get_u64(rig, VHOST_USER_GET_MAX_MEM_SLOTS), ==, KEEPER_MEMORY_REGIONS_MAX);

	/*
	 * We ask before SET_FEATURES, as QEMU does, and for more than we know, as a newer QEMU
	 * would.
	 */
	struct vhost_user_config config = { .size_bytes = 24 };
	rig_send(rig, VHOST_USER_GET_CONFIG, 0, &config, 36, NULL, 0);
	rig_receive(rig, VHOST_USER_GET_CONFIG, &config, 36);
	uint32_t words[6];
	memcpy(words, config.data, sizeof(words));
	g_assert_cmpuint(words[3], ==, 2); /* num_capsets, from the renderer's READY */
	g_assert_cmpuint(words[4], ==, 0);
	rig_destroy(rig);
}

static void test_without_virgl(void)
{
	struct rig *rig = rig_create(NULL);
	rig_negotiate(rig);
	g_assert_false(rig_get_u64(rig, VHOST_USER_GET_FEATURES) & DEVICE_F_VIRGL);
	rig_destroy(rig);
}

static void test_start_and_stop(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	rig_start(rig, 0, 0);
	rig_wait_log(rig, "FEATURES 100000003", 1);
	rig_wait_log(rig, "START 0 at 0", 1);
	rig_wait_log(rig, "START 1 at 0", 1);
	g_assert_cmpuint(rig_stop(rig), ==, 7);
	/* QEMU's stop and cont leave the guest the same, so nothing is reset. */
	rig_start(rig, 7, 0);
	rig_wait_log(rig, "START 0 at 7", 1);
	g_assert_cmpuint(rig_count_log(rig, "RESET"), ==, 0);
	rig_destroy(rig);
}

static void test_reset_by_base(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	rig_start(rig, 0, 0);
	rig_wait_log(rig, "START 1 at 0", 1);
	g_assert_cmpuint(rig_stop(rig), ==, 7);
	rig_start(rig, 0, 0);
	rig_wait_log(rig, "START 1 at 0", 2);
	g_assert_cmpuint(rig_count_log(rig, "RESET"), ==, 1);
	rig_destroy(rig);
}

static void test_reset_by_address(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	rig_start(rig, 0, 0);
	rig_stop(rig);
	rig_start(rig, 7, 0x40000);
	rig_wait_log(rig, "START 1 at 7", 1);
	g_assert_cmpuint(rig_count_log(rig, "RESET"), ==, 1);
	rig_destroy(rig);
}

static void test_reset_by_message(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	/* QEMU also resets a device that never ran; then nobody is told. */
	rig_send(rig, VHOST_USER_RESET_DEVICE, 0, NULL, 0, NULL, 0);
	rig_start(rig, 0, 0);
	rig_stop(rig);
	rig_send(rig, VHOST_USER_RESET_DEVICE, 0, NULL, 0, NULL, 0);
	rig_start(rig, 0, 0);
	rig_wait_log(rig, "START 1 at 0", 2);
	g_assert_cmpuint(rig_count_log(rig, "RESET"), ==, 1);
	rig_destroy(rig);
}

/* While the renderer is frozen everything is answered, GET_VRING_BASE from the ledger. */
static void test_frozen_renderer(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	rig_start(rig, 0, 0);
	rig_wait_log(rig, "START 1 at 0", 1);
	pid_t frozen = rig_renderer(rig);
	g_assert_cmpint(kill(frozen, SIGSTOP), ==, 0);

	int64_t began_us = g_get_monotonic_time();
	rig_get_u64(rig, VHOST_USER_GET_FEATURES);
	g_assert_cmpint((g_get_monotonic_time() - began_us) / 1000, <, slack_ms());

	began_us = g_get_monotonic_time();
	g_assert_cmpuint(rig_stop(rig), ==, 7);
	g_assert_cmpint((g_get_monotonic_time() - began_us) / 1000, <,
		RENDERER_STOP_TIMEOUT_MS + slack_ms());

	/*
	 * These are a SET_MEM_TABLE with acknowledgement, a reset and a start, while there is no
	 * renderer.
	 */
	began_us = g_get_monotonic_time();
	rig_start(rig, 0, 0);
	g_assert_cmpint((g_get_monotonic_time() - began_us) / 1000, <, slack_ms());
	rig_wait_log(rig, "START 1 at 0", 2);
	g_assert_cmpint(rig_renderer(rig), !=, frozen);
	rig_destroy(rig);
}

/* A renderer that dies is replaced by one that is told all that the first one was told. */
static void test_dead_renderer(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	rig_start(rig, 0, 0);
	rig_wait_log(rig, "START 1 at 0", 1);
	g_assert_cmpint(kill(rig_renderer(rig), SIGKILL), ==, 0);
	rig_wait_log(rig, "START 1 at 7", 1);
	g_assert_cmpuint(rig_count_log(rig, "LEDGER"), ==, 2);
	g_assert_cmpuint(rig_count_log(rig, "FEATURES 100000003"), ==, 2);
	g_assert_cmpuint(rig_count_log(rig, "START 0 at 7"), ==, 1);
	g_assert_cmpuint(rig_count_log(rig, "RESET"), ==, 0);
	g_autofree char *errors = rig_errors(rig);
	g_assert_nonnull(strstr(errors, "vitrine-render"));
	g_assert_nonnull(strstr(errors, "signal 9"));
	rig_destroy(rig);
}

/* A renderer that is killed from outside, however often, is replaced at once: within 100 ms. */
static void test_killed_often(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	for (unsigned i = 0; i < 8; i++) {
		rig_wait_log(rig, "LEDGER", i + 1);
		int64_t began_us = g_get_monotonic_time();
		g_assert_cmpint(kill(rig_renderer(rig), SIGKILL), ==, 0);
		rig_wait_log(rig, "LEDGER", i + 2);
		g_assert_cmpint((g_get_monotonic_time() - began_us) / 1000, <, 100 + slack_ms());
	}
	rig_destroy(rig);
}

/* Returns the process ids of all renderers so far that said READY. The caller frees the array. */
static GArray *list_renderers(const struct rig *rig)
{
	g_autofree char *log = NULL;
	GArray *pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
	g_assert_true(g_file_get_contents(rig->worker_log, &log, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
	for (char **line = lines; *line; line++) {
		int pid;
		if (sscanf(*line, "render %d", &pid) == 1 && g_str_has_suffix(*line, " READY"))
			g_array_append_val(pids, pid);
	}
	return pids;
}

/* A keeper that is killed leaves no process behind, not even a spare one that does not notice. */
static void test_keeper_killed(void)
{
	g_setenv("FAKE_WORKER_STAYS", "1", TRUE);
	struct rig *rig = rig_create(virgl);
	g_unsetenv("FAKE_WORKER_STAYS");
	rig_negotiate(rig);
	rig_wait_log(rig, "LEDGER", 1);
	g_assert_cmpint(kill(rig_renderer(rig), SIGABRT), ==, 0);
	/*
	 * Four processes are ready: two renderers, the display, and the spare, which is told
	 * nothing.
	 */
	rig_wait_log(rig, "READY", 4);
	rig_wait_log(rig, "LEDGER", 2);
	g_assert_cmpuint(rig_count_log(rig, "LEDGER"), ==, 2);
	GArray *renderers = list_renderers(rig);
	g_assert_cmpuint(renderers->len, ==, 3);
	for (guint i = 1; i < renderers->len; i++)
		g_assert_false(process_wait_end(g_array_index(renderers, pid_t, i), 0));
	kill(rig->pid, SIGKILL);
	rig_wait_end(rig);
	for (guint i = 0; i < renderers->len; i++)
		g_assert_true(process_wait_end(g_array_index(renderers, pid_t, i), 5000));
	g_array_unref(renderers);
	rig_free(rig);
}

/*
 * A renderer that cannot start is tried again, at growing distances, and works when the fault is
 * gone. The fault comes before READY, or after it while the dead renderer's objects are made again.
 */
static void test_cannot_start(const void *data)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	rig_wait_log(rig, "LEDGER", 1);
	g_autofree char *fail = g_strconcat(rig->worker_log, data, NULL);
	g_assert_true(g_file_set_contents(fail, "", 0, NULL));
	g_assert_cmpint(kill(rig_renderer(rig), SIGKILL), ==, 0);
	g_usleep(1500 * 1000);
	/* The pauses are 0, 0, 50, 100, 200, 400 and 800 ms. */
	g_assert_cmpuint(rig_count_log(rig, "FAILS"), <=, 8);
	/* There may be fewer, as on a busy machine one start takes longer than all these pauses. */
	rig_wait_log(rig, "FAILS", 2);
	g_assert_cmpint(unlink(fail), ==, 0);
	rig_wait_log(rig, "LEDGER", 2);
	rig_destroy(rig);
}

/* A renderer reads nothing while QEMU masks and unmasks interrupts. */
static void test_frozen_renderer_many_calls(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	rig_start(rig, 0, 0);
	rig_wait_log(rig, "START 1 at 0", 1);
	g_assert_cmpint(kill(rig_renderer(rig), SIGSTOP), ==, 0);
	int64_t began_us = g_get_monotonic_time();
	for (unsigned i = 0; i < 1000; i++)
		rig_send_u64(rig, VHOST_USER_SET_VRING_CALL, VHOST_USER_VRING_NO_FD);
	rig_get_u64(rig, VHOST_USER_GET_FEATURES);
	g_assert_cmpint((g_get_monotonic_time() - began_us) / 1000, <, 1000 + slack_ms());
	rig_wait_log(rig, "START 1 at 7", 1);
	rig_destroy(rig);
}

/* A region that QEMU replaces while the rings run is replaced in one step. */
static void test_memory_settles(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	rig_start(rig, 0, 0);
	rig_wait_log(rig, "START 1 at 0", 1);
	unsigned before = rig_count_log(rig, "COMMIT");
	struct vhost_user_memory_single whole = { .region = { 0, 1 << 20, 0x7f0000000000, 0 } },
					lower = whole, upper = whole;
	lower.region.size_bytes = upper.region.size_bytes = 1 << 19;
	upper.region.guest_addr += 1 << 19;
	upper.region.user_addr += 1 << 19;
	upper.region.mmap_offset_bytes = 1 << 19;
	rig_send(rig, VHOST_USER_REM_MEM_REG, 0, &whole, sizeof(whole), NULL, 0);
	rig_send(rig, VHOST_USER_ADD_MEM_REG, 0, &lower, sizeof(lower), &rig->memory, 1);
	rig_send(rig, VHOST_USER_ADD_MEM_REG, 0, &upper, sizeof(upper), &rig->memory, 1);
	rig_wait_log(rig, "REGION 80000 80000", 1);
	rig_wait_log(rig, "COMMIT", before + 1);
	g_assert_cmpuint(rig_count_log(rig, "COMMIT"), ==, before + 1);
	rig_destroy(rig);
}

#define QUESTION_BYTES 12

/* The keeper asks first on each socket until it has been answered. */
static void expect_question(const struct rig *rig)
{
	uint32_t question[3];
	struct pollfd p = { .fd = rig->gpu_socket, .events = POLLIN };
	g_assert_cmpint(poll(&p, 1, 5000), ==, 1);
	g_assert_cmpint(recv(rig->gpu_socket, question, QUESTION_BYTES, 0), ==, QUESTION_BYTES);
	const uint32_t expected[3] = { VHOST_USER_GPU_GET_DISPLAY_INFO, 0, 0 };
	g_assert_cmpmem(question, sizeof(question), expected, sizeof(expected));
}

static void answer_size(const struct rig *rig, uint32_t width, uint32_t height)
{
	struct gpu_socket_answer answer = { .request = VHOST_USER_GPU_GET_DISPLAY_INFO,
		.flags = 4,
		.size_bytes = sizeof(answer.info),
		.info.pmodes[0] = { .r = { .width = width, .height = height }, .enabled = 1 } };
	/* It comes in two pieces. */
	const char *bytes = (const char *)&answer;
	g_assert_cmpint(send(rig->gpu_socket, bytes, 100, 0), ==, 100);
	g_usleep(20000);
	g_assert_cmpint(send(rig->gpu_socket, bytes + 100, sizeof(answer) - 100, 0), ==,
		sizeof(answer) - 100);
}

/*
 * What xres and yres of the device say is what render begins with, the next renderer, too; QEMU is
 * asked until it has answered, and then no more.
 */
static void test_first_size(void)
{
	static const char *const arguments[] = { "--virgl", "--refresh=75", NULL };
	struct rig *rig = rig_create(arguments);
	rig_negotiate(rig);
	rig_start(rig, 0, 0);
	expect_question(rig);
	rig_stop(rig);
	rig_start(rig, 0, 0);
	expect_question(rig);
	rig_wait_log(rig, "FIRST_MODE 0x0 75000", 1);
	answer_size(rig, 1366, 768);
	rig_wait_log(rig, "FIRST_MODE 1366x768 75000", 1);
	kill(rig_renderer(rig), SIGKILL);
	rig_wait_log(rig, "FIRST_MODE 1366x768 75000", 2);
	rig_stop(rig);
	rig_start(rig, 7, 0);
	struct pollfd p = { .fd = rig->gpu_socket, .events = POLLIN };
	if (poll(&p, 1, 300) == 1) {
		uint32_t request = 0;
		g_assert_cmpint(recv(rig->gpu_socket, &request, sizeof(request), 0), >, 0);
		g_assert_cmpuint(request, !=, VHOST_USER_GPU_GET_DISPLAY_INFO);
	}
	rig_destroy(rig);
}

/* An answer that names no size changes nothing, and the keeper goes on. */
static void test_first_size_none(void)
{
	static const char *const arguments[] = { "--virgl", NULL };
	struct rig *rig = rig_create(arguments);
	rig_negotiate(rig);
	rig_start(rig, 0, 0);
	expect_question(rig);
	answer_size(rig, 0, 768);
	rig_stop(rig);
	g_assert_cmpuint(rig_count_log(rig, "FIRST_MODE 0x768"), ==, 0);
	rig_destroy(rig);
}

/* On each new socket QEMU is told, in one piece, of a console of twice the desktop's size. */
static void test_gpu_socket(void)
{
	static const char *const arguments[] = { "--virgl", "--spice-unix", NULL, NULL };
	g_autofree char *path = g_strdup_printf("/tmp/vitrine-rig-%d.spice", (int)getpid());
	const char *argv[G_N_ELEMENTS(arguments)];
	memcpy(argv, arguments, sizeof(arguments));
	argv[2] = path;
	struct rig *rig = rig_create(argv);
	rig_negotiate(rig);
	rig_wait_log(rig, "PASSWORDS", 1);
	for (unsigned round = 0; round < 2; round++) {
		rig_start(rig, round * 7, 0);
		uint32_t words[15];
		struct pollfd p = { .fd = rig->gpu_socket, .events = POLLIN };
		expect_question(rig);
		g_assert_cmpint(poll(&p, 1, 5000), ==, 1);
		g_assert_cmpint(recv(rig->gpu_socket, words, sizeof(words), 0), ==, sizeof(words));
		const uint32_t expected[15] = { VHOST_USER_GPU_SCANOUT, 0, 12, 0, 3840, 2160,
			VHOST_USER_GPU_UPDATE, 0, 24, 0, 0, 0, 1, 1, 0 };
		g_assert_cmpmem(words, sizeof(words), expected, sizeof(expected));
		rig_stop(rig);
	}
	rig_destroy(rig);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

struct nonsense {
	const char *name;
	uint32_t request;
	uint32_t size_bytes;
	unsigned n_fds;
	const char *reason;
};

/* These test the reasons that are logged; tests/wire sends many more. */
static const struct nonsense nonsense[] = {
	{ "unknown", 77, 0, 0, "request 77: unknown" },
	{ "size", VHOST_USER_SET_FEATURES, 4, 0, "SET_FEATURES: payload of 4 bytes" },
	{ "descriptors", VHOST_USER_SET_FEATURES, 8, 1, "SET_FEATURES: 1 descriptors" },
	{ "features", VHOST_USER_SET_FEATURES, 8, 0, "SET_FEATURES: features" },
	{ "owner", VHOST_USER_SET_OWNER, 0, 0, "SET_OWNER: there is an owner" },
	{ "ring", VHOST_USER_GET_VRING_BASE, 8, 0, "GET_VRING_BASE: no such ring" },
	{ "kick", VHOST_USER_SET_VRING_KICK, 8, 0, "SET_VRING_KICK: unknown bits" },
	{ "table", VHOST_USER_SET_MEM_TABLE, 264, 0, "SET_MEM_TABLE: too many" },
	{ "region", VHOST_USER_REM_MEM_REG, 40, 0, "REM_MEM_REG: no such" },
	{ "config", VHOST_USER_GET_CONFIG, 12, 0, "GET_CONFIG: size" },
};

static void test_nonsense(const void *data)
{
	const struct nonsense *n = data;
	struct rig *rig = rig_create(NULL);
	rig_negotiate(rig);
	uint8_t payload[512];
	memset(payload, 0xff, sizeof(payload));
	rig_send(rig, n->request, 0, payload, n->size_bytes, &rig->memory, n->n_fds);
	int status = rig_wait_end(rig);
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	g_autofree char *errors = rig_errors(rig);
	if (!strstr(errors, n->reason))
		g_error("\"%s\" is not in: %s", n->reason, errors);
	rig_free(rig);
}

static void test_before_owner(void)
{
	struct rig *rig = rig_create(NULL);
	rig_send_u64(rig, VHOST_USER_SET_FEATURES, 0);
	int status = rig_wait_end(rig);
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	g_autofree char *errors = rig_errors(rig);
	g_assert_nonnull(strstr(errors, "SET_FEATURES: out of order"));
	rig_free(rig);
}

static void test_worker_cannot_start(void)
{
	g_setenv("FAKE_WORKER_FAIL", "1", TRUE);
	struct rig *rig = rig_create(NULL);
	g_unsetenv("FAKE_WORKER_FAIL");
	int status = rig_wait_end(rig);
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	g_autofree char *errors = rig_errors(rig);
	g_assert_nonnull(strstr(errors, "ended before it was ready: exit status 5"));
	rig_free(rig);
}

static void test_sigterm(void)
{
	struct rig *rig = rig_create(NULL);
	rig_negotiate(rig);
	pid_t renderer = rig_renderer(rig);
	rig_wait_log(rig, "PASSWORDS", 1);
	kill(renderer, SIGSTOP);
	kill(rig->pid, SIGTERM);
	g_assert_cmpint(rig_wait_end(rig), ==, 0);
	g_assert_cmpint(kill(renderer, 0), ==, -1);
	g_assert_cmpuint(rig_count_log(rig, "ENDS the desktop was ended"), ==, 1);
	rig_free(rig);
}

/* Clients are told, by display, what nobody survives. */
static void test_hung_up(void)
{
	struct rig *rig = rig_create(NULL);
	rig_negotiate(rig);
	rig_wait_log(rig, "PASSWORDS", 1);
	shutdown(rig->socket, SHUT_RDWR);
	g_assert_cmpint(rig_wait_end(rig), ==, 0);
	g_assert_cmpuint(rig_count_log(rig, "ENDS QEMU ended without a word"), ==, 1);
	rig_free(rig);
}

/* QEMU asks for this when the guest's driver does, which has the device started right afterwards.
 */
static void ask_config(struct rig *rig)
{
	struct vhost_user_config config = { .size_bytes = 24 };
	size_t size_bytes = G_STRUCT_OFFSET(struct vhost_user_config, data) + config.size_bytes;
	rig_send(rig, VHOST_USER_GET_CONFIG, 0, &config, size_bytes, NULL, 0);
	rig_receive(rig, VHOST_USER_GET_CONFIG, &config, size_bytes);
}

static void wait_said(const struct rig *rig, const char *text, unsigned n_times)
{
	for (unsigned i = 0; i < 200 && rig_count_log(rig, text) < n_times; i++)
		g_usleep(50000);
	g_assert_cmpuint(rig_count_log(rig, text), ==, n_times);
}

/* A QEMU that cannot start the guest's GPU says so in its own log alone. */
static void test_late_device(void)
{
	const char *words = "SAYS QEMU has not started the guest's GPU";
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	rig_wait_log(rig, "PASSWORDS", 1);
	ask_config(rig);
	rig_start(rig, 0, 0);
	rig_stop(rig);
	g_usleep(2 * G_USEC_PER_SEC);
	/* What was in time is not told, and time counts from what was asked last. */
	gint64 asked_us = g_get_monotonic_time();
	ask_config(rig);
	wait_said(rig, words, 1);
	g_assert_cmpint(g_get_monotonic_time() - asked_us, >, (DEVICE_LATE_MS - 100) * 1000);
	g_autofree char *errors = rig_errors(rig);
	g_assert_nonnull(strstr(errors, "QEMU has not started it for 5 s"));
	/* Once is enough, but another display is told, too. */
	ask_config(rig);
	kill(rig_worker(rig, "display"), SIGKILL);
	wait_said(rig, words, 2);
	rig_start(rig, 0, 0);
	wait_said(rig, "SAYS", 3);
	g_assert_cmpuint(rig_count_log(rig, words), ==, 2);
	rig_destroy(rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keeper/negotiation", test_negotiation);
	g_test_add_func("/keeper/without-virgl", test_without_virgl);
	g_test_add_func("/keeper/start-and-stop", test_start_and_stop);
	g_test_add_func("/keeper/reset/base", test_reset_by_base);
	g_test_add_func("/keeper/reset/address", test_reset_by_address);
	g_test_add_func("/keeper/reset/message", test_reset_by_message);
	g_test_add_func("/keeper/renderer/frozen", test_frozen_renderer);
	g_test_add_func("/keeper/renderer/frozen-many-calls", test_frozen_renderer_many_calls);
	g_test_add_func("/keeper/renderer/dead", test_dead_renderer);
	g_test_add_func("/keeper/renderer/killed-often", test_killed_often);
	g_test_add_func("/keeper/renderer/keeper-killed", test_keeper_killed);
	g_test_add_data_func("/keeper/renderer/cannot-start", ".fail", test_cannot_start);
	g_test_add_data_func("/keeper/renderer/cannot-take-over", ".crash", test_cannot_start);
	g_test_add_func("/keeper/memory-settles", test_memory_settles);
	g_test_add_func("/keeper/gpu-socket", test_gpu_socket);
	g_test_add_func("/keeper/first-size", test_first_size);
	g_test_add_func("/keeper/first-size-none", test_first_size_none);
	for (unsigned i = 0; i < G_N_ELEMENTS(nonsense); i++) {
		g_autofree char *path = g_strdup_printf("/keeper/nonsense/%s", nonsense[i].name);
		g_test_add_data_func(path, &nonsense[i], test_nonsense);
	}
	g_test_add_func("/keeper/before-owner", test_before_owner);
	g_test_add_func("/keeper/worker-cannot-start", test_worker_cannot_start);
	g_test_add_func("/keeper/sigterm", test_sigterm);
	g_test_add_func("/keeper/hung-up", test_hung_up);
	g_test_add_func("/keeper/late-device", test_late_device);
	return g_test_run();
}
