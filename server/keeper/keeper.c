/* SPDX-License-Identifier: MIT */
#include "server/keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/link.h"
#include "common/listen.h"
#include "protocol/flight_events.h"
#include "server/keeper/listeners.h"
#include "server/keeper/requests.h"
#include "server/keeper/secrets.h"
#include "server/keeper/worker_plan.h"

/* No client sees anything while render and display have no link: it is tried again this soon. */
#define FRAME_LINK_RETRY_MS 500

/* Clients, and who follows them, are told `why`. */
static void quit(struct keeper *keeper, int exit_status, const char *why)
{
	viewer_say_end(&keeper->viewer, why);
	ticket_socket_tell(&keeper->tickets, TICKET_EVENT_DESKTOP_ENDS, why);
	if (keeper->exit_status == 0)
		keeper->exit_status = exit_status;
	g_main_loop_quit(keeper->loop);
}

static void on_worker_failed(void *user)
{
	struct keeper *keeper = user;
	bool has_starter = starter_is_usable(keeper->starter);
	recorder_note_quit(&keeper->recorder,
		has_starter ? FLIGHT_CAUSE_WORKER : FLIGHT_CAUSE_STARTER,
		has_starter ? "a worker could not be started" :
			      "a worker was needed, and the starter is gone");
	quit(keeper, 1, "the desktop cannot go on");
}

/* vitrine run, which has the kernel end us along with it. */
static pid_t find_parent(void)
{
	int death_signal = 0;
	return prctl(PR_GET_PDEATHSIG, &death_signal) == 0 && death_signal ? getppid() : 0;
}

/* Without it QEMU ends, too, and which of the two is heard first is luck. */
static void note_end(struct keeper *keeper, enum flight_cause cause, const char *why)
{
	if (keeper->parent && getppid() != keeper->parent)
		recorder_note_quit(&keeper->recorder, FLIGHT_CAUSE_RUN, "vitrine run ended");
	else
		recorder_note_quit(&keeper->recorder, cause, why);
}

/* What QEMU said of its end may wait to be read on the other connection. */
static gboolean on_qemu_gone(gpointer user)
{
	struct keeper *keeper = user;
	keeper->gone_source = 0;
	note_end(keeper, FLIGHT_CAUSE_QEMU, "QEMU hung up");
	quit(keeper, 0, keeper->shutdown ? keeper->shutdown : "QEMU ended without a word");
	return G_SOURCE_REMOVE;
}

static void on_conversation_closed(void *user, bool refused)
{
	struct keeper *keeper = user;
	flight_note(FLIGHT_QEMU_LEFT, refused, 0, 0);
	if (refused) {
		bool lacks_fds = keeper->requests.vhost_user.lacks_fds;
		recorder_note_quit(&keeper->recorder,
			lacks_fds ? FLIGHT_CAUSE_NO_DESCRIPTORS : FLIGHT_CAUSE_QEMU_PROTOCOL,
			lacks_fds ? "no room for QEMU's descriptors" :
				    "QEMU said what is not understood");
		quit(keeper, 1, "the desktop cannot go on");
	} else if (!keeper->gone_source) {
		keeper->gone_source =
			g_timeout_add(keeper->qmp && !keeper->shutdown ? QEMU_LAST_WORD_MS : 0,
				on_qemu_gone, keeper);
	}
}

static void on_shutdown(void *user, bool by_guest)
{
	struct keeper *keeper = user;
	keeper->shutdown = by_guest ? "the guest has powered off" : "the desktop was ended";
}

static void on_driver(void *user, bool is_up)
{
	struct keeper *keeper = user;
	late_device_set_up(&keeper->late_device, is_up);
	if (is_up)
		worker_driver_started(&keeper->renderer.worker);
	ticket_socket_tell(&keeper->tickets,
		is_up ? TICKET_EVENT_DRIVER_UP : TICKET_EVENT_DRIVER_DOWN,
		is_up ? device_name_driver(&keeper->device) : NULL);
}

static void on_asked(void *user)
{
	struct keeper *keeper = user;
	late_device_asked(&keeper->late_device);
}

static void renew_frame_link(struct keeper *keeper);

static gboolean on_frame_link_late(gpointer user)
{
	struct keeper *keeper = user;
	keeper->frame_link_source = 0;
	renew_frame_link(keeper);
	return G_SOURCE_REMOVE;
}

