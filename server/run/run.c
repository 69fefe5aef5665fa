/* SPDX-License-Identifier: MIT */
#include "server/run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/desktop/desktop_command_line.h"
#include "server/desktop/desktop_file.h"
#include "server/desktop/guest_report.h"
#include "server/run/detach.h"
#include "server/run/ends.h"
#include "server/run/keeper_command.h"
#include "server/run/disk_chain.h"
#include "server/run/announcement.h"
#include "server/run/cloud_seed.h"
#include "server/run/control.h"
#include "server/run/keeper_events.h"
#include "server/run/kvm.h"
#include "server/run/log_bound.h"
#include "server/run/logout.h"
#include "server/run/machine.h"
#include "server/run/net_card.h"
#include "common/fd.h"
#include "common/listen.h"
#include "common/process.h"
#include "server/run/qemu_command.h"
#include "server/run/qemu_log.h"
#include "server/desktop/run_dir.h"
#include "server/run/run_options.h"
#include "server/run/run_state.h"
#include "server/run/signals.h"

/* Without --spice-port the first free port of these is taken. */
#define FIRST_PORT 5900
#define LAST_PORT 5999
/* QEMU has this long after QMP's quit until it is sent SIGTERM, and after SIGTERM until SIGKILL. */
#define QUIT_TIMEOUT_MS 5000
#define TERM_TIMEOUT_MS 3000
/* The keeper ends by itself when QEMU is gone, and has this long for it. */
#define KEEPER_TIMEOUT_MS 4000
/* A process that is killed is gone at once, but for one that a device holds. */
#define KILLED_TIMEOUT_MS 5000

struct child {
	const char *name;
	pid_t pid; /* 0: not running */
	unsigned source;
	int wait_status;
};

struct run {
	struct desktop desktop;
	char **qemu_arguments;
	struct disk_chain disk;
	struct net_card net_card;
	struct cloud_seed seed;
	struct qemu_program qemu;
	struct run_dir dir;
	GMainLoop *loop;
	bool kvm;

	int spice_fd; /* -1: the keeper makes its sockets */
	struct child keeper_child, qemu_child;
	struct guest_report *report;
	struct machine machine;
	struct control_server *control;
	struct keeper_events keeper_events;
	unsigned quit_timer, power_timer;
	struct signals signals;
	struct detach detach;
	struct ends ends;
	struct log_bound logs;

	bool ending; /* by our own wish */
	int exit_status;
};

static bool choose_accel(struct run *run, GError **error)
{
	const char *reason = NULL;
	bool works = run->desktop.accel != DESKTOP_ACCEL_TCG && kvm_works(NULL, &reason);
	if (run->desktop.accel == DESKTOP_ACCEL_KVM && !works) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "--accel=kvm: %s", reason);
		return false;
	}
	run->kvm = works;
	run->desktop.accel = works ? DESKTOP_ACCEL_KVM : DESKTOP_ACCEL_TCG;
	if (works)
		g_message("using KVM");
	else
		g_message("using TCG, which is slow: %s", reason ? reason : "as asked");
	return qemu_check_accel(&run->qemu, run->kvm, error);
}

static bool open_spice(struct run *run, GError **error)
{
	struct desktop *o = &run->desktop;
	if (o->spice_unix || (o->tls.port > 0 && o->spice_port == 0))
		return true;
	if (o->spice_port > 0)
		run->spice_fd = listen_tcp(o->spice_addr, o->spice_port, error);
	else
		run->spice_fd = listen_tcp_range(
			o->spice_addr, FIRST_PORT, LAST_PORT, &o->spice_port, error);
	return run->spice_fd >= 0;
}

static void quit_loop(struct run *run, int exit_status)
{
	if (run->exit_status == 0)
		run->exit_status = exit_status;
	g_main_loop_quit(run->loop);
}

static gboolean on_quit_late(gpointer user)
{
	struct run *run = user;
	run->quit_timer = 0;
	g_warning("QEMU does not quit");
	g_main_loop_quit(run->loop);
	return G_SOURCE_REMOVE;
}

/* QEMU is the first to end, because it has disks to write back. */
static void end_by_wish(void *user)
{
	struct run *run = user;
	if (run->ending)
		return;
	run->ending = true;
	ends_note_own(&run->ends, FLIGHT_CAUSE_ENDED, "it was told to end");
	machine_set_ending(&run->machine);
	if (machine_ask(&run->machine, "quit", NULL, NULL, NULL))
		run->quit_timer = g_timeout_add(QUIT_TIMEOUT_MS, on_quit_late, run);
	else
		g_main_loop_quit(run->loop);
}

