/* SPDX-License-Identifier: MIT */
/*
 * flight_causes: each way in which a process of a desktop can end leaves a file that names it.
 * Every row has a desktop of its own, a real vitrine-gpu with fake workers, and all of them run at
 * once, since some wait for limits of time. With --whole there are those, too, that wait for the
 * longest.
 */
#include <ftw.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"
#include "server/flight/flight_folder.h"
#include "server/flight/flight_reader.h"
#include "tests/unit/server/rig.h"
#include "tests/unit/server/ways_to_die.h"

#define PATIENCE_MS 30000
/* WATCHDOG_DISPLAY_MS of server/keeper/limits.h, and a look. */
#define LONG_PATIENCE_MS 60000
/* More messages than a link holds. */
#define MANY_CALLS 1500

struct row;
struct trial {
	const struct row *row;
	struct rig *rig;
	char *nodes; /* NULL: the CPU draws */
	bool is_skipped, has_begun;
};

struct row {
	const char *name; /* the desktop's */
	enum flight_process process;
	enum flight_cause cause;
	void (*act)(struct trial *trial);
	int what;         /* for `act` */
	const char *gpus; /* as $FAKE_WORKER_GPUS; NULL: none */
	bool ends;        /* the desktop ends with it */
	bool needs_stack; /* the file says where a thread was */
	bool is_long;
	/* Another desktop's SIGKILL at the same time would be taken for the same. */
	bool is_alone;
};

static const char *worker_of(const struct row *row)
{
	return row->process == FLIGHT_PROCESS_DISPLAY ? "display" : "render";
}

/* ---- what is done to a desktop ---- */

static pid_t await_worker(const struct trial *trial)
{
	/* Both are ready, and the keeper has heard it. */
	rig_wait_log(trial->rig, "render", 1);
	rig_wait_log(trial->rig, "STATS", 2);
	return rig_worker(trial->rig, worker_of(trial->row));
}

static void send_signal(struct trial *trial)
{
	kill(await_worker(trial), trial->row->what);
}

static void send_way(struct trial *trial)
{
	const union sigval value = { .sival_int = trial->row->what };
	g_assert_cmpint(sigqueue(await_worker(trial), WAY_SIGNAL, value), ==, 0);
}

static void be_deaf(struct trial *trial)
{
	rig_negotiate(trial->rig);
	rig_start(trial->rig, 0, 0x1000);
	send_way(trial);
	g_usleep(50000);
	for (unsigned i = 0; i < MANY_CALLS; i++)
		rig_send_u64(trial->rig, VHOST_USER_SET_VRING_CALL, VHOST_USER_VRING_NO_FD);
}

/* The keeper has a second for it, and answers then. */
static void stop_ring(struct trial *trial)
{
	const struct vhost_user_vring_state state = { 0 };
	rig_negotiate(trial->rig);
	rig_start(trial->rig, 0, 0x1000);
	send_way(trial);
	g_usleep(50000);
	rig_send(trial->rig, VHOST_USER_GET_VRING_BASE, 0, &state, sizeof(state), NULL, 0);
}

static bool write_to(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	FILE *file = fopen(path, "we");
	bool good = file && fputs(text, file) >= 0;
	return (!file || fclose(file) == 0) && good;
}

#define MEMORY_CONTROLLER "/sys/fs/cgroup/memory"

static char *memory_group(void)
{
	return g_strdup_printf(MEMORY_CONTROLLER "/vitrine-flight-%d", (int)getpid());
}

/* Needs the right to make a group; elsewhere the row is skipped. */
static void run_out_of_memory(struct trial *trial)
{
	g_autofree char *group = memory_group();
	g_autofree char *pid = g_strdup_printf("%d", (int)await_worker(trial));
	trial->is_skipped = g_mkdir(group, 0755) < 0 ||
			    !write_to(group, "memory.limit_in_bytes", "16M") ||
			    !write_to(group, "cgroup.procs", pid);
	if (!trial->is_skipped)
		send_way(trial);
}

