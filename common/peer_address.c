/* SPDX-License-Identifier: MIT */
#include "common/peer_address.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

/*
 * These stand above every network number of IPv6, whose addresses that begin with ff are multicast
 * and never a sender's.
 */
#define NETWORK_INET 0xffffffff00000000u
#define NETWORK_UNIX 0xfffffffe00000000u
#define NETWORK_UNKNOWN 0xfffffffd00000000u

static struct peer_address of_inet(const struct sockaddr_in *from)
{
	struct peer_address address = { .kind = PEER_ADDRESS_INET, .port = ntohs(from->sin_port) };
	memcpy(address.bytes, &from->sin_addr, sizeof(from->sin_addr));
	return address;
}

static struct peer_address of_inet6(const struct sockaddr_in6 *from)
{
	struct peer_address address = { .kind = PEER_ADDRESS_INET6,
		.port = ntohs(from->sin6_port),
		.scope = from->sin6_scope_id };
	const uint8_t *bytes = from->sin6_addr.s6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&from->sin6_addr)) {
		address.kind = PEER_ADDRESS_INET;
		address.scope = 0;
		memcpy(address.bytes, bytes + 12, 4);
	} else {
		memcpy(address.bytes, bytes, sizeof(address.bytes));
	}
	return address;
}

struct peer_address peer_address_of(const struct sockaddr *address, socklen_t size_bytes)
{
	if (address->sa_family == AF_INET && size_bytes >= sizeof(struct sockaddr_in))
		return of_inet((const struct sockaddr_in *)(const void *)address);
	if (address->sa_family == AF_INET6 && size_bytes >= sizeof(struct sockaddr_in6))
		return of_inet6((const struct sockaddr_in6 *)(const void *)address);
	if (address->sa_family == AF_UNIX)
		return (struct peer_address){ .kind = PEER_ADDRESS_UNIX, .scope = UINT32_MAX };
	return (struct peer_address){ .kind = PEER_ADDRESS_UNKNOWN };
}

/*
 * In a user namespace, where display is, the kernel calls so whoever has no number there, which
 * says nothing of who it is (Documentation/admin-guide/sysctl/kernel.rst, overflowuid).
 */
#define OVERFLOW_UID 65534

struct peer_address peer_address_read(int fd)
{
	struct sockaddr_storage storage = { 0 };
	socklen_t size_bytes = sizeof(storage);
	if (getpeername(fd, (struct sockaddr *)&storage, &size_bytes) < 0)
		return (struct peer_address){ .kind = PEER_ADDRESS_UNKNOWN };
	struct peer_address address = peer_address_of((struct sockaddr *)&storage, size_bytes);
	struct ucred peer;
	socklen_t peer_bytes = sizeof(peer);
	if (address.kind == PEER_ADDRESS_UNIX &&
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_bytes) == 0 &&
		peer.uid != OVERFLOW_UID)
		address.scope = peer.uid;
	return address;
}

uint64_t peer_address_network(const struct peer_address *address)
{
	uint64_t prefix;
	uint32_t inet;
	switch (address->kind) {
	case PEER_ADDRESS_INET:
		memcpy(&inet, address->bytes, sizeof(inet));
		return NETWORK_INET | ntohl(inet);
	case PEER_ADDRESS_INET6:
		memcpy(&prefix, address->bytes, sizeof(prefix));
		return GUINT64_FROM_BE(prefix);
	case PEER_ADDRESS_UNIX:
		return NETWORK_UNIX | address->scope;
	case PEER_ADDRESS_UNKNOWN:
		break;
	}
	return NETWORK_UNKNOWN;
}

static void write_inet6(const struct peer_address *address, char text[PEER_ADDRESS_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?";
	inet_ntop(AF_INET6, address->bytes, host, sizeof(host));
	if (address->scope != 0)
		g_snprintf(text, PEER_ADDRESS_TEXT_MAX, "[%s%%%u]:%u", host, address->scope,
			address->port);
	else
		g_snprintf(text, PEER_ADDRESS_TEXT_MAX, "[%s]:%u", host, address->port);
}

const char *peer_address_text(const struct peer_address *address, char text[PEER_ADDRESS_TEXT_MAX])
{
	char host[INET_ADDRSTRLEN] = "?";
	switch (address->kind) {
	case PEER_ADDRESS_INET:
		inet_ntop(AF_INET, address->bytes, host, sizeof(host));
		g_snprintf(text, PEER_ADDRESS_TEXT_MAX, "%s:%u", host, address->port);
		break;
	case PEER_ADDRESS_INET6:
		write_inet6(address, text);
		break;
	case PEER_ADDRESS_UNIX:
		if (address->scope == UINT32_MAX)
			g_strlcpy(text, "on the unix socket", PEER_ADDRESS_TEXT_MAX);
		else
			g_snprintf(text, PEER_ADDRESS_TEXT_MAX, "on the unix socket (uid %u)",
				address->scope);
		break;
	case PEER_ADDRESS_UNKNOWN:
		g_strlcpy(text, "unknown", PEER_ADDRESS_TEXT_MAX);
		break;
	}
	return text;
}
