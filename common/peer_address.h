/* SPDX-License-Identifier: MIT */
/*
 * peer address: says where a connection comes from: for the log, and to count strangers by the
 * network that one of them commands.
 *
 * Threads: any.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum peer_address_kind {
	PEER_ADDRESS_UNKNOWN,
	PEER_ADDRESS_UNIX,
	PEER_ADDRESS_INET, /* an IPv4 address that is written in IPv6 is one, too */
	PEER_ADDRESS_INET6,
};

struct peer_address {
	enum peer_address_kind kind;
	uint16_t port;  /* 0 for unix */
	uint32_t scope; /* of a link-local IPv6 address; of unix: the peer's uid, if it is known */
	uint8_t bytes[16]; /* as they stand in a packet; of IPv4 the first four */
};

/* Enough for any address as text, with its NUL. */
#define PEER_ADDRESS_TEXT_MAX 80

/* Reads a socket address; what is neither IPv4, IPv6 nor unix becomes UNKNOWN. */
struct peer_address peer_address_of(const struct sockaddr *address, socklen_t size_bytes);
/* Reads the address of a socket's peer; UNKNOWN when it has gone. */
struct peer_address peer_address_read(int fd);

/*
 * Returns what one stranger commands, as a number to count by: of IPv4 the address, of IPv6 the /64
 * (a host gets one, and may use any address in it), of unix the user. No two kinds share a number.
 */
uint64_t peer_address_network(const struct peer_address *address);

/* Writes the address for people: "192.0.2.1:49152", "[2001:db8::1]:49152" or "on the unix socket
 * (uid 1000)". Returns `text`. */
const char *peer_address_text(const struct peer_address *address, char text[PEER_ADDRESS_TEXT_MAX]);
