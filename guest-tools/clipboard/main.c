/* SPDX-License-Identifier: MIT */
/*
 * vitrine-guest-clipboard is the session's agent of SPICE in a Wayland session, where the one of
 * spice-vdagent reaches only what programs of X have copied. It leads between spice-vdagentd and
 * the compositor, and takes files that are dropped.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/clipboard/compositor.h"
#include "guest-tools/clipboard/daemon.h"
#include "guest-tools/clipboard/files.h"
#include "guest-tools/clipboard/transfers.h"

#define EXIT_NO_PROTOCOL 3
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000 /* another agent serves the session */
#define LOOK_MS 1000       /* while something is under way */

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "folder", required_argument, NULL, 'f' },
	{ "check", no_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ 0 },
};

struct clipboard {
	const char *socket;
	char folder[2048];
	struct compositor compositor;
	struct daemon daemon;
	struct transfers transfers;
	struct files files;
	uint32_t width, height;
	bool complained; /* of the daemon's absence */
	int retry_ms;
};

/* ---- from the compositor to the daemon ---- */

static void on_copied(void *user, enum selection selection, unsigned kinds)
{
	struct clipboard *clipboard = user;
	uint32_t types[KINDS];
	unsigned n = 0;
	for (unsigned kind = KIND_TEXT; kind < KINDS; kind++)
		if (kinds & 1u << kind)
			types[n++] = kind;
	daemon_send(&clipboard->daemon, n ? DAEMON_GRAB : DAEMON_RELEASE, selection, 0, types,
		(uint32_t)(n * sizeof(types[0])));
}

static void on_pastes(void *user, enum selection selection, unsigned kind, int fd)
{
	struct clipboard *clipboard = user;
	if (transfers_wait(&clipboard->transfers, selection, kind, fd))
		daemon_send(&clipboard->daemon, DAEMON_REQUEST, selection, kind, NULL, 0);
}

/* The daemon opens its port to the host when it knows this. */
static void tell_size(struct clipboard *clipboard)
{
	const int32_t screen[5] = { (int32_t)clipboard->width, (int32_t)clipboard->height };
	if (clipboard->width && clipboard->height)
		daemon_send(&clipboard->daemon, DAEMON_RESOLUTION, clipboard->width,
			clipboard->height, screen, sizeof(screen));
}

static void on_resized(void *user, uint32_t width, uint32_t height)
{
	struct clipboard *clipboard = user;
	clipboard->width = width;
	clipboard->height = height;
	tell_size(clipboard);
}

static const struct compositor_ops compositor_ops = { on_copied, on_pastes, on_resized };

static void on_read(
	void *user, enum selection selection, unsigned kind, const uint8_t *data, size_t n_bytes)
{
	struct clipboard *clipboard = user;
	daemon_send(&clipboard->daemon, DAEMON_DATA, selection, data ? kind : KIND_NONE, data,
		(uint32_t)n_bytes);
}

/* ---- from the daemon ---- */

static void on_request(struct clipboard *clipboard, enum selection selection, uint32_t kind)
{
	int fd = compositor_paste(&clipboard->compositor, selection, kind);
	if (fd < 0 || !transfers_read(&clipboard->transfers, selection, kind, fd))
		daemon_send(&clipboard->daemon, DAEMON_DATA, selection, KIND_NONE, NULL, 0);
}

static void on_grab(struct clipboard *clipboard, enum selection selection,
	const struct daemon_message *message, const uint8_t *data)
{
	unsigned kinds = 0;
	for (uint32_t at = 0; message->size_bytes - at >= sizeof(uint32_t);
		at += sizeof(uint32_t)) {
		uint32_t kind;
		memcpy(&kind, data + at, sizeof(kind));
		if (kind >= KIND_TEXT && kind < KINDS)
			kinds |= 1u << kind;
	}
	compositor_offer(&clipboard->compositor, selection, kinds);
}

static void forget_client(struct clipboard *clipboard)
{
	transfers_drop(&clipboard->transfers);
	files_drop(&clipboard->files);
	for (unsigned i = 0; i < SELECTIONS; i++)
		compositor_offer(&clipboard->compositor, i, 0);
}