static void kill_keeper(struct trial *trial)
{
	await_worker(trial);
	kill(trial->rig->pid, trial->row->what);
}

static void hang_up(struct trial *trial)
{
	await_worker(trial);
	close(trial->rig->socket);
	trial->rig->socket = -1;
}

static void say_nonsense(struct trial *trial)
{
	await_worker(trial);
	rig_send_u64(trial->rig, 0xdead, 0);
}

static void kill_starter(struct trial *trial)
{
	pid_t worker = await_worker(trial);
	pid_t starter = rig_find_starter(trial->rig);
	g_assert_cmpint(starter, >, 0);
	kill(starter, SIGKILL);
	g_assert_true(process_wait_end(starter, PATIENCE_MS));
	kill(worker, SIGKILL);
}

/* What becomes of it stands in `gpus`. */
static void do_nothing(struct trial *trial)
{
}

#define RENDER FLIGHT_PROCESS_RENDER
#define DISPLAY FLIGHT_PROCESS_DISPLAY
#define KEEPER FLIGHT_PROCESS_KEEPER

static const struct row rows[] = {
	{ "killed", RENDER, FLIGHT_CAUSE_KILLED, send_signal, SIGKILL },
	{ "told", RENDER, FLIGHT_CAUSE_TOLD, send_signal, SIGTERM },
	{ "segv", RENDER, FLIGHT_CAUSE_SEGV, send_way, WAY_SEGV, .needs_stack = true },
	{ "abort", RENDER, FLIGHT_CAUSE_ABORT, send_way, WAY_ABORT, .needs_stack = true },
	{ "bus", RENDER, FLIGHT_CAUSE_BUS, send_way, WAY_BUS, .needs_stack = true },
	{ "syscall", RENDER, FLIGHT_CAUSE_SYSCALL, send_signal, SIGSYS, .needs_stack = true },
	{ "signal", RENDER, FLIGHT_CAUSE_SIGNAL, send_signal, SIGALRM },
	{ "exit", RENDER, FLIGHT_CAUSE_EXIT, send_way, WAY_EXIT },
	{ "memory-kernel", RENDER, FLIGHT_CAUSE_OUT_OF_MEMORY, run_out_of_memory, WAY_EAT_MEMORY,
		.is_alone = true },
	{ "memory-limit", RENDER, FLIGHT_CAUSE_OUT_OF_MEMORY, send_way, WAY_REFUSED_MEMORY },
	{ "hung-gpu-thread", RENDER, FLIGHT_CAUSE_HUNG_GPU_THREAD, send_way, WAY_HANG_GPU_THREAD,
		.needs_stack = true },
	{ "hung-gpu", RENDER, FLIGHT_CAUSE_HUNG_GPU, send_way, WAY_HANG_GPU, .needs_stack = true },
	{ "hung-main", RENDER, FLIGHT_CAUSE_HUNG_MAIN, send_way, WAY_HANG_MAIN,
		.needs_stack = true },
	{ "stopped", RENDER, FLIGHT_CAUSE_STOPPED, send_signal, SIGSTOP },
	{ "reset-guilty", RENDER, FLIGHT_CAUSE_GPU_RESET_GUILTY, send_way, WAY_RESET_GUILTY },
	{ "reset-innocent", RENDER, FLIGHT_CAUSE_GPU_RESET_INNOCENT, send_way, WAY_RESET_INNOCENT },
	{ "reset-unknown", RENDER, FLIGHT_CAUSE_GPU_RESET_UNKNOWN, send_way, WAY_RESET_UNKNOWN },
	{ "protocol", RENDER, FLIGHT_CAUSE_PROTOCOL, send_way, WAY_NONSENSE },
	{ "deaf", RENDER, FLIGHT_CAUSE_DEAF, be_deaf, WAY_DEAF, .needs_stack = true },
	{ "ring", RENDER, FLIGHT_CAUSE_RING, stop_ring, WAY_DEAF, .needs_stack = true },
	{ "late", RENDER, FLIGHT_CAUSE_LATE, do_nothing, .gpus = "renderD128=hangs" },
	{ "not-started", RENDER, FLIGHT_CAUSE_NOT_STARTED, do_nothing,
		.gpus = "renderD128=crashes" },
	{ "replaced", DISPLAY, FLIGHT_CAUSE_REPLACED, do_nothing, .gpus = "renderD128=crashes" },
	{ "display", DISPLAY, FLIGHT_CAUSE_SEGV, send_way, WAY_SEGV, .needs_stack = true },
	{ "display-relay", DISPLAY, FLIGHT_CAUSE_HUNG_LOOP, send_way, WAY_HANG_RELAY,
		.needs_stack = true, .is_long = true },
	{ "display-spice", DISPLAY, FLIGHT_CAUSE_HUNG_LOOP, send_way, WAY_HANG_SPICE,
		.needs_stack = true, .is_long = true },
	{ "display-stopped", DISPLAY, FLIGHT_CAUSE_STOPPED, send_signal, SIGSTOP, .is_long = true },
	{ "starter", KEEPER, FLIGHT_CAUSE_STARTER, kill_starter, .ends = true },
	{ "qemu", KEEPER, FLIGHT_CAUSE_QEMU, hang_up, .ends = true },
	{ "qemu-protocol", KEEPER, FLIGHT_CAUSE_QEMU_PROTOCOL, say_nonsense, .ends = true },
	{ "keeper-ended", KEEPER, FLIGHT_CAUSE_ENDED, kill_keeper, SIGTERM, .ends = true },
	{ "keeper-killed", KEEPER, FLIGHT_CAUSE_KILLED, kill_keeper, SIGKILL, .ends = true },
	{ "keeper-crashed", KEEPER, FLIGHT_CAUSE_SEGV, kill_keeper, SIGSEGV, .ends = true,
		.needs_stack = true },
};