/* A frame link serves one renderer and one display, so both get an end of a new one. */
static void renew_frame_link(struct keeper *keeper)
{
	if (keeper->renderer.worker.state != WORKER_READY ||
		keeper->viewer.worker.state != WORKER_READY)
		return;
	int fds[2];
	g_clear_handle_id(&keeper->frame_link_source, g_source_remove);
	int result = link_pair(fds);
	if (result < 0) {
		g_warning("cannot make a frame link: %s; trying again in %d ms",
			g_strerror(-result), FRAME_LINK_RETRY_MS);
		keeper->frame_link_source =
			g_timeout_add(FRAME_LINK_RETRY_MS, on_frame_link_late, keeper);
		return;
	}
	renderer_send_frame_link(&keeper->renderer, fds[0]);
	viewer_send_frame_link(&keeper->viewer, fds[1]);
	close(fds[0]);
	close(fds[1]);
}

static void serve(struct keeper *keeper, int fd)
{
	g_assert(!keeper->serving);
	requests_serve(&keeper->requests, fd);
	keeper->serving = true;
	flight_note(FLIGHT_QEMU_CAME, (uint64_t)requests_peer_pid(&keeper->requests), 0, 0);
}

static gboolean on_qemu_connects(int listener, GIOCondition condition, gpointer user)
{
	struct keeper *keeper = user;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return G_SOURCE_CONTINUE;
	keeper->vhost_listener_source = 0;
	close(keeper->vhost_listener);
	keeper->vhost_listener = -1;
	serve(keeper, fd);
	return G_SOURCE_REMOVE;
}

/* QEMU is answered from here on, and the first answers depend on what the renderer can do. */
static void begin(struct keeper *keeper)
{
	if (keeper->serving || keeper->vhost_listener_source)
		return;
	uint32_t n_capsets = keeper->renderer.worker.n_capsets;
	if (keeper->desktop->virgl && n_capsets == 0)
		g_warning("the renderer offers no OpenGL: the guest will see a plain 2D GPU");
	device_init(&keeper->device, keeper->desktop->virgl && n_capsets > 0);
	if (keeper->vhost_listener >= 0)
		keeper->vhost_listener_source =
			g_unix_fd_add(keeper->vhost_listener, G_IO_IN, on_qemu_connects, keeper);
	else
		serve(keeper, keeper->desktop->vhost_fd);
}

static void on_worker_ready(struct keeper *keeper)
{
	renew_frame_link(keeper);
	if (keeper->renderer.worker.was_ready && keeper->viewer.worker.was_ready)
		begin(keeper);
}

static void on_renderer_ready(void *user)
{
	struct keeper *keeper = user;
	recorder_set_gpu(&keeper->recorder, keeper->renderer.search.chosen);
	on_worker_ready(keeper);
}

static void on_contexts_lost(void *user, const struct lost_contexts *lost)
{
	struct keeper *keeper = user;
	if (guest_port_tell(&keeper->guest_port, lost))
		g_message("the guest is told that its %u OpenGL contexts are lost (%s)", lost->n,
			lost->cause);
	else if (keeper->guest_port.fd >= 0)
		g_message("the guest is not told that its %u OpenGL contexts are lost (%s): %s",
			lost->n, lost->cause,
			keeper->guest_port.is_open ? "it does not read" : "nobody listens in it");
}

static void on_port_changed(void *user, const char *id, bool is_open)
{
	struct keeper *keeper = user;
	if (strcmp(id, DESKTOP_LOST_PORT_ID) == 0)
		guest_port_set_open(&keeper->guest_port, is_open);
}

/*
 * Display may open the GPU that the desktop draws with. While nobody can have come it is replaced;
 * later its clients are worth more than an encoder that it cannot have.
 */
static void on_gpu_changed(void *user, unsigned candidate)
{
	struct keeper *keeper = user;
	flight_note(FLIGHT_GPU_CHOSEN, candidate, 0, 0);
	if (keeper->serving || keeper->vhost_listener_source)
		worker_set_command(&keeper->viewer.worker, WORKER_COMMAND_DISPLAY(candidate));
	else
		worker_replace(&keeper->viewer.worker, WORKER_COMMAND_DISPLAY(candidate));
}

static void on_first_size(void *user, uint32_t width, uint32_t height)
{
	struct keeper *keeper = user;
	g_info("the device was given %ux%u as its first size", width, height);
	keeper->device.first_width = width;
	keeper->device.first_height = height;
	renderer_update_first_mode(&keeper->renderer);
}

static void on_viewer_ready(void *user)
{
	struct keeper *keeper = user;
	on_worker_ready(keeper);
	if (keeper->qmp)
		qmp_broker_request(keeper->qmp);
}