static void on_message(void *user, const struct daemon_message *message, const uint8_t *data)
{
	struct clipboard *clipboard = user;
	enum selection selection =
		message->arg1 == SELECTION_PRIMARY ? SELECTION_PRIMARY : SELECTION_CLIPBOARD;
	if (message->type >= DAEMON_GRAB && message->type <= DAEMON_RELEASE &&
		message->arg1 >= SELECTIONS)
		return;
	switch (message->type) {
	case DAEMON_VERSION:
		clipboard->retry_ms = RETRY_MIN_MS;
		break;
	case DAEMON_GRAB:
		on_grab(clipboard, selection, message, data);
		break;
	case DAEMON_REQUEST:
		on_request(clipboard, selection, message->arg2);
		break;
	case DAEMON_DATA:
		transfers_give(
			&clipboard->transfers, selection, message->arg2, data, message->size_bytes);
		break;
	case DAEMON_RELEASE:
		compositor_offer(&clipboard->compositor, selection, 0);
		break;
	case DAEMON_CLIENT_LEFT:
		forget_client(clipboard);
		break;
	default:
		files_handle(&clipboard->files, message, data);
		break;
	}
}

/* ---- the loop ---- */

static void connect_daemon(struct clipboard *clipboard)
{
	if (daemon_connect(&clipboard->daemon, clipboard->socket)) {
		clipboard->complained = false;
		tell_size(clipboard);
	} else if (!clipboard->complained) {
		fprintf(stderr, "vitrine-guest-clipboard: %s: %s; trying again\n",
			clipboard->socket, strerror(errno));
		clipboard->complained = true;
	}
}

/* Gives false when the compositor has left. */
static bool look(struct clipboard *clipboard)
{
	struct pollfd polls[2 + TRANSFERS_MAX] = { { clipboard->compositor.wire.fd, POLLIN, 0 },
		{ clipboard->daemon.fd, POLLIN, 0 } };
	unsigned n = transfers_poll(&clipboard->transfers, polls + 2);
	int wait_ms = n > 0 ? LOOK_MS : clipboard->daemon.fd < 0 ? clipboard->retry_ms : -1;
	bool is_late = poll(polls, 2 + n, wait_ms) == 0;
	if (polls[0].revents && !compositor_handle(&clipboard->compositor))
		return false;
	transfers_move(&clipboard->transfers);
	if (clipboard->daemon.fd < 0 && is_late) {
		connect_daemon(clipboard);
	} else if (polls[1].revents && !daemon_handle(&clipboard->daemon, on_message, clipboard)) {
		daemon_close(&clipboard->daemon);
		forget_client(clipboard);
		clipboard->retry_ms = clipboard->retry_ms < RETRY_MAX_MS / 2 ?
					      clipboard->retry_ms * 2 :
					      RETRY_MAX_MS;
	}
	return true;
}

static void write_help(FILE *file)
{
	fputs("Usage: vitrine-guest-clipboard [OPTION]...\n"
	      "Copies and pastes between a Wayland session and a SPICE client, by "
	      "spice-vdagentd.\n\n"
	      "  --socket FILE  where spice-vdagentd is, initially " DAEMON_SOCKET "\n"
	      "  --folder DIR   where dropped files go, initially ~/Downloads\n"
	      "  --check        say whether the compositor lets it, and end; status 3: it does "
	      "not\n",
		file);
}

static void parse(struct clipboard *clipboard, bool *check, int argc, char **argv)
{
	const char *home = getenv("HOME");
	clipboard->socket = DAEMON_SOCKET;
	snprintf(clipboard->folder, sizeof(clipboard->folder), "%s/Downloads", home ? home : "");
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 's':
			clipboard->socket = optarg;
			break;
		case 'f':
			snprintf(clipboard->folder, sizeof(clipboard->folder), "%s", optarg);
			break;
		case 'c':
			*check = true;
			break;
		case 'h':
			write_help(stdout);
			exit(0);
		case 'v':
			puts("vitrine-guest-clipboard " VITRINE_VERSION);
			exit(0);
		default:
			write_help(stderr);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static struct clipboard clipboard;
	bool check = false;
	parse(&clipboard, &check, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	clipboard.daemon.fd = -1;
	clipboard.retry_ms = RETRY_MIN_MS;
	clipboard.transfers.copied = on_read;
	clipboard.transfers.user = &clipboard;
	files_init(&clipboard.files, clipboard.folder, &clipboard.daemon);
	const char *reason = compositor_open(&clipboard.compositor, &compositor_ops, &clipboard);
	if (reason) {
		fprintf(stderr, "vitrine-guest-clipboard: the Wayland compositor: %s\n", reason);
		return EXIT_NO_PROTOCOL;
	}
	if (check) {
		printf("the compositor has %s\n",
			clipboard.compositor.is_ext ? "ext-data-control-v1" : "wlr-data-control");
		return 0;
	}
	connect_daemon(&clipboard);
	while (look(&clipboard))
		;
	return 0;
}
