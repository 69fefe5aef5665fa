/* SPDX-License-Identifier: MIT */
/* vitrine-guest-recover brings a desktop back that lost its graphics with the host's renderer. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest-tools/common/descriptor.h"
#include "guest-tools/common/port.h"
#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"
#include "guest-tools/recover/recovery.h"

#define CONFIG_FILE "/etc/vitrine-guest-recover.conf"

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "port", required_argument, NULL, 'p' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ 0 },
};

struct recover_arguments {
	const char *config, *port;
	bool dry;
};

static void write_help(FILE *file)
{
	fputs("Usage: vitrine-guest-recover [OPTION]...\n"
	      "Waits for the host to say which OpenGL contexts were lost with its renderer, and "
	      "restarts\nthe desktop whose display server has lost its own.\n\n"
	      "  --config FILE  what is to be done, initially " CONFIG_FILE "\n"
	      "  --port FILE    where the host speaks, initially the port " GUEST_LOST_PORT "\n"
	      "  --dry-run      say what would be done, and do nothing\n",
		file);
}

static void parse_arguments(struct recover_arguments *arguments, int argc, char **argv)
{
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'c':
			arguments->config = optarg;
			break;
		case 'p':
			arguments->port = optarg;
			break;
		case 'n':
			arguments->dry = true;
			break;
		case 'h':
			write_help(stdout);
			exit(0);
		case 'v':
			puts("vitrine-guest-recover " VITRINE_VERSION);
			exit(0);
		default:
			write_help(stderr);
			exit(64);
		}
	}
}

static void read_policy(struct policy *policy, const char *path)
{
	char wrong[128];
	*policy = POLICY_INITIAL;
	if (!policy_read(policy, path ? path : CONFIG_FILE, wrong, sizeof wrong) && path)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (wrong[0])
		fprintf(stderr, "%s: not understood: %s\n", path ? path : CONFIG_FILE, wrong);
}

/* Gives -1 when there is no port: the host does not tell, or this is another's machine. */
static int open_port(const char *path)
{
	char device[64];
	for (double end_ms = timing_now_ms() + PORT_WAIT_MS; !path; timing_sleep_ms(PORT_IDLE_MS)) {
		if (port_find(GUEST_LOST_PORT, device, sizeof device))
			path = device;
		else if (timing_now_ms() > end_ms)
			return -1;
	}
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return fd;
}

static void drop_stale(int fd)
{
	char text[GUEST_LOST_TEXT_LINE_MAX];
	struct pollfd wait = { fd, POLLIN, 0 };
	while (poll(&wait, 1, PORT_STALE_MS) > 0 && read(fd, text, sizeof text) > 0)
		;
}

struct input {
	int fd;
	size_t used;
	bool skipping; /* the rest of a line that was too long */
	char text[GUEST_LOST_TEXT_LINE_MAX];
};

static void take_line(struct recovery *recovery, const char *line, size_t length, double now_ms)
{
	static struct notice notice;
	if (notice_is_lock(line, length))
		recovery_lock(recovery);
	else if (notice_parse(&notice, line, length))
		recovery_handle(recovery, &notice, now_ms);
	else
		fprintf(stderr, "a line of the host's is not understood\n");
}

static void take_lines(struct input *input, struct recovery *recovery, double now_ms)
{
	for (char *end; (end = memchr(input->text, '\n', input->used));) {
		size_t length = (size_t)(end - input->text);
		if (!input->skipping)
			take_line(recovery, input->text, length, now_ms);
		input->skipping = false;
		input->used -= length + 1;
		memmove(input->text, end + 1, input->used);
	}
	if (input->used == sizeof input->text) {
		input->used = 0;
		input->skipping = true;
	}
}

/* Gives false when nobody is at the other end now. */
static bool read_input(struct input *input, struct recovery *recovery)
{
	double now_ms = programs_now_ms();
	ssize_t n = read(input->fd, input->text + input->used, sizeof input->text - input->used);
	if (n > 0) {
		input->used += (size_t)n;
		take_lines(input, recovery, now_ms);
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static int listen_to_host(struct recovery *recovery, int fd, bool to_the_end)
{
	static struct input input;
	input.fd = fd;
	for (;;) {
		int wait_ms = recovery_work(recovery);
		struct pollfd wait = { fd, POLLIN, 0 };
		if (poll(&wait, 1, wait_ms) <= 0)
			continue;
		if (read_input(&input, recovery))
			continue;
		if (to_the_end)
			return 0;
		timing_sleep_ms(PORT_IDLE_MS);
	}
}

int main(int argc, char **argv)
{
	static struct recovery recovery;
	struct recover_arguments arguments = { 0 };
	parse_arguments(&arguments, argc, argv);
	read_policy(&recovery.policy, arguments.config);
	recovery.dry = arguments.dry;
	int fd = open_port(arguments.port);
	if (fd < 0 && !arguments.port) {
		fprintf(stderr, "no port %s: this host does not tell\n", GUEST_LOST_PORT);
		return 0;
	}
	if (fd < 0)
		return 1;
	if (!arguments.port)
		drop_stale(fd);
	int status = listen_to_host(&recovery, fd, arguments.port != NULL);
	descriptor_close(fd);
	return status;
}