/* As when somebody presses the button of a machine that has one. A paused one would not notice. */
static void press_power(void *user)
{
	struct run *run = user;
	if (run->machine.state == MACHINE_PAUSED)
		machine_ask(&run->machine, "cont", NULL, NULL, NULL);
	machine_ask(&run->machine, "system_powerdown", NULL, NULL, NULL);
}

/* The keeper has them read: it is the one who gives them to display. */
static void read_again(void *user)
{
	struct run *run = user;
	if (run->keeper_child.pid > 0)
		kill(run->keeper_child.pid, SIGHUP);
	g_free(announcement_write(&run->desktop, &run->dir));
}

static void on_machine_ready(void *user)
{
	struct run *run = user;
	ends_note_ready(&run->ends);
	announcement_print(&run->desktop, &run->dir);
	if (run->desktop.detach)
		logout_warn();
	detach_ready(&run->detach);
	control_tell(run->control, "ready", "the machine runs");
}

/* QEMU's complaints go to a file, because Mesa's go there too; they matter when it fails. */
static void show_qemu_log(const struct run *run)
{
	g_autofree char *path = run_dir_file(&run->dir, QEMU_LOG);
	qemu_log_show(path);
}

/* The accelerator has given up. */
static void on_broken(void *user)
{
	struct run *run = user;
	g_warning("%s cannot run this guest%s", run->kvm ? "KVM" : "TCG",
		run->kvm ? ": try --accel=tcg" : "");
	show_qemu_log(run);
	run->exit_status = 1;
	end_by_wish(run);
}

static void on_said(void *user, const char *name, JsonObject *data)
{
	struct run *run = user;
	ends_note_event(&run->ends, name, data);
}

static void on_event(void *user, const char *kind, const char *text)
{
	struct run *run = user;
	g_message("%s", text);
	if (run->control)
		control_tell(run->control, kind, text);
}

static gboolean on_power_late(gpointer user)
{
	struct run *run = user;
	run->power_timer = 0;
	g_message("the guest has not powered off: it is ended");
	end_by_wish(run);
	return G_SOURCE_REMOVE;
}

static bool is_good(int wait_status)
{
	return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
}

static void stop_within(void *user, unsigned within_s)
{
	struct run *run = user;
	g_clear_handle_id(&run->power_timer, g_source_remove);
	if (within_s > 0) {
		press_power(run);
		g_message("the guest has %u s to power off", within_s);
	}
	run->power_timer = g_timeout_add_seconds(within_s, on_power_late, run);
}

static void take_picture(void *user, unsigned head, picture_call_done done, void *caller)
{
	const struct run *run = user;
	g_autofree char *path = run_dir_file(&run->dir, TICKET_SOCKET_FILE);
	picture_call_start(path, head, done, caller);
}

static bool hand_over(void *user, const char *client)
{
	struct run *run = user;
	return keeper_events_hand_over(&run->keeper_events, client);
}

static char *show(void *user)
{
	const struct run *run = user;
	return run_state_write(&run->desktop, &run->dir, &run->machine);
}

static void on_keeper_event(void *user, const struct ticket_event *event)
{
	struct run *run = user;
	if (event->kind == TICKET_EVENT_DRIVER_UP)
		machine_set_driver(&run->machine, event->text);
	else if (event->kind == TICKET_EVENT_DRIVER_DOWN)
		machine_set_driver(&run->machine, NULL);
	else
		control_tell_keeper(run->control, event);
	if (event->kind == TICKET_EVENT_DEVICE_LATE)
		show_qemu_log(run);
}

static bool start_control(struct run *run, GError **error)
{
	const struct control_events events = { run, stop_within, take_picture, hand_over, show };
	g_autofree char *path = run_dir_file(&run->dir, CONTROL_SOCKET_FILE);
	g_autofree char *keeper = run_dir_file(&run->dir, TICKET_SOCKET_FILE);
	keeper_events_follow(&run->keeper_events, keeper, on_keeper_event, run);
	run->control = control_create(path, run->desktop.name, &run->machine, &events, error);
	return run->control != NULL;
}

/*
 * Tells whether the keeper, not QEMU, is to blame: a keeper that fails takes QEMU with it, and
 * QEMU's end may be noticed first. The keeper says itself what is wrong.
 */
