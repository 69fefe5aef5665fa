/* SPDX-License-Identifier: MIT */
#include "server/keeper/socket_owner.h"

#include <errno.h>
#include <glib.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"

/* What we ask for has one answer of some 100 bytes. */
#define ANSWER_BYTES 4096

struct diag_request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 request;
};

static bool is_v4_in_v6(const uint8_t *address)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	return memcmp(address, prefix, sizeof(prefix)) == 0;
}

/* The peer's socket is asked for, whose own address is what is the peer's to us. */
static struct diag_request make_question(const struct keeper_visitor *visitor, uint32_t sequence)
{
	struct diag_request q = {
		.header = { .nlmsg_len = sizeof(q),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = sequence },
		.request = { .sdiag_family = (uint8_t)visitor->family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = ~0u,
			.id = { .idiag_sport = visitor->peer_port,
				.idiag_dport = visitor->local_port,
				.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } },
	};
	unsigned skipped = 0, length = 16;
	if (visitor->family == AF_INET) {
		length = 4;
	} else if (is_v4_in_v6(visitor->peer_addr) && is_v4_in_v6(visitor->local_addr)) {
		/* Who listens on both takes IPv4 so; who comes need not know of it. */
		q.request.sdiag_family = AF_INET;
		skipped = 12;
		length = 4;
	}
	memcpy(q.request.id.idiag_src, visitor->peer_addr + skipped, length);
	memcpy(q.request.id.idiag_dst, visitor->local_addr + skipped, length);
	return q;
}

/* The kernel looks for a socket that listens, too, when there is no connection. */
static bool is_answer(const struct inet_diag_msg *answer, const struct diag_request *q)
{
	const struct inet_diag_sockid *is = &answer->id, *wanted = &q->request.id;
	return answer->idiag_family == q->request.sdiag_family &&
	       answer->idiag_state != TCP_LISTEN && is->idiag_sport == wanted->idiag_sport &&
	       is->idiag_dport == wanted->idiag_dport &&
	       memcmp(is->idiag_src, wanted->idiag_src, sizeof(is->idiag_src)) == 0 &&
	       memcmp(is->idiag_dst, wanted->idiag_dst, sizeof(is->idiag_dst)) == 0;
}

/*
 * Gives 0 or errno; ENOENT: there is no such socket. The kernel answers before send() returns.
 * Answers to earlier questions, which nobody read, are passed over.
 */