static void on_viewer_lost(void *user)
{
	struct keeper *keeper = user;
	ticket_socket_tell(&keeper->tickets, TICKET_EVENT_DISPLAY_ENDED, NULL);
}

static void on_pointer_area(void *user, uint32_t width, uint32_t height)
{
	struct keeper *keeper = user;
	gpu_socket_set_desktop(&keeper->gpu_socket, width, height);
}

static bool on_visitor(void *user, const struct keeper_visitor *visitor, int fd, uint32_t *uid)
{
	struct keeper *keeper = user;
	return admission_judge(&keeper->admission, visitor, fd, uid);
}

/* We may not connect to anything ourselves. */
static int connect_monitor(void *user)
{
	struct keeper *keeper = user;
	return fetcher_connect(keeper->fetcher);
}

static void on_dbus_connected(void *user, int fd)
{
	struct keeper *keeper = user;
	viewer_send_dbus(&keeper->viewer, fd);
}

static bool prepare_vhost(struct keeper *keeper, GError **error)
{
	const struct desktop *o = keeper->desktop;
	if (!o->socket_path)
		return fcntl(o->vhost_fd, F_SETFD, FD_CLOEXEC) == 0;
	keeper->vhost_listener = listen_unix(o->socket_path, error);
	return keeper->vhost_listener >= 0;
}

static int32_t running_pid(const struct worker *worker)
{
	return worker->state == WORKER_READY || worker->state == WORKER_STARTING ?
		       worker->process.pid :
		       0;
}

/* QEMU's process id is known only where it connected to our socket itself. */
static int32_t qemu_pid(const struct keeper *keeper)
{
	return keeper->desktop->socket_path ? requests_peer_pid(&keeper->requests) : 0;
}

static void describe_gpu(const struct keeper *keeper, struct stats_answer *answer)
{
	const struct gpu_search *search = &keeper->renderer.search;
	g_autofree char *why = gpu_search_describe(search, keeper->desktop);
	if (!search->has_worked)
		return;
	g_strlcpy(answer->gpu, search->chosen, sizeof(answer->gpu));
	g_strlcpy(answer->gpu_why, why, sizeof(answer->gpu_why));
}

static void on_stats_asked(void *user, struct stats_answer *answer)
{
	const struct keeper *keeper = user;
	g_strlcpy(answer->name, keeper->desktop->name, sizeof(answer->name));
	answer->keeper_pid = getpid();
	answer->render_pid = running_pid(&keeper->renderer.worker);
	answer->display_pid = running_pid(&keeper->viewer.worker);
	answer->qemu_pid = qemu_pid(keeper);
	answer->render_starts = keeper->renderer.worker.n_starts;
	answer->display_starts = keeper->viewer.worker.n_starts;
	answer->keeper_walls = keeper->walls.state;
	answer->render_walls = keeper->renderer.worker.walls;
	answer->display_walls = keeper->viewer.worker.walls;
	answer->inner_walls = keeper->viewer.worker.inner_walls;
	answer->starter_walls = keeper->starter->servant.walls;
	answer->fetcher_walls = keeper->fetcher->servant.walls;
	const struct spare *spare = &keeper->renderer.worker.spare;
	answer->spare_state = spare_get_state(spare);
	if (answer->spare_state != STATS_SPARE_NONE) {
		answer->spare_pid = spare->process.pid;
		answer->spare_own_kib = heartbeat_memory_read_own_kib(&spare->process.heartbeat);
	}
	describe_gpu(keeper, answer);
}

static bool prepare_stats(struct keeper *keeper, GError **error)
{
	const char *path = keeper->desktop->stats_socket;
	if (!stats_socket_init(&keeper->stats, error))
		return false;
	keeper->renderer.worker.stats_fd = keeper->stats.render_fd;
	keeper->viewer.worker.stats_fd = keeper->stats.display_fd;
	return !path || stats_socket_listen(&keeper->stats, path, on_stats_asked, keeper, error);
}

static void on_ticket_asked(
	void *user, const struct ticket_request *request, struct ticket_answer *answer)
{
	struct keeper *keeper = user;
	if (!keeper->desktop->password)
		answer->result = TICKET_NOT_ASKED_FOR;
	else if (viewer_give_ticket(
			 &keeper->viewer, request->flags, request->use_within_s, answer->ticket))
		answer->result = TICKET_GIVEN;
	else
		answer->result = TICKET_TOO_MANY;
}

static void on_upgrade_asked(void *user, const struct upgrade_request *request, int fd)
{
	struct keeper *keeper = user;
	upgrade_ask(&keeper->upgrade, request, fd);
}

