/* SPDX-License-Identifier: MIT */
/*
 * desktop-line --rate-mbit=N --delay-ms=N -- COMMAND... runs a command at the far end of a slow
 * line.
 *
 * The command gets a network namespace of its own; the only way out is a TUN device, 10.99.0.2, to
 * one in our namespace, 10.99.0.1. Every packet waits its turn at the line's rate (behind those
 * before it) and then for the one-way delay, the same in both directions. A packet that would have
 * to wait longer than the line's queue, one round trip's worth, is dropped, as routers do. So both
 * kernels' TCP meets a real line: it measures the round trip, backs off, fills the queue and no
 * more.
 *
 * It needs the right to make network namespaces and TUN devices. It ends with the command's status,
 * or with 77 when the line could not be made, with a line on standard error that says why. It has
 * one thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PACKET_MAX 2048
#define NETMASK "255.255.255.252"
#define EXIT_MISSING 77
/*
 * The queue at the line's entry holds at least this; a smaller one would drop bursts that any
 * router takes.
 */
#define QUEUE_MIN_BYTES 48000

struct packet {
	gint64 due_us;
	size_t size;
	uint8_t data[PACKET_MAX];
};

struct direction {
	int from, to;
	GQueue packets; /* struct packet *, in the order of their arrival */
	double free_us; /* when the line has sent all that was let in */
};

struct line {
	double us_per_byte;
	gint64 delay_us;
	double queue_us; /* how long a packet may wait for its turn */
	struct direction directions[2];
	int signals;
};

static void line_fail(const char *what)
{
	fprintf(stderr, "desktop-line: %s: %s\n", what, g_strerror(errno));
	exit(EXIT_MISSING);
}

static void device_address(int fd, struct ifreq *request, unsigned long call, const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(text) };

	memcpy(&request->ifr_addr, &address, sizeof(address));
	if (ioctl(fd, call, request) < 0)
		line_fail(text);
}

/* Makes a TUN device in the present network namespace and brings it up. Returns its descriptor. */
static int device_open(const char *address)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "line%d" };
	const int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (tun < 0 || fd < 0 || ioctl(tun, TUNSETIFF, &request) < 0)
		line_fail("/dev/net/tun");
	device_address(fd, &request, SIOCSIFADDR, address);
	device_address(fd, &request, SIOCSIFNETMASK, NETMASK);
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		line_fail("cannot raise the TUN device");
	close(fd);
	return tun;
}

static void line_take(struct line *line, struct direction *direction)
{
	uint8_t data[PACKET_MAX];
	ssize_t size;

	while ((size = read(direction->from, data, sizeof(data))) > 0) {
		const gint64 now_us = g_get_monotonic_time();
		const double begin_us = MAX((double)now_us, direction->free_us);

		if (begin_us - (double)now_us > line->queue_us)
			continue;
		direction->free_us = begin_us + (double)size * line->us_per_byte;
		struct packet *packet = g_new(struct packet, 1);
		packet->due_us = (gint64)direction->free_us + line->delay_us;
		packet->size = (size_t)size;
		memcpy(packet->data, data, (size_t)size);
		g_queue_push_tail(&direction->packets, packet);
	}
}

/*
 * Hands over what has arrived; returns when the next packet does, `latest` at most, in
 * microseconds.
 */
static gint64 line_give(struct direction *direction, gint64 latest)
{
	const gint64 now_us = g_get_monotonic_time();
	struct packet *packet;

	while ((packet = g_queue_peek_head(&direction->packets)) && packet->due_us <= now_us) {
		/* A full device drops the packet, as the network does. */
		if (write(direction->to, packet->data, packet->size) < 0 && errno != EAGAIN)
			line_fail("TUN device");
		g_free(g_queue_pop_head(&direction->packets));
	}
	return packet ? MIN(packet->due_us, latest) : latest;
}

static void line_serve(struct line *line)
{
	struct pollfd fds[3] = { { line->directions[0].from, POLLIN, 0 },
		{ line->directions[1].from, POLLIN, 0 }, { line->signals, POLLIN, 0 } };

	while (!(fds[2].revents & POLLIN)) {
		gint64 next_us = G_MAXINT64;

		for (int i = 0; i < 2; i++) {
			line_take(line, &line->directions[i]);
			next_us = line_give(&line->directions[i], next_us);
		}
		const gint64 left_us = MAX(0, next_us - g_get_monotonic_time());
		const struct timespec timeout = { left_us / G_USEC_PER_SEC,
			left_us % G_USEC_PER_SEC * 1000 };
		ppoll(fds, 3, next_us == G_MAXINT64 ? NULL : &timeout, NULL);
	}
}

static pid_t command_start(char **command, const sigset_t *mask)
{
	const pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	sigprocmask(SIG_UNBLOCK, mask, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_MISSING);
	execvp(command[0], command);
	fprintf(stderr, "desktop-line: %s: %s\n", command[0], g_strerror(errno));
	_exit(127);
}

static char **options_parse(struct line *line, int argc, char **argv)
{
	static char **rest;
	double rate_mbit = 0;
	int delay_ms = 0;
	g_autoptr(GError) error = NULL;
	const GOptionEntry entries[] = {
		{ "rate-mbit", 0, 0, G_OPTION_ARG_DOUBLE, &rate_mbit, "in each direction", "N" },
		{ "delay-ms", 0, 0, G_OPTION_ARG_INT, &delay_ms, "one way", "N" },
		{ G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, "COMMAND..." },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);

	g_option_context_set_strict_posix(context, true);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || !rest || rate_mbit <= 0) {
		fprintf(stderr, "desktop-line: %s\n",
			error ? error->message : "give a rate and a command");
		exit(2);
	}
	line->us_per_byte = 8 / rate_mbit;
	line->delay_us = (gint64)delay_ms * 1000;
	line->queue_us = MAX(2.0 * (double)line->delay_us, QUEUE_MIN_BYTES * line->us_per_byte);
	return rest[0] && strcmp(rest[0], "--") == 0 ? rest + 1 : rest;
}

int main(int argc, char **argv)
{
	struct line line = { 0 };
	char **command = options_parse(&line, argc, argv);
	sigset_t mask;
	int status = 0;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	line.signals = signalfd(-1, &mask, SFD_CLOEXEC);
	const int near_end = device_open("10.99.0.1");
	if (unshare(CLONE_NEWNET) < 0)
		line_fail("cannot make a network namespace");
	const int far_end = device_open("10.99.0.2");
	line.directions[0] = (struct direction){ near_end, far_end, G_QUEUE_INIT, 0 };
	line.directions[1] = (struct direction){ far_end, near_end, G_QUEUE_INIT, 0 };
	const pid_t pid = command_start(command, &mask);
	line_serve(&line);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
