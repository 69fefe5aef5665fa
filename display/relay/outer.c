/* SPDX-License-Identifier: MIT */
#include "display/relay/outer.h"

#include <errno.h>
#include <glib.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <string.h>
#include <sys/socket.h>

#include "display/relay/websocket.h"

/*
 * A client whose machine answers nothing is gone: by its main channel after 9 s, by another one
 * after about a minute. A client that stands still is another matter, and has until spice-server
 * gives it up (30 s): its machine still answers for it, and only a channel on which much is said,
 * as a display's is, fills up. So it is the main channel that is watched closely.
 */
static const struct patience {
	int idle_s, every_s, probes, unacknowledged_ms;
} patience_of_main = { 3, 2, 3, 9000 }, patience_of_others = { 30, 10, 3, 60000 };
_Static_assert(9000 < OUTER_VANISHED_MS, "the kernel's timers are late, too");

struct outer {
	int fd;
	bool shaking;
	struct tls *tls;             /* NULL: none */
	struct websocket *websocket; /* NULL: no frames */
	uint8_t *early;              /* read before frames began; NULL: nothing left */
	size_t early_bytes, early_start;
};

/*
 * BBR lets nearly nothing out for 200 ms of every 10 s, to measure the round trip
 * (BBRProbeRTTDuration and BBRMinRTTFilterLen in draft-cardwell-iccrg-bbr-congestion-control): seen
 * as pictures that stood still for 300 ms. We leave the line's queue nearly empty ourselves.
 */
static void avoid_bbr(const struct outer *outer)
{
	char name[16] = "";
	socklen_t size = sizeof(name) - 1;
	if (getsockopt(outer->fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0 &&
		g_str_has_prefix(name, "bbr"))
		setsockopt(outer->fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", strlen("cubic"));
}

void outer_prepare(const struct outer *outer, bool is_main)
{
	const struct patience *patience = is_main ? &patience_of_main : &patience_of_others;
	const struct {
		int level, option, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, OUTER_UNSENT_BYTES },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, patience->idle_s },
		{ IPPROTO_TCP, TCP_KEEPINTVL, patience->every_s },
		{ IPPROTO_TCP, TCP_KEEPCNT, patience->probes },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, patience->unacknowledged_ms },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(options); i++)
		setsockopt(outer->fd, options[i].level, options[i].option, &options[i].value,
			sizeof(options[i].value));
	avoid_bbr(outer);
}

struct outer *outer_create(int fd, struct tls_credentials *credentials)
{
	struct outer *outer = g_new0(struct outer, 1);
	outer->fd = fd;
	outer->shaking = credentials != NULL;
	if (!credentials || (outer->tls = tls_create(credentials, fd)))
		return outer;
	g_free(outer);
	return NULL;
}

void outer_destroy(struct outer *outer)
{
	if (!outer)
		return;
	websocket_destroy(outer->websocket);
	tls_destroy(outer->tls);
	g_free(outer->early);
	g_free(outer);
}

int outer_shake(struct outer *outer, const char **why)
{
	if (!outer->shaking)
		return 0;
	int result = tls_shake(outer->tls);
	outer->shaking = result == -EAGAIN;
	if (result < 0)
		*why = tls_reason(outer->tls);
	return result;
}

/* ---- below the frames ---- */

static ssize_t read_early(struct outer *outer, uint8_t *bytes, size_t size_bytes)
{
	size_t n = MIN(size_bytes, outer->early_bytes - outer->early_start);
	memcpy(bytes, outer->early + outer->early_start, n);
	outer->early_start += n;
	if (outer->early_start == outer->early_bytes)
		g_clear_pointer(&outer->early, g_free);
	return (ssize_t)n;
}

static ssize_t read_below(void *user, uint8_t *bytes, size_t size_bytes)
{
	struct outer *outer = user;
	if (outer->early)
		return read_early(outer, bytes, size_bytes);
	if (outer->tls)
		return tls_read(outer->tls, bytes, size_bytes);
	ssize_t n = recv(outer->fd, bytes, size_bytes, 0);
	return n < 0 ? -errno : n;
}

/* poll(2) reports room by the same rule. */
static bool has_room(const struct outer *outer)
{
	int unsent_bytes = 0;
	return ioctl(outer->fd, SIOCOUTQNSD, &unsent_bytes) < 0 ||
	       unsent_bytes < OUTER_UNSENT_BYTES;
}

static ssize_t write_below(void *user, const uint8_t *bytes, size_t size_bytes)
{
	struct outer *outer = user;
	size_t take_bytes = MIN(size_bytes, OUTER_UNSENT_BYTES);
	if (!has_room(outer))
		return -EAGAIN;
	if (outer->tls)
		return tls_write(outer->tls, bytes, take_bytes);
	ssize_t n = send(outer->fd, bytes, take_bytes, MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

static const struct websocket_ops websocket_ops = {
	.read = read_below,
	.write = write_below,
};

bool outer_begin_frames(struct outer *outer, const uint8_t *early, size_t early_bytes)
{
	outer->websocket = websocket_create(&websocket_ops, outer);
	if (early_bytes > 0) {
		outer->early = g_memdup2(early, early_bytes);
		outer->early_bytes = early_bytes;
	}
	return outer->websocket != NULL;
}

/* ---- above ---- */

ssize_t outer_read(struct outer *outer, uint8_t *bytes, size_t size_bytes)
{
	if (outer->websocket)
		return websocket_read(outer->websocket, bytes, size_bytes);
	return read_below(outer, bytes, size_bytes);
}

ssize_t outer_write(struct outer *outer, const uint8_t *bytes, size_t size_bytes)
{
	if (outer->websocket)
		return websocket_write(outer->websocket, bytes, size_bytes);
	return write_below(outer, bytes, size_bytes);
}

const char *outer_reason(const struct outer *outer)
{
	const char *reason = outer->websocket ? websocket_reason(outer->websocket) : "";
	return reason[0] == '\0' && outer->tls ? tls_reason(outer->tls) : reason;
}

void outer_close(struct outer *outer, enum websocket_status status)
{
	if (outer->websocket)
		websocket_close(outer->websocket, status);
}

int outer_finish(struct outer *outer)
{
	int result = outer->websocket ? websocket_send_waiting(outer->websocket) : 0;
	if (result == -EAGAIN || result == -EINTR)
		return -EAGAIN;
	return outer->tls ? tls_finish(outer->tls) : 0;
}

bool outer_is_in_pieces(const struct outer *outer)
{
	return outer->tls || outer->websocket;
}

void outer_set_more(const struct outer *outer, bool more)
{
	int value = more;
	setsockopt(outer->fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}

bool outer_wants_out(const struct outer *outer)
{
	if (outer->shaking)
		return tls_wants_out(outer->tls);
	return outer->websocket && websocket_wants_out(outer->websocket);
}