static bool keeper_failed(const struct run *run)
{
	siginfo_t info = { 0 };
	pid_t pid = run->keeper_child.pid;
	if (pid == 0)
		return !is_good(run->keeper_child.wait_status);
	if (!process_wait_end(pid, KEEPER_TIMEOUT_MS) ||
		waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) < 0)
		return false;
	return info.si_pid == pid && (info.si_code != CLD_EXITED || info.si_status != 0);
}

/* What QEMU has said of its end may wait to be read. */
static void hear_last_words(const struct run *run)
{
	while (run->machine.qmp && g_main_context_iteration(NULL, FALSE))
		;
}

static void on_qemu_end(GPid pid, int status, gpointer user)
{
	struct run *run = user;
	run->qemu_child.pid = 0;
	run->qemu_child.source = 0;
	hear_last_words(run);
	bool good = is_good(status);
	bool after_keeper = !good && !run->ending && keeper_failed(run);
	if (!good && !run->ending && !after_keeper) {
		g_autofree char *end = process_describe_end(status);
		g_warning("QEMU ended: %s", end);
		show_qemu_log(run);
	}
	ends_keep_qemu(&run->ends, pid, status,
		run->ending  ? ENDS_AFTER_WISH :
		after_keeper ? ENDS_AFTER_KEEPER :
			       ENDS_AFTER_NOTHING);
	ends_note_own(&run->ends, after_keeper ? FLIGHT_CAUSE_KEEPER : FLIGHT_CAUSE_QEMU,
		after_keeper ? "vitrine-gpu failed" : "QEMU ended");
	quit_loop(run, good || run->ending ? 0 : 1);
}

static void on_keeper_end(GPid pid, int status, gpointer user)
{
	struct run *run = user;
	run->keeper_child.pid = 0;
	run->keeper_child.source = 0;
	run->keeper_child.wait_status = status;
	bool good = is_good(status);
	ends_keep_keeper(&run->ends, pid, status, ENDS_AFTER_NOTHING);
	/* The keeper also ends because QEMU did, and its end may be noticed first. */
	pid_t qemu = run->qemu_child.pid;
	if (good && (qemu == 0 || process_wait_end(qemu, TERM_TIMEOUT_MS)))
		return;
	if (!run->ending) {
		g_autofree char *end = process_describe_end(status);
		g_warning("vitrine-gpu ended: %s", end);
	}
	ends_note_own(&run->ends, FLIGHT_CAUSE_KEEPER, "vitrine-gpu ended");
	quit_loop(run, run->ending ? 0 : 1);
}

/* What one of the two gets of the socket pairs to the other one and to us; -1: nothing. */
struct socket_ends {
	int vhost, lost, report;
};

static void add_fd(struct process_options *options, int ours, int theirs)
{
	if (ours >= 0)
		options->fds[options->n_fds++] = (struct process_fd){ ours, theirs };
}

static bool start_keeper(struct run *run, const struct socket_ends *ends, GError **error)
{
	g_auto(GStrv) argv = keeper_command(&run->desktop, &run->dir, run->spice_fd >= 0);
	bool has_password = run->desktop.password != NULL;
	int password = keeper_pipe_password(&run->desktop, error);
	struct process_options options = { .death_signal = SIGTERM, .own_group = true };
	if (has_password && password < 0)
		return false;
	add_fd(&options, ends->vhost, KEEPER_VHOST_FD);
	add_fd(&options, ends->lost, KEEPER_LOST_FD);
	add_fd(&options, run->spice_fd, KEEPER_SPICE_FD);
	add_fd(&options, password, KEEPER_PASSWORD_FD);
	run->keeper_child.pid = process_spawn(argv, &options, error);
	fd_close(&password);
	if (run->keeper_child.pid < 0) {
		run->keeper_child.pid = 0;
		return false;
	}
	ends_note_keeper(&run->ends, run->keeper_child.pid);
	run->keeper_child.source = g_child_watch_add(run->keeper_child.pid, on_keeper_end, run);
	return true;
}

