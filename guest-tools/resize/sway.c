/* SPDX-License-Identifier: MIT */
#include "guest-tools/resize/sway.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest-tools/common/text.h"

#define MAGIC "i3-ipc"
#define MAGIC_BYTES 6
#define RUN_COMMAND 0
#define COMMAND_HEADER_BYTES 14
#define ANSWER_S 2

bool sway_find_socket(int wayland, char *path, size_t size)
{
	struct ucred peer;
	socklen_t length = sizeof peer;
	const char *folder = getenv("XDG_RUNTIME_DIR");
	if (!folder || getsockopt(wayland, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
		return false;
	int n = snprintf(
		path, size, "%s/sway-ipc.%u.%d.sock", folder, (unsigned)getuid(), peer.pid);
	return (size_t)n < size && access(path, W_OK) == 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = ANSWER_S };
	if (strlen(path) >= sizeof address.sun_path)
		return -1;
	text_copy(address.sun_path, sizeof address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool send_command(int fd, const char *commands)
{
	uint8_t message[COMMAND_HEADER_BYTES + 1024];
	uint32_t words[2] = { (uint32_t)strlen(commands), RUN_COMMAND };
	if (words[0] > sizeof message - COMMAND_HEADER_BYTES)
		return false;
	memcpy(message, MAGIC, MAGIC_BYTES);
	memcpy(message + MAGIC_BYTES, words, sizeof words);
	memcpy(message + COMMAND_HEADER_BYTES, commands, words[0]);
	return send(fd, message, COMMAND_HEADER_BYTES + words[0], MSG_NOSIGNAL) ==
	       (ssize_t)(COMMAND_HEADER_BYTES + words[0]);
}

/* The answer is a list with a success for each command, and short. */
static bool read_answer(int fd)
{
	char answer[4096];
	size_t used = 0, wanted = COMMAND_HEADER_BYTES;
	while (used < wanted && used < sizeof answer - 1) {
		ssize_t n = recv(fd, answer + used, sizeof answer - 1 - used, 0);
		if (n <= 0)
			return false;
		used += (size_t)n;
		uint32_t length = 0;
		if (used >= COMMAND_HEADER_BYTES)
			memcpy(&length, answer + MAGIC_BYTES, sizeof length);
		wanted = COMMAND_HEADER_BYTES + (size_t)length;
	}
	answer[used] = 0;
	return !strstr(answer + COMMAND_HEADER_BYTES, "false");
}

bool sway_run(const char *path, const char *commands)
{
	int fd = connect_to(path);
	if (fd < 0)
		return false;
	bool good = send_command(fd, commands) && read_answer(fd);
	close(fd);
	return good;
}
