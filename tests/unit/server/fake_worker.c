/* SPDX-License-Identifier: MIT */
/*
 * fake_worker: stands in for vitrine-render and vitrine-display. It keeps the keeper link's side of
 * the contract and appends a line for each message to the file that $FAKE_WORKER_LOG names.
 *
 * As a renderer it takes seven entries from a ring as soon as it starts, and says so in the ledger.
 * With $FAKE_WORKER_STAYS it does not end when the keeper hangs up. $FAKE_WORKER_FAIL makes it end
 * before READY. A renderer does so, too, while there is a file named as the log with ".fail" behind
 * it; with ".crash" it crashes behind READY, while its heartbeat says that it takes over from the
 * one before, and with ".cannot-take-over" when it gets the ledger. A test can make and remove them
 * while the keeper runs. With $FAKE_WORKER_WAITS it waits until it is told to begin.
 *
 * What becomes of a renderer that is given a GPU says $FAKE_WORKER_GPUS, such as "renderD128=unfit
 * renderD129=works": it is unfit, crashes, hangs, beats twice within four seconds (slow), crashes
 * when it has said that it works (falls), or works, as one without a GPU does. Either worker notes
 * its GPU.
 *
 * It says that the GPU was reset and ends when it gets SIGUSR1, and before READY once for each byte
 * of the file that $FAKE_WORKER_RESETS names.
 *
 * It ends in any of the ways of ways_to_die.h when it is told to by that file's signal.
 *
 * From SIGWINCH on it hears nothing, and its heartbeat says that it waits.
 *
 * From SIGUSR2 on its heartbeat says that the GPU is at work of context 10.
 *
 * As display it uses a ticket that it gets while there is one with ".use" behind it, and crashes
 * the moment after; with ".return" it says before that that it has not used it after all. It does
 * nothing while there is one with ".wait". It ends before READY while there is one with
 * ".display-fail", and when it gets a listener with ".display-cannot-take-over". It ends when
 * another one is to take its place, but while there is one with ".display-stays".
 */
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protocol/contracts.h"
#include "protocol/heartbeat_writer.h"
#include "protocol/keeper_link.h"
#include "protocol/ledger.h"
#include "protocol/stats_writer.h"
#include "tests/unit/server/ways_to_die.h"

#define ENTRIES_TAKEN 7

static struct ledger *ledger;
static int log_fd = -1;
static const char *name, *log_path;