static void on_client(void *user, const struct keeper_client *client)
{
	struct keeper *keeper = user;
	ticket_socket_tell_client(&keeper->tickets, client);
}

static void on_hand_over_asked(void *user, const char *client)
{
	const struct keeper_client nobody = { .what = KEEPER_CLIENT_NOT_THERE,
		.text = "nobody is there: display begins" };
	struct keeper *keeper = user;
	if (!viewer_hand_over(&keeper->viewer, client))
		ticket_socket_tell_client(&keeper->tickets, &nobody);
}

static void on_screenshot_asked(void *user, const struct screenshot_request *request, int fd)
{
	struct keeper *keeper = user;
	screenshot_ask(&keeper->screenshot, request, fd);
}

static void on_screenshot_taken(void *user, const struct keeper_screenshot_taken *taken, int fd)
{
	struct keeper *keeper = user;
	screenshot_taken(&keeper->screenshot, taken, fd);
}

static bool prepare_tickets(struct keeper *keeper, GError **error)
{
	const char *path = keeper->desktop->ticket_socket;
	keeper->tickets.hand_over = on_hand_over_asked;
	return !path || ticket_socket_listen(&keeper->tickets, path, on_ticket_asked,
				on_upgrade_asked, on_screenshot_asked, keeper, error);
}

static gboolean on_signal(gpointer user)
{
	quit(user, 0, "the desktop was ended");
	return G_SOURCE_CONTINUE;
}