static int ask(struct socket_owner *owner, struct diag_request *q, struct inet_diag_msg *answer)
{
	union {
		struct nlmsghdr header;
		char bytes[ANSWER_BYTES];
	} buffer;
	if (send(owner->netlink, q, sizeof(*q), MSG_NOSIGNAL) != sizeof(*q))
		return errno;
	for (;;) {
		ssize_t n = recv(owner->netlink, &buffer, sizeof(buffer), MSG_DONTWAIT);
		if (n < (ssize_t)sizeof(buffer.header))
			return n < 0 ? errno : EPROTO;
		if (buffer.header.nlmsg_seq != q->header.nlmsg_seq)
			continue;
		const void *data = NLMSG_DATA(&buffer.header);
		if (buffer.header.nlmsg_type == NLMSG_ERROR &&
			n >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
			return -((const struct nlmsgerr *)data)->error;
		if (buffer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
			n < (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
			return EPROTO;
		if (!is_answer(data, q))
			return ENOENT;
		memcpy(answer, data, sizeof(*answer));
		return 0;
	}
}

/* In a user namespace some users, or most, have no number. */
static void look_at_users(struct socket_owner *owner)
{
	unsigned inside = 0, outside = 0, count = 0, nobody = 65534;
	FILE *map = fopen("/proc/self/uid_map", "re");
	bool all = map && fscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
		   count == UINT32_MAX;
	if (map)
		fclose(map);
	FILE *file = fopen("/proc/sys/kernel/overflowuid", "re");
	if (!file || fscanf(file, "%u", &nobody) != 1)
		nobody = 65534;
	if (file)
		fclose(file);
	owner->many_are_one = !all;
	owner->nobody = nobody;
}

bool socket_owner_init(struct socket_owner *owner)
{
	const struct keeper_visitor nobody = { .family = AF_INET };
	struct inet_diag_msg answer;
	*owner = SOCKET_OWNER_NONE;
	look_at_users(owner);
	owner->netlink =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	owner->reason = owner->netlink < 0 ? errno : 0;
	if (owner->netlink < 0)
		return false;
	/* The kernel may have to load a module for it first. There is no such socket. */
	struct diag_request q = make_question(&nobody, ++owner->sequence);
	owner->reason = ask(owner, &q, &answer);
	if (owner->reason == ENOENT || owner->reason == 0)
		return true;
	fd_close(&owner->netlink);
	return false;
}

void socket_owner_finish(struct socket_owner *owner)
{
	fd_close(&owner->netlink);
}

static bool has_number(const struct socket_owner *owner, uid_t uid)
{
	return !owner->many_are_one || uid != owner->nobody;
}

/* The peer has no socket: ours says whether the connection lasts all the same. */
static enum socket_owner_answer find_connection(
	struct socket_owner *owner, const struct keeper_visitor *visitor)
{
	struct keeper_visitor turned = *visitor;
	struct inet_diag_msg answer;
	turned.peer_port = visitor->local_port;
	turned.local_port = visitor->peer_port;
	memcpy(turned.peer_addr, visitor->local_addr, sizeof(turned.peer_addr));
	memcpy(turned.local_addr, visitor->peer_addr, sizeof(turned.local_addr));
	struct diag_request q = make_question(&turned, ++owner->sequence);
	switch (ask(owner, &q, &answer)) {
	case 0:
		return answer.idiag_state == TCP_ESTABLISHED ? SOCKET_OWNER_ELSEWHERE :
							       SOCKET_OWNER_HUNG_UP;
	case ENOENT:
		return SOCKET_OWNER_NO_CONNECTION;
	default:
		return SOCKET_OWNER_CANNOT_ASK;
	}
}

enum socket_owner_answer socket_owner_find(
	struct socket_owner *owner, const struct keeper_visitor *visitor, uid_t *uid)
{
	struct inet_diag_msg answer;
	g_assert(visitor->family == AF_INET || visitor->family == AF_INET6);
	if (owner->netlink < 0)
		return SOCKET_OWNER_CANNOT_ASK;
	struct diag_request q = make_question(visitor, ++owner->sequence);
	int result = ask(owner, &q, &answer);
	if (result == ENOENT)
		return find_connection(owner, visitor);
	if (result != 0)
		return SOCKET_OWNER_CANNOT_ASK;
	/* Of what nobody has open any more the kernel says that it is root's, with inode 0. */
	if (answer.idiag_inode == 0 || answer.idiag_state == TCP_TIME_WAIT)
		return SOCKET_OWNER_HUNG_UP;
	if (!has_number(owner, answer.idiag_uid))
		return SOCKET_OWNER_NO_NUMBER;
	*uid = answer.idiag_uid;
	return SOCKET_OWNER_FOUND;
}

enum socket_owner_answer socket_owner_of_unix(const struct socket_owner *owner, int fd, uid_t *uid)
{
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof(peer);
	int domain = 0;
	socklen_t domain_size = sizeof(domain);
	/* A pair of sockets that nobody connected has no peer that can be named. */
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) < 0 || domain != AF_UNIX ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid == (uid_t)-1)
		return SOCKET_OWNER_CANNOT_ASK;
	if (!has_number(owner, peer.uid))
		return SOCKET_OWNER_NO_NUMBER;
	*uid = peer.uid;
	return SOCKET_OWNER_FOUND;
}

const char *socket_owner_text(enum socket_owner_answer answer)
{
	static const char *const texts[] = {
		[SOCKET_OWNER_HUNG_UP] = "it hung up before it was known whose it was",
		[SOCKET_OWNER_ELSEWHERE] = "its other end is no socket of this network namespace "
					   "(a container's network may be between)",
		[SOCKET_OWNER_NO_CONNECTION] = "the connection is over, or not of this network "
					       "namespace",
		[SOCKET_OWNER_NO_NUMBER] = "it is a user's who is none of this user namespace",
		[SOCKET_OWNER_CANNOT_ASK] = "the kernel does not tell whose it is",
	};
	g_assert(answer > SOCKET_OWNER_FOUND && answer < G_N_ELEMENTS(texts));
	return texts[answer];
}
