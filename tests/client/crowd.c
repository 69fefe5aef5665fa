/* SPDX-License-Identifier: MIT */
#include "tests/client/crowd.h"

#include <errno.h>
#include <glib.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/client/link_by_hand.h"

/* So much of a server's answer is looked at: a whole reply to a link message fits. */
#define HEARD_MAX 512
#define TURN_MS 2

const char *const crowd_names[CROWD_KINDS] = {
	[CROWD_SILENT] = "silent",
	[CROWD_LINK] = "half a link message",
	[CROWD_TLS] = "half a ClientHello",
	[CROWD_WEBSOCKET] = "half a WebSocket request",
	[CROWD_LINKED] = "a link message and no more",
	[CROWD_HELLO] = "a ClientHello and no more",
	[CROWD_GUESS] = "a wrong password",
};

struct stranger {
	int fd; /* -1: none */
	uint8_t heard[HEARD_MAX];
	size_t heard_bytes;
	bool guessed;
};

struct crowd {
	enum crowd_kind kind;
	unsigned per_s;
	struct sockaddr_in address;
	uint8_t first[4096]; /* each says this at once */
	size_t first_bytes;
	int epoll_fd;
	struct stranger strangers[CROWD_KEPT]; /* a ring */
	GThread *thread;
	gint stop, came, answered; /* atomic */
};

/* ---- what they say ---- */

static ssize_t keep_hello(gnutls_transport_ptr_t user, const void *bytes, size_t size_bytes)
{
	struct crowd *crowd = user;
	g_assert_cmpuint(crowd->first_bytes + size_bytes, <=, sizeof(crowd->first));
	memcpy(crowd->first + crowd->first_bytes, bytes, size_bytes);
	crowd->first_bytes += size_bytes;
	return (ssize_t)size_bytes;
}

static ssize_t hear_nothing(gnutls_transport_ptr_t user, void *bytes, size_t size_bytes)
{
	errno = EAGAIN;
	return -1;
}

static void make_hello(struct crowd *crowd)
{
	gnutls_session_t tls;
	gnutls_certificate_credentials_t none;
	g_assert_cmpint(gnutls_init(&tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK), ==, 0);
	g_assert_cmpint(gnutls_certificate_allocate_credentials(&none), ==, 0);
	g_assert_cmpint(gnutls_set_default_priority(tls), ==, 0);
	g_assert_cmpint(gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, none), ==, 0);
	gnutls_transport_set_ptr(tls, crowd);
	gnutls_transport_set_push_function(tls, keep_hello);
	gnutls_transport_set_pull_function(tls, hear_nothing);
	while (gnutls_handshake(tls) != GNUTLS_E_AGAIN)
		;
	gnutls_deinit(tls);
	gnutls_certificate_free_credentials(none);
}

static void make_first(struct crowd *crowd)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: webs";
	switch (crowd->kind) {
	case CROWD_LINK:
	case CROWD_LINKED:
	case CROWD_GUESS:
		link_by_hand_message(crowd->first, SPICE_CHANNEL_MAIN, 0);
		crowd->first_bytes =
			crowd->kind == CROWD_LINK ? LINK_BY_HAND_BYTES / 2 : LINK_BY_HAND_BYTES;
		break;
	case CROWD_TLS:
	case CROWD_HELLO:
		make_hello(crowd);
		crowd->first_bytes /= crowd->kind == CROWD_TLS ? 2 : 1;
		break;
	case CROWD_WEBSOCKET:
		crowd->first_bytes = sizeof(request) - 1;
		memcpy(crowd->first, request, crowd->first_bytes);
		break;
	default:
		break;
	}
}

/* ---- coming and going ---- */