static void note(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void note(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *line = g_strdup_printf("%s %d %s\n", name, (int)getpid(), text);
	if (log_fd >= 0 && write(log_fd, line, strlen(line)) < 0)
		exit(3);
}

static void end_by_reset(int signal_number)
{
	_exit(KEEPER_EXIT_GPU_RESET);
}

static void stall(int signal_number)
{
	heartbeat_work(HEARTBEAT_GPU_WORK, "work of the GPU", 10);
}

static void hear_nothing(int signal_number)
{
	for (;;)
		pause();
}

/* Takes a byte from the file of resets; gives false when it has none. */
static bool take_reset(void)
{
	const char *path = g_getenv("FAKE_WORKER_RESETS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	return size > 0 && ftruncate(fd, size - 1) == 0;
}

static bool has_file(const char *suffix)
{
	g_autofree char *path = log_path ? g_strconcat(log_path, suffix, NULL) : NULL;
	return path && access(path, F_OK) == 0;
}

/*
 * Returns whether the file is there. Only the renderer looks: a display that starts late, on a busy
 * machine, would find the same files.
 */
static bool is_told(const char *suffix)
{
	return strcmp(name, "render") == 0 && has_file(suffix);
}

/* Counts one, so that a test sees whether a successor goes on from there. */
static bool on_stats(void *user, const void *message, int *fds, unsigned n_fds)
{
	bool render = strcmp(name, "render") == 0;
	if (!stats_attach(fds[0], render ? STATS_RENDER : STATS_DISPLAY))
		return false;
	stats_add(0, render ? STATS_FRAMES_FLUSHED : STATS_DRAWABLES, 1);
	note("STATS");
	return true;
}

static bool on_ledger(void *user, const void *message, int *fds, unsigned n_fds)
{
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	note("LEDGER");
	if (has_file(".cannot-take-over"))
		abort();
	heartbeat_note_rebuilt();
	return ledger != MAP_FAILED;
}

static bool on_features(void *user, const void *message, int *fds, unsigned n_fds)
{
	const struct keeper_features *m = message;
	note("FEATURES %llx", (unsigned long long)m->features);
	return true;
}

static bool on_first_mode(void *user, const void *message, int *fds, unsigned n_fds)
{
	const struct keeper_first_mode *m = message;
	note("FIRST_MODE %ux%u %u", m->width, m->height, m->refresh_mhz);
	return true;
}

static bool on_region(void *user, const void *message, int *fds, unsigned n_fds)
{
	const struct keeper_memory_region *m = message;
	note("REGION %llx %llx", (unsigned long long)m->guest_addr,
		(unsigned long long)m->size_bytes);
	return true;
}

static bool on_commit(void *user, const void *message, int *fds, unsigned n_fds)
{
	note("COMMIT");
	return true;
}

static bool on_ring_start(void *user, const void *message, int *fds, unsigned n_fds)
{
	const struct keeper_ring_start *m = message;
	ledger->rings[m->ring].next_avail = (uint16_t)(m->next_avail + ENTRIES_TAKEN);
	note("START %u at %u", m->ring, m->next_avail);
	return true;
}

static bool on_ring_call(void *user, const void *message, int *fds, unsigned n_fds)
{
	const struct keeper_ring_call *m = message;
	note("CALL %u %u", m->ring, n_fds);
	return true;
}

static bool on_ring_stop(void *user, const void *message, int *fds, unsigned n_fds)
{
	const struct keeper_ring_stop *m = message;
	struct keeper_ring_stopped stopped = { .header.type = KEEPER_MESSAGE_RING_STOPPED,
		.ring = m->ring,
		.serial = m->serial,
		.next_avail = ledger->rings[m->ring].next_avail };
	note("STOP %u", m->ring);
	return link_send(KEEPER_LINK_FD, &stopped, sizeof(stopped), NULL, 0) == 0;
}

static bool on_reset(void *user, const void *message, int *fds, unsigned n_fds)
{
	ledger->rings[0].next_avail = ledger->rings[1].next_avail = 0;
	note("RESET");
	return true;
}

static bool on_switch(void *user, const void *message, int *fds, unsigned n_fds)
{
	note("SWITCH");
	if (!has_file(".display-stays"))
		exit(0);
	return true;
}

static bool on_listener(void *user, const void *message, int *fds, unsigned n_fds)
{
	if (has_file(".display-cannot-take-over"))
		abort();
	struct keeper_pointer_area area = {
		.header.type = KEEPER_MESSAGE_POINTER_AREA, .width = 1920, .height = 1080
	};
	note("LISTENER");
	return link_send(KEEPER_LINK_FD, &area, sizeof(area), NULL, 0) == 0;
}

static bool on_passwords(void *user, const void *message, int *fds, unsigned n_fds)
{
	note("PASSWORDS %u", ((const struct keeper_passwords *)message)->n_passwords);
	return true;
}

static void say_used(uint32_t ticket, enum keeper_ticket_use what)
{
	struct keeper_ticket_used m = {
		.header.type = KEEPER_MESSAGE_TICKET_USED, .name = ticket, .use = what
	};
	if (link_send(KEEPER_LINK_FD, &m, sizeof(m), NULL, 0) < 0)
		exit(6);
}

static void use(uint32_t ticket)
{
	while (has_file(".wait"))
		g_usleep(1000);
	bool returns = has_file(".return"), ends = has_file(".over");
	if (!returns && !ends && !has_file(".use"))
		return;
	say_used(ticket, KEEPER_TICKET_IN_SESSION);
	if (returns || ends)
		say_used(ticket, returns ? KEEPER_TICKET_UNUSED : KEEPER_TICKET_OVER);
	abort();
}

static bool on_ticket(void *user, const void *message, int *fds, unsigned n_fds)
{
	const struct keeper_ticket *m = message;
	if (m->name == KEEPER_TICKET_PASSWORD)
		note("TICKET %s as %s", m->ticket, m->user);
	else if (m->flags & KEEPER_TICKET_NAMED)
		note("USER %u %u %s %s", m->name - KEEPER_TICKET_FIRST_USER, m->flags, m->user,
			m->ticket);
	else
		note("TICKET %u %u %u %s as %s", m->name, m->flags, m->use_within_s, m->ticket,
			m->user);
	if (m->flags & KEEPER_TICKET_ONCE)
		use(m->name);
	return true;
}

static bool on_certificate(void *user, const void *message, int *fds, unsigned n_fds)
{
	char bytes[4096] = "";
	g_autofree char *sum = NULL;
	ssize_t n = pread(fds[0], bytes, sizeof(bytes), 0);
	sum = g_compute_checksum_for_data(G_CHECKSUM_MD5, (guchar *)bytes, n > 0 ? (gsize)n : 0);
	note("CERTIFICATE %s", sum);
	return true;
}

static bool on_ends(void *user, const void *message, int *fds, unsigned n_fds)
{
	note("ENDS %s", ((const struct keeper_ends *)message)->text);
	return true;
}

static bool on_says(void *user, const void *message, int *fds, unsigned n_fds)
{
	note("SAYS %s", ((const struct keeper_says *)message)->text);
	return true;
}

static bool on_dirty_log(void *user, const void *message, int *fds, unsigned n_fds)
{
	note("LOG %u", n_fds);
	return true;
}

static bool ignore(void *user, const void *message, int *fds, unsigned n_fds)
{
	return true;
}

static const struct link_handler table[] = {
	{ KEEPER_MESSAGE_BEGIN, "START", sizeof(struct keeper_begin), 0, 0, ignore },
	{ KEEPER_MESSAGE_FRAME_LINK, "FRAME_LINK", sizeof(struct keeper_frame_link), 1, 1, ignore },
	{ KEEPER_MESSAGE_STATS, "STATS", sizeof(struct keeper_stats), 1, 1, on_stats },
	{ KEEPER_MESSAGE_LEDGER, "LEDGER", sizeof(struct keeper_ledger), 1, 1, on_ledger },
	{ KEEPER_MESSAGE_FEATURES, "FEATURES", sizeof(struct keeper_features), 0, 0, on_features },
	{ KEEPER_MESSAGE_MEMORY_BEGIN, "BEGIN", sizeof(struct keeper_memory_begin), 0, 0, ignore },
	{ KEEPER_MESSAGE_MEMORY_REGION, "REGION", sizeof(struct keeper_memory_region), 1, 1,
		on_region },
	{ KEEPER_MESSAGE_MEMORY_COMMIT, "COMMIT", sizeof(struct keeper_memory_commit), 0, 0,
		on_commit },
	{ KEEPER_MESSAGE_RING_START, "START", sizeof(struct keeper_ring_start), 1, 2,
		on_ring_start },
	{ KEEPER_MESSAGE_RING_CALL, "CALL", sizeof(struct keeper_ring_call), 0, 1, on_ring_call },
	{ KEEPER_MESSAGE_RING_STOP, "STOP", sizeof(struct keeper_ring_stop), 0, 0, on_ring_stop },
	{ KEEPER_MESSAGE_RESET, "RESET", sizeof(struct keeper_reset), 0, 0, on_reset },
	{ KEEPER_MESSAGE_FIRST_MODE, "FIRST_MODE", sizeof(struct keeper_first_mode), 0, 0,
		on_first_mode },
	{ KEEPER_MESSAGE_LISTENER, "LISTENER", sizeof(struct keeper_listener), 1, 1, on_listener },
	{ KEEPER_MESSAGE_PASSWORDS, "PASSWORDS", sizeof(struct keeper_passwords), 0, 0,
		on_passwords },
	{ KEEPER_MESSAGE_TICKET, "TICKET", sizeof(struct keeper_ticket), 0, 0, on_ticket },
	{ KEEPER_MESSAGE_SWITCH, "SWITCH", sizeof(struct keeper_switch), 0, 0, on_switch },
	{ KEEPER_MESSAGE_DIRTY_LOG, "LOG", sizeof(struct keeper_dirty_log), 0, 1, on_dirty_log },
	{ KEEPER_MESSAGE_SAYS, "SAYS", sizeof(struct keeper_says), 0, 0, on_says },
	{ KEEPER_MESSAGE_ENDS, "ENDS", sizeof(struct keeper_ends), 0, 0, on_ends },
	{ KEEPER_MESSAGE_CERTIFICATE, "CERTIFICATE", sizeof(struct keeper_certificate), 2, 2,
		on_certificate },
	{ KEEPER_MESSAGE_DBUS, "DBUS", sizeof(struct keeper_dbus), 1, 1, ignore },
};

/* ---- GPUs ---- */

static const char *find_node(int argc, char **argv)
{
	static const char option[] = "--render-node=";
	for (int i = 1; i < argc; i++) {
		if (g_str_has_prefix(argv[i], option))
			return argv[i] + strlen(option);
	}
	return NULL;
}

static bool gpu_is(const char *node, const char *what)
{
	const char *gpus = g_getenv("FAKE_WORKER_GPUS");
	g_autofree char *base = g_path_get_basename(node);
	g_autofree char *wanted = g_strconcat(base, "=", what, NULL);
	return gpus && strstr(gpus, wanted);
}

static void tell_gpu(bool works, const char *text)
{
	struct keeper_gpu m = { .header.type = KEEPER_MESSAGE_GPU, .works = works };
	g_strlcpy(m.text, text, sizeof(m.text));
	if (link_send(KEEPER_LINK_FD, &m, sizeof(m), NULL, 0) < 0)
		exit(4);
}

/* Does what a renderer does that is given this GPU, and returns when that works. */
static void start_gpu(const char *node)
{
	heartbeat_start(HEARTBEAT_GPU, "starting OpenGL");
	if (gpu_is(node, "unfit")) {
		tell_gpu(false, "it is too \x1b old");
		exit(1);
	}
	if (gpu_is(node, "crashes"))
		abort();
	while (gpu_is(node, "hangs"))
		pause();
	if (gpu_is(node, "slow")) {
		g_usleep(17 * G_USEC_PER_SEC / 10);
		heartbeat_start(HEARTBEAT_GPU, "starting virglrenderer");
		g_usleep(17 * G_USEC_PER_SEC / 10);
	}
	if (gpu_is(node, "falls")) {
		tell_gpu(true, "a GPU that works");
		abort();
	}
	heartbeat_idle(HEARTBEAT_GPU);
	tell_gpu(true, node);
}

/* Waits as a renderer does, and says how much memory it has meanwhile, and when it is ready. */
static void await_begin(void)
{
	heartbeat_say_own_kib(4000);
	while (link_dispatch(KEEPER_LINK_FD, "keeper", table, 1, NULL) == 0)
		link_wait_readable(KEEPER_LINK_FD, -1);
	heartbeat_say_own_kib(16000);
}

int main(int argc, char **argv)
{
	const char *node = find_node(argc, argv);
	name = g_str_has_suffix(argv[0], "render") ? "render" : "display";
	log_path = g_getenv("FAKE_WORKER_LOG");
	if (log_path)
		log_fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	bool is_display = strcmp(name, "display") == 0;
	/* It is of this build, and its file says so. */
	g_assert(contract_version(CONTRACT_KEEPER_LINK) == KEEPER_LINK_VERSION);
	if (g_getenv("FAKE_WORKER_FAIL") || is_told(".fail") ||
		(is_display && has_file(".display-fail"))) {
		note("FAILS");
		return 5;
	}
	note("NODE %s", node ? node : "none");
	heartbeat_attach();
	ways_to_die_watch();
	if (node && strcmp(name, "render") == 0)
		start_gpu(node);
	/* A display that is asked to end hears first what was said before. */
	if (is_display)
		signal(SIGTERM, SIG_IGN);
	signal(SIGUSR1, end_by_reset);
	signal(SIGUSR2, stall);
	signal(SIGWINCH, hear_nothing);
	if (g_getenv("FAKE_WORKER_WAITS") && !g_str_has_suffix(argv[0], "display"))
		await_begin();
	if (take_reset())
		end_by_reset(0);
	struct keeper_ready ready = {
		.header.type = KEEPER_MESSAGE_READY,
		.version = KEEPER_LINK_VERSION,
		.n_capsets = 2,
		.walls = { .held = 1u << CONFINE_SECCOMP,
			.lacking = 1u << CONFINE_LANDLOCK,
			.reason[CONFINE_LANDLOCK] = "none\n" },
		.inner_walls = { .held = 1u << CONFINE_LIMITS },
	};
	note("READY");
	if (link_send(KEEPER_LINK_FD, &ready, sizeof(ready), NULL, 0) < 0)
		return 4;
	if (is_told(".crash")) {
		note("FAILS");
		heartbeat_start(HEARTBEAT_GPU, "rebuild");
		abort();
	}
	heartbeat_idle(HEARTBEAT_MAIN);
	while (link_wait_readable(KEEPER_LINK_FD, -1)) {
		heartbeat_work(HEARTBEAT_MAIN, "the loop", 0);
		if (link_dispatch(KEEPER_LINK_FD, "keeper", table, G_N_ELEMENTS(table), NULL) < 0)
			break;
		heartbeat_idle(HEARTBEAT_MAIN);
	}
	while (g_getenv("FAKE_WORKER_STAYS"))
		pause();
	return 0;
}
