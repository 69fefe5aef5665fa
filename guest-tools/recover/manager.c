/* SPDX-License-Identifier: MIT */
#include "guest-tools/recover/manager.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest-tools/common/descriptor.h"
#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"
#include "guest-tools/recover/limits.h"

/* D-Bus specification, "Message Format" and "Type System". */
enum { TYPE_CALL = 1, TYPE_ANSWER = 2, TYPE_ERROR = 3 };
enum { FIELD_PATH = 1, FIELD_INTERFACE, FIELD_MEMBER, FIELD_DESTINATION = 6, FIELD_SIGNATURE = 8 };
#define SERIAL 1u
#define FIXED_BYTES 16u

struct message {
	size_t length;
	unsigned char bytes[MANAGER_MESSAGE_BYTES];
};

static void put(struct message *message, const void *data, size_t length)
{
	if (length <= sizeof message->bytes - message->length) {
		memcpy(message->bytes + message->length, data, length);
		message->length += length;
	}
}

static void align(struct message *message, size_t to)
{
	while (message->length % to)
		put(message, "", 1);
}

static void put_number(struct message *message, uint32_t value)
{
	align(message, sizeof value);
	put(message, &value, sizeof value);
}

static void put_string(struct message *message, const char *text)
{
	put_number(message, (uint32_t)strlen(text));
	put(message, text, strlen(text) + 1);
}

/* A field is a structure of its number and a variant, whose type is one letter here. */
static void put_field(struct message *message, unsigned char field, char type, const char *value)
{
	unsigned char head[] = { field, 1, (unsigned char)type, 0 };
	align(message, 8);
	put(message, head, sizeof head);
	if (type != 'g') {
		put_string(message, value);
		return;
	}
	unsigned char length = (unsigned char)strlen(value);
	put(message, &length, 1);
	put(message, value, length + 1u);
}

static void set_number(struct message *message, size_t at, size_t value)
{
	uint32_t number = (uint32_t)value;
	memcpy(message->bytes + at, &number, sizeof number);
}

static void write_call(struct message *message, const char *unit)
{
	const uint32_t one = 1;
	const char order = *(const char *)&one ? 'l' : 'B';
	const unsigned char head[] = { (unsigned char)order, TYPE_CALL, 0, 1 };
	*message = (struct message){ 0 };
	put(message, head, sizeof head);
	put_number(message, 0); /* of the body's bytes */
	put_number(message, SERIAL);
	put_number(message, 0); /* of the fields' bytes */
	put_field(message, FIELD_PATH, 'o', "/org/freedesktop/systemd1");
	put_field(message, FIELD_INTERFACE, 's', "org.freedesktop.systemd1.Manager");
	put_field(message, FIELD_MEMBER, 's', "RestartUnit");
	put_field(message, FIELD_DESTINATION, 's', "org.freedesktop.systemd1");
	put_field(message, FIELD_SIGNATURE, 'g', "ss");
	set_number(message, 12, message->length - FIXED_BYTES);
	align(message, 8);
	size_t body = message->length;
	put_string(message, unit);
	put_string(message, "replace");
	set_number(message, 4, message->length - body);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	text_copy(address.sun_path, sizeof address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	descriptor_close(fd);
	return -1;
}

static bool send_all(int fd, const void *data, size_t length)
{
	return send(fd, data, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static bool receive(int fd, void *data, size_t length, double end_ms)
{
	for (size_t got = 0; got < length;) {
		struct pollfd wait = { fd, POLLIN, 0 };
		double left_ms = end_ms - timing_now_ms();
		if (left_ms <= 0 || poll(&wait, 1, (int)left_ms + 1) < 0)
			return false;
		ssize_t n = recv(fd, (char *)data + got, length - got, MSG_DONTWAIT);
		if (n == 0)
			return false;
		got += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/*
 * Whoever connects says who they are, which the kernel confirms, in lines. They go at once, as
 * systemd's own programs send them: what came together with the last one it would leave unread.
 */
static bool introduce(int fd, double end_ms)
{
	char text[64] = { 0 }, name[16], c = 0; /* a NUL comes first */
	size_t length = 0;
	snprintf(name, sizeof name, "%u", (unsigned)getuid());
	text_copy(text + 1, sizeof text - 1, "AUTH EXTERNAL ");
	for (const char *digit = name; *digit; digit++)
		text_append_format(text + 1, sizeof text - 1, "%02x", (unsigned char)*digit);
	text_append(text + 1, sizeof text - 1, "\r\nBEGIN\r\n");
	if (!send_all(fd, text, 1 + strlen(text + 1)))
		return false;
	while (c != '\n' && length < sizeof text && receive(fd, &c, 1, end_ms))
		text[length++] = c;
	return c == '\n' && length > 3 && memcmp(text, "OK ", 3) == 0;
}

static uint32_t number_at(const unsigned char *bytes)
{
	uint32_t number;
	memcpy(&number, bytes, sizeof number);
	return number;
}

static bool skip(int fd, size_t length, double end_ms)
{
	char dropped[256];
	for (size_t n; length > 0; length -= n) {
		n = length < sizeof dropped ? length : sizeof dropped;
		if (!receive(fd, dropped, n, end_ms))
			return false;
	}
	return true;
}

/* Whatever comes before the answer, or the error, is a signal. Nothing else is asked. */
static bool was_answered(int fd, double end_ms)
{
	unsigned char head[FIXED_BYTES] = { 0 };
	while (receive(fd, head, sizeof head, end_ms)) {
		if (head[1] == TYPE_ANSWER || head[1] == TYPE_ERROR)
			return head[1] == TYPE_ANSWER;
		size_t body = number_at(head + 4), fields = number_at(head + 12);
		if (body > MANAGER_ANSWER_MAX || fields > MANAGER_ANSWER_MAX ||
			!skip(fd, ((fields + 7) & ~(size_t)7) + body, end_ms))
			return false;
	}
	return false;
}

bool manager_restart(const char *socket_path, const char *unit)
{
	static struct message call;
	double end_ms = timing_now_ms() + MANAGER_ANSWER_MS;
	write_call(&call, unit);
	int fd = connect_to(socket_path);
	if (fd < 0)
		return false;
	bool taken = introduce(fd, end_ms) && send_all(fd, call.bytes, call.length) &&
		     was_answered(fd, end_ms);
	descriptor_close(fd);
	return taken;
}