/* Most go by a reset, or the host would run out of ports. */
static void leave(struct stranger *stranger, unsigned n)
{
	const struct linger none = { .l_onoff = 1 };
	if (stranger->fd < 0)
		return;
	if (n % 4 != 0)
		setsockopt(stranger->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(stranger->fd);
	stranger->fd = -1;
}

static void come(struct crowd *crowd, unsigned n)
{
	struct stranger *stranger = &crowd->strangers[n % CROWD_KEPT];
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = stranger };
	leave(stranger, n);
	*stranger = (struct stranger){ .fd = socket(AF_INET,
					       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) };
	g_assert_cmpint(stranger->fd, >=, 0);
	int result = connect(
		stranger->fd, (const struct sockaddr *)&crowd->address, sizeof(crowd->address));
	if (result < 0 && errno != EINPROGRESS)
		return;
	/* On the loopback the kernel has answered by now, or its queue is full. */
	ssize_t said = send(stranger->fd, crowd->first, crowd->first_bytes, MSG_NOSIGNAL);
	if (said == (ssize_t)crowd->first_bytes)
		g_atomic_int_inc(&crowd->came);
	if (crowd->kind == CROWD_GUESS)
		epoll_ctl(crowd->epoll_fd, EPOLL_CTL_ADD, stranger->fd, &event);
}

/* ---- guessing ---- */

static void hear(struct crowd *crowd, struct stranger *stranger)
{
	const size_t reply_bytes = sizeof(SpiceLinkHeader) + sizeof(SpiceLinkReply);
	uint8_t ticket[LINK_BY_HAND_TICKET_BYTES];
	ssize_t n = recv(stranger->fd, stranger->heard + stranger->heard_bytes,
		sizeof(stranger->heard) - stranger->heard_bytes, 0);
	if (n <= 0 || stranger->guessed) {
		g_atomic_int_add(&crowd->answered, stranger->guessed && n > 0);
		leave(stranger, 1);
		return;
	}
	stranger->heard_bytes += (size_t)n;
	if (stranger->heard_bytes < reply_bytes)
		return;
	link_by_hand_ticket(ticket,
		stranger->heard + sizeof(SpiceLinkHeader) + offsetof(SpiceLinkReply, pub_key),
		"guess");
	send(stranger->fd, ticket, sizeof(ticket), MSG_NOSIGNAL);
	stranger->guessed = true;
}

static void hear_all(struct crowd *crowd)
{
	struct epoll_event events[64];
	int n = epoll_wait(crowd->epoll_fd, events, G_N_ELEMENTS(events), TURN_MS);
	for (int i = 0; i < n; i++)
		hear(crowd, events[i].data.ptr);
}

/* ---- the thread ---- */

static gpointer run(gpointer user)
{
	struct crowd *crowd = user;
	gint64 begun_us = g_get_monotonic_time();
	for (unsigned n = 0; !g_atomic_int_get(&crowd->stop);) {
		gint64 due = (g_get_monotonic_time() - begun_us) * crowd->per_s / G_USEC_PER_SEC;
		/* What could not be kept up with is left out, so that nobody comes in bursts. */
		if (due > n + crowd->per_s / 10) {
			begun_us += (due - n) * G_USEC_PER_SEC / crowd->per_s;
			due = n + crowd->per_s / 10;
		}
		for (; n < due; n++)
			come(crowd, n);
		hear_all(crowd);
	}
	return NULL;
}

struct crowd *crowd_start(uint16_t port, enum crowd_kind kind, unsigned per_s)
{
	struct crowd *crowd = g_new0(struct crowd, 1);
	crowd->kind = kind;
	crowd->per_s = per_s;
	crowd->address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	crowd->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < CROWD_KEPT; i++)
		crowd->strangers[i].fd = -1;
	make_first(crowd);
	crowd->thread = g_thread_new("crowd", run, crowd);
	return crowd;
}

void crowd_stop(struct crowd *crowd)
{
	g_atomic_int_set(&crowd->stop, 1);
	g_thread_join(crowd->thread);
	for (unsigned i = 0; i < CROWD_KEPT; i++)
		leave(&crowd->strangers[i], 1);
	close(crowd->epoll_fd);
	g_free(crowd);
}

unsigned crowd_came(struct crowd *crowd)
{
	return (unsigned)g_atomic_int_get(&crowd->came);
}

unsigned crowd_answered(struct crowd *crowd)
{
	return (unsigned)g_atomic_int_get(&crowd->answered);
}