static struct trial trials[G_N_ELEMENTS(rows)];
static bool is_whole;

/* ---- the desktops ---- */

static void make_nodes(struct trial *trial)
{
	if (!trial->row->gpus)
		return;
	trial->nodes = g_dir_make_tmp("vitrine-nodes-XXXXXX", NULL);
	g_assert_true(write_to(trial->nodes, "renderD128", ""));
	g_setenv("VITRINE_NODES_DIR", trial->nodes, TRUE);
	g_setenv("FAKE_WORKER_GPUS", trial->row->gpus, TRUE);
}

static void begin(struct trial *trial)
{
	g_autofree char *name = g_strdup_printf("--name=%s", trial->row->name);
	const char *with[] = { "--virgl", "--submit-limit=1", name,
		trial->row->gpus ? NULL : "--software", NULL };
	make_nodes(trial);
	trial->rig = rig_create(with);
	trial->has_begun = true;
	g_unsetenv("VITRINE_NODES_DIR");
	g_unsetenv("FAKE_WORKER_GPUS");
}

static void begin_all(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		trials[i].row = &rows[i];
		if (rows[i].is_long && !is_whole)
			continue;
		begin(&trials[i]);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (trials[i].has_begun && !rows[i].is_alone)
			rows[i].act(&trials[i]);
	}
}

static void end_all(void)
{
	g_autofree char *group = memory_group();
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct trial *trial = &trials[i];
		if (!trial->has_begun)
			continue;
		if (trial->rig->pid > 0) {
			kill(trial->rig->pid, SIGTERM);
			rig_wait_end(trial->rig);
		}
		rig_free(trial->rig);
		if (trial->nodes) {
			g_autofree char *node = g_build_filename(trial->nodes, "renderD128", NULL);
			g_unlink(node);
			g_rmdir(trial->nodes);
			g_free(trial->nodes);
		}
	}
	g_rmdir(group);
}

/* ---- what is found ---- */