/* Who starts us by nohup(1) means that it stays so. */
static bool is_ignored(int number)
{
	struct sigaction action;
	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static gboolean on_hang_up(gpointer user)
{
	struct keeper *keeper = user;
	secrets_read_again(keeper->fetcher, keeper->desktop, &keeper->viewer);
	return G_SOURCE_CONTINUE;
}

static gboolean on_switch(gpointer user)
{
	struct keeper *keeper = user;
	viewer_switch(&keeper->viewer);
	return G_SOURCE_CONTINUE;
}

/* GLib makes a thread for signals and ends of children. It is behind the walls, too. */
static bool start(struct keeper *keeper, GError **error)
{
	enum confine_mode mode = keeper->desktop->confine;
	keeper->signal_sources[0] = g_unix_signal_add(SIGTERM, on_signal, keeper);
	keeper->signal_sources[1] = g_unix_signal_add(SIGINT, on_signal, keeper);
	keeper->signal_sources[3] = g_unix_signal_add(SIGUSR1, on_switch, keeper);
	if (!is_ignored(SIGHUP))
		keeper->signal_sources[2] = g_unix_signal_add(SIGHUP, on_hang_up, keeper);
	recorder_start(&keeper->recorder);
	starter_watch(keeper->starter);
	fetcher_watch(keeper->fetcher);
	return servant_hear_walls(&keeper->starter->servant, mode, error) &&
	       servant_hear_walls(&keeper->fetcher->servant, mode, error) &&
	       renderer_start(&keeper->renderer, error) && viewer_start(&keeper->viewer, error) &&
	       keeper_walls_close(&keeper->walls, keeper->desktop, error);
}

static void prepare_renderer(struct keeper *keeper, const struct gpu_candidates *gpus)
{
	const struct desktop *desktop = keeper->desktop;
	const struct renderer_events events = {
		.user = keeper,
		.ready = on_renderer_ready,
		.failed = on_worker_failed,
		.gpu_changed = on_gpu_changed,
		.contexts_lost = on_contexts_lost,
	};
	renderer_init(&keeper->renderer, keeper->starter, gpus, &keeper->device, &keeper->ledger,
		desktop->submit_limit_s, &events);
	keeper->renderer.refresh_hz = desktop->refresh_hz;
	keeper->renderer.troubles.viewer = &keeper->viewer;
	upgrade_init(&keeper->upgrade, &keeper->renderer, &keeper->viewer);
	spare_keep(&keeper->renderer.worker.spare, desktop->spare);
	keeper->renderer.worker.recorder = &keeper->recorder;
}

static void prepare_viewer(struct keeper *keeper)
{
	const struct viewer_events events = {
		.user = keeper,
		.ready = on_viewer_ready,
		.lost = on_viewer_lost,
		.failed = on_worker_failed,
		.pointer_area = on_pointer_area,
		.visitor = on_visitor,
		.screenshot = on_screenshot_taken,
		.client = on_client,
	};
	viewer_init(&keeper->viewer, keeper->starter, keeper->desktop->password, &events);
	screenshot_init(&keeper->screenshot, &keeper->viewer);
	keeper->viewer.worker.recorder = &keeper->recorder;
	if (keeper->desktop->view_password)
		viewer_set_view_password(&keeper->viewer, keeper->desktop->view_password);
	viewer_set_users(&keeper->viewer, &keeper->desktop->users);
}

bool keeper_init(struct keeper *keeper, const struct desktop *desktop,
	const struct gpu_candidates *gpus, struct starter *starter, struct fetcher *fetcher,
	GError **error)
{
	*keeper = (struct keeper){ .desktop = desktop,
		.starter = starter,
		.fetcher = fetcher,
		.parent = find_parent(),
		.vhost_listener = -1,
		.admission = ADMISSION_NONE,
		.ledger.fd = -1,
		.stats = STATS_SOCKET_NONE,
		.tickets = TICKET_SOCKET_NONE,
		.upgrade = UPGRADE_NONE,
		.screenshot = SCREENSHOT_NONE };
	keeper->loop = g_main_loop_new(NULL, FALSE);
	recorder_init(&keeper->recorder, desktop);
	device_init(&keeper->device, false);
	gpu_socket_init(&keeper->gpu_socket, on_first_size, keeper);
	prepare_renderer(keeper, gpus);
	prepare_viewer(keeper);
	struct requests_events requests_events = {
		.user = keeper,
		.closed = on_conversation_closed,
		.driver = on_driver,
		.asked = on_asked,
	};
	late_device_init(&keeper->late_device, &keeper->viewer, &keeper->tickets);
	requests_init(&keeper->requests, &keeper->device, &keeper->renderer, &keeper->gpu_socket,
		&requests_events);
	const struct qmp_broker_events qmp_events = {
		.user = keeper,
		.connect = connect_monitor,
		.connected = on_dbus_connected,
		.port_changed = on_port_changed,
		.shutdown = on_shutdown,
	};
	guest_port_init(&keeper->guest_port, desktop->lost_fd);
	if (desktop->lock_on_leave)
		lock_on_leave_init(&keeper->viewer.lock, &keeper->guest_port);
	if (desktop->qmp_path)
		keeper->qmp = qmp_broker_create(&qmp_events);

	return ledger_memory_init(&keeper->ledger, error) && prepare_stats(keeper, error) &&
	       prepare_tickets(keeper, error) && prepare_vhost(keeper, error) &&
	       listeners_open(&keeper->viewer, desktop, error) &&
	       admission_init(&keeper->admission, desktop, error) &&
	       keeper_walls_begin(&keeper->walls, desktop, error) && start(keeper, error);
}

int keeper_run(struct keeper *keeper)
{
	g_main_loop_run(keeper->loop);
	return keeper->exit_status;
}

void keeper_finish(struct keeper *keeper)
{
	const struct desktop *o = keeper->desktop;
	g_clear_handle_id(&keeper->vhost_listener_source, g_source_remove);
	g_clear_handle_id(&keeper->gone_source, g_source_remove);
	g_clear_handle_id(&keeper->frame_link_source, g_source_remove);
	/* The socket is ours, or keeper_init() has failed because it is another keeper's. */
	if (o->socket_path && (keeper->vhost_listener >= 0 || keeper->serving))
		unlink(o->socket_path);
	if (keeper->vhost_listener >= 0)
		close(keeper->vhost_listener);
	requests_finish(&keeper->requests);
	late_device_finish(&keeper->late_device);
	qmp_broker_destroy(keeper->qmp);
	guest_port_finish(&keeper->guest_port);
	gpu_socket_finish(&keeper->gpu_socket);
	for (unsigned i = 0; o->spice_unix && i < keeper->viewer.n_listeners; i++) {
		if (keeper->viewer.listeners[i].kind == KEEPER_LISTENER_UNIX)
			unlink(o->spice_unix);
	}
	viewer_finish(&keeper->viewer);
	upgrade_finish(&keeper->upgrade);
	screenshot_finish(&keeper->screenshot);
	admission_finish(&keeper->admission);
	renderer_finish(&keeper->renderer);
	stats_socket_finish(&keeper->stats);
	ticket_socket_finish(&keeper->tickets);
	ledger_memory_finish(&keeper->ledger);
	device_finish(&keeper->device);
	note_end(keeper, FLIGHT_CAUSE_ENDED, "");
	recorder_finish(&keeper->recorder);
	for (unsigned i = 0; i < G_N_ELEMENTS(keeper->signal_sources); i++)
		g_clear_handle_id(&keeper->signal_sources[i], g_source_remove);
	g_main_loop_unref(keeper->loop);
}