static bool start_qemu(struct run *run, const struct socket_ends *ends, GError **error)
{
	g_autofree char *seed = run->seed.user ? run_dir_file(&run->dir, QEMU_SEED) : NULL;
	const struct qemu_parts parts = { &run->disk, seed, &run->net_card, &run->dir,
		run->qemu_arguments, run->kvm };
	if (seed && !cloud_seed_make(&run->seed, run->desktop.name, seed, error))
		return false;
	g_auto(GStrv) argv = qemu_command(&run->qemu, &run->desktop, &parts, error);
	if (!argv)
		return false;
	g_autofree char *log = run_dir_file(&run->dir, QEMU_LOG);
	int log_fd = open(log, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool on_terminal = g_strcmp0(run->desktop.serial, "stdio") == 0;
	struct process_options options = {
		.death_signal = SIGTERM,
		.own_group = !on_terminal,
		.keep_stdio = on_terminal,
		.stderr_fd = log_fd,
		.fds = { { ends->vhost, QEMU_VHOST_FD }, { ends->report, QEMU_REPORT_FD },
			{ ends->lost, QEMU_LOST_FD }, { run->net_card.tap_fd, QEMU_TAP_FD } },
		.n_fds = run->net_card.kind == NET_TAP ? 4 : 3,
	};
	run->qemu_child.pid = process_spawn(argv, &options, error);
	if (log_fd >= 0)
		close(log_fd);
	if (run->qemu_child.pid < 0) {
		run->qemu_child.pid = 0;
		return false;
	}
	run_dir_write_pid(&run->dir, QEMU_PID_FILE, run->qemu_child.pid);
	ends_note_qemu(&run->ends, run->qemu_child.pid, run->qemu.major, run->qemu.minor);
	run->qemu_child.source = g_child_watch_add(run->qemu_child.pid, on_qemu_end, run);
	g_autofree char *qmp = run_dir_file(&run->dir, QEMU_OUR_QMP);
	machine_connect(&run->machine, qmp);
	return true;
}

static bool make_pair(int *one, int *other, GError **error)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
			"cannot make a socket pair: %s", g_strerror(errno));
		return false;
	}
	*one = pair[0];
	*other = pair[1];
	return true;
}

static void close_ends(struct socket_ends *ends)
{
	fd_close(&ends->vhost);
	fd_close(&ends->lost);
	fd_close(&ends->report);
}

static bool start_both(struct run *run, GError **error)
{
	struct socket_ends keeper = { -1, -1, -1 }, qemu = { -1, -1, -1 };
	int report;
	bool started = make_pair(&keeper.vhost, &qemu.vhost, error) &&
		       make_pair(&keeper.lost, &qemu.lost, error) &&
		       make_pair(&report, &qemu.report, error);
	if (started) {
		g_autofree char *path = run_dir_file(&run->dir, GUEST_REPORT_FILE);
		run->report = guest_report_create(report, path);
		started = start_keeper(run, &keeper, error) && start_qemu(run, &qemu, error);
	}
	close_ends(&keeper);
	close_ends(&qemu);
	fd_close(&run->spice_fd);
	return started;
}

/* Returns whether there was one, and gives its status. One that nothing ends is left behind. */
static bool end_child(struct child *child, unsigned patience_ms, enum ends_after *after)
{
	pid_t pid = child->pid;
	g_assert(pid >= 0);
	g_clear_handle_id(&child->source, g_source_remove);
	if (pid == 0)
		return false;
	if (!process_wait_end(pid, (int)patience_ms))
		kill(pid, SIGTERM);
	if (!process_wait_end(pid, TERM_TIMEOUT_MS)) {
		g_warning("%s (pid %d) does not end: killed", child->name, (int)pid);
		kill(pid, SIGKILL);
		*after = *after == ENDS_AFTER_WISH ? ENDS_AFTER_KILL : *after;
	}
	if (!process_wait_end(pid, KILLED_TIMEOUT_MS)) {
		g_warning("%s (pid %d) is left behind: a device holds it", child->name, (int)pid);
		return false;
	}
	while (waitpid(pid, &child->wait_status, 0) < 0 && errno == EINTR)
		;
	return true;
}

static void end_children(struct run *run)
{
	enum ends_after first = run->ending ? ENDS_AFTER_WISH : ENDS_AFTER_KEEPER;
	enum ends_after second = ENDS_AFTER_WISH;
	struct child *qemu = &run->qemu_child, *keeper = &run->keeper_child;
	if (end_child(qemu, 0, &first))
		ends_keep_qemu(&run->ends, qemu->pid, qemu->wait_status, first);
	if (end_child(keeper, KEEPER_TIMEOUT_MS, &second))
		ends_keep_keeper(&run->ends, keeper->pid, keeper->wait_status, second);
	qemu->pid = keeper->pid = 0;
}

/*
 * Writes down what is in force, for vitrine show: with the port, the disk's format and the
 * accelerator that were found.
 */