static struct flight_report *read_slot(const struct row *row, unsigned slot, bool in_use)
{
	g_autofree char *path = flight_folder_file(row->name, slot);
	g_autofree char *bytes = NULL;
	gsize size_bytes;
	if (!g_file_get_contents(path, &bytes, &size_bytes, NULL))
		return NULL;
	return flight_report_read(bytes, size_bytes, in_use, NULL);
}

/* The first end of a process of this kind. */
static struct flight_report *find_report(const struct row *row, bool in_use)
{
	struct flight_report *first = NULL;
	for (unsigned slot = 0; slot < FLIGHT_SLOTS; slot++) {
		struct flight_report *report = read_slot(row, slot, in_use);
		if (!report)
			continue;
		bool fits = report->head.process == (uint32_t)row->process &&
			    report->cause != FLIGHT_CAUSE_RUNNING;
		if (fits && (!first || report->head.realtime_ns < first->head.realtime_ns)) {
			flight_report_free(first);
			first = report;
		} else
			flight_report_free(report);
	}
	return first;
}

static struct flight_report *await_report(struct trial *trial)
{
	int64_t end_us = g_get_monotonic_time() +
			 (trial->row->is_long ? LONG_PATIENCE_MS : PATIENCE_MS) * INT64_C(1000);
	if (trial->row->ends) {
		rig_wait_end(trial->rig);
		return find_report(trial->row, false);
	}
	while (g_get_monotonic_time() < end_us) {
		struct flight_report *report = find_report(trial->row, true);
		if (report)
			return report;
		g_usleep(20000);
	}
	return NULL;
}

static void check_stack(const struct row *row, const struct flight_report *report)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	const struct flight_memory *memory = report->own.memory;
	if (!row->needs_stack)
		return;
	g_assert_nonnull(memory);
	g_assert_cmpuint(memory->n_stacks, >, 0);
	g_assert_cmpuint(memory->stacks[0].n_frames, >, 1);
	g_autofree char *text = flight_text_write(report);
	g_assert_nonnull(strstr(text, "libc.so.6+0x"));
#endif
}

/* Sanitizers handle a crash themselves, and abort: the keeper could not write its own cause. */
static enum flight_cause find_expected(const struct row *row)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	bool is_crash = row->cause == FLIGHT_CAUSE_SEGV || row->cause == FLIGHT_CAUSE_BUS;
	if (is_crash)
		return row->process == KEEPER ? FLIGHT_CAUSE_KILLED : FLIGHT_CAUSE_ABORT;
#endif
	return row->cause;
}

static void test_row(gconstpointer user)
{
	struct trial *trial = (struct trial *)user;
	const struct row *row = trial->row;
	if (trial->has_begun && row->is_alone)
		row->act(trial);
	if (!trial->has_begun || trial->is_skipped) {
		g_test_skip(trial->is_skipped ? "no group for memory can be made" :
						"it takes long: --whole");
		return;
	}
	struct flight_report *report = await_report(trial);
	if (!report) {
		g_autofree char *errors = rig_errors(trial->rig);
		g_error("%s: nothing was kept:\n%s", row->name, errors);
	}
	g_test_message(
		"%s: %s (%s)", row->name, flight_cause_name(report->cause), report->head.why);
	g_assert_cmpstr(
		flight_cause_name(report->cause), ==, flight_cause_name(find_expected(row)));
	g_assert_cmpstr(report->head.desktop, ==, row->name);
	g_assert_cmpuint(report->faults->len, ==, 0);
	check_stack(row, report);
	flight_report_free(report);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

int main(int argc, char **argv)
{
	char *state = g_dir_make_tmp("vitrine-flights-XXXXXX", NULL);
	g_setenv("XDG_STATE_HOME", state, TRUE);
	g_test_init(&argc, &argv, NULL);
	is_whole = argc > 1 && strcmp(argv[1], "--whole") == 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/flight/%s", rows[i].name);
		g_test_add_data_func(path, &trials[i], test_row);
	}
	begin_all();
	int status = g_test_run();
	end_all();
	nftw(state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	g_free(state);
	return status;
}