static bool write_desktop(const struct run *run, GError **error)
{
	g_autofree char *path = run_dir_file(&run->dir, DESKTOP_FILE);
	g_autoptr(GKeyFile) file = desktop_file_make(&run->desktop);
	return g_key_file_save_to_file(file, path, error);
}

static void set_text(char **to, const char *text)
{
	g_free(*to);
	*to = g_strdup(text);
}

/* What the disk consists of is found once: here, before anybody else opens any of it. */
static bool find_disk(struct run *run, GError **error)
{
	struct desktop *d = &run->desktop;
	if (!d->disk)
		return true;
	if (!disk_chain_find(&run->disk, d->disk, d->disk_format, d->disk_backing, error))
		return false;
	set_text(&d->disk_format, disk_chain_layer(&run->disk, 0)->format->name);
	if (run->disk.pool)
		set_text(&d->disk_backing, run->disk.pool);
	return true;
}

/* All that is printed from here on, by children, too, is found by `vitrine attach`. */
static bool open_log(struct run *run, GError **error)
{
	g_autofree char *path = run_dir_file(&run->dir, RUN_LOG_FILE);
	static const char *const names[] = { RUN_LOG_FILE, QEMU_LOG, QEMU_SERIAL_LOG };
	run_dir_write_pid(&run->dir, RUN_PID_FILE, getpid());
	log_bound_begin(&run->logs, run->dir.path, names);
	if (!run->desktop.detach || detach_log(&run->detach, path))
		return true;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot make %s: %s", path,
		g_strerror(errno));
	return false;
}

static bool prepare(struct run *run, GError **error)
{
	const struct desktop *d = &run->desktop;
	ends_init(&run->ends, d->name);
	return cloud_seed_init(&run->seed, d->cloud_init, error) && find_disk(run, error) &&
	       net_card_init(&run->net_card, d, error) && qemu_find(&run->qemu, d->qemu, error) &&
	       run_dir_create(&run->dir, d->name, error) && open_log(run, error) &&
	       open_spice(run, error) && choose_accel(run, error) && write_desktop(run, error) &&
	       start_both(run, error) && start_control(run, error);
}

static void finish(struct run *run)
{
	g_clear_handle_id(&run->quit_timer, g_source_remove);
	g_clear_handle_id(&run->power_timer, g_source_remove);
	keeper_events_finish(&run->keeper_events);
	control_destroy(run->control);
	machine_finish(&run->machine);
	guest_report_destroy(run->report);
	end_children(run);
	signals_finish(&run->signals);
	if (run->spice_fd >= 0)
		close(run->spice_fd);
	log_bound_finish(&run->logs);
	detach_finish(&run->detach);
	run_dir_remove(&run->dir);
	ends_finish(&run->ends);
	qemu_program_finish(&run->qemu);
	disk_chain_finish(&run->disk);
	net_card_finish(&run->net_card);
	cloud_seed_finish(&run->seed);
	g_main_loop_unref(run->loop);
}

int run_main(int argc, char **argv)
{
	struct run run = {
		.loop = g_main_loop_new(NULL, FALSE),
		.spice_fd = -1,
		.dir.fd = -1,
		.detach = DETACH_NONE,
		.ends.kills = OOM_KILLS_NONE,
		.keeper_events = KEEPER_EVENTS_NONE,
		.keeper_child.name = "vitrine-gpu",
		.qemu_child.name = "QEMU",
	};

	const struct machine_events machine_events = { &run, on_machine_ready, on_event, on_broken,
		on_said };
	machine_init(&run.machine, &machine_events);
	/* What the options name may be a FIFO that nobody writes to. So a signal still ends us. */
	g_autoptr(GError) error = NULL;
	bool understood = run_options_parse(&run.desktop, &run.qemu_arguments, argc, argv, &error);
	/* A copy of us goes on, before there are threads. */
	if (understood && run.desktop.detach && !detach_fork(&run.detach))
		understood = desktop_fail(&error, "--detach: %s", g_strerror(errno));
	const struct signals_events events = { &run, end_by_wish, read_again, press_power };
	signals_init(&run.signals, &events);
	if (understood && prepare(&run, &error)) {
		g_main_loop_run(run.loop);
	} else {
		g_warning("%s", error->message);
		ends_note_own(&run.ends, FLIGHT_CAUSE_NOT_STARTED, error->message);
		run.exit_status = 1;
	}
	finish(&run);
	desktop_finish(&run.desktop);
	g_strfreev(run.qemu_arguments);
	return run.exit_status;
}
