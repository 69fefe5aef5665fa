/* SPDX-License-Identifier: MIT */
/* Speaking to somebody. */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/climbs/climb_calls.h"

#define CONNECT_WAIT_S 1
#define PAGE_BYTES 4096

static int connect_to(int family, int type, const void *address, size_t size)
{
	struct timeval limit = { .tv_sec = CONNECT_WAIT_S };
	long fd = syscall(SYS_socket, family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	int error = climb_result(syscall(SYS_connect, fd, address, size));
	syscall(SYS_close, fd);
	return error;
}

static struct sockaddr_in loopback4(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port) };
	return address;
}

static int connect_tcp4(const struct climb_targets *t)
{
	struct sockaddr_in address = loopback4(t->tcp4_port);
	return connect_to(AF_INET, SOCK_STREAM, &address, sizeof(address));
}

static int connect_tcp6(const struct climb_targets *t)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
		.sin6_port = htons(t->tcp6_port) };
	return connect_to(AF_INET6, SOCK_STREAM, &address, sizeof(address));
}

/* TCP Fast Open connects without connect(). */
static int send_tcp4(const struct climb_targets *t)
{
	struct sockaddr_in address = loopback4(t->tcp4_port);
	long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int error = climb_result(
		syscall(SYS_sendto, fd, "x", 1, MSG_FASTOPEN, &address, sizeof(address)));
	syscall(SYS_close, fd);
	return error;
}

static int connect_mptcp(const struct climb_targets *t)
{
	struct sockaddr_in address = loopback4(t->tcp4_port);
	long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 262);
	if (fd < 0)
		return errno;
	int error = climb_result(syscall(SYS_connect, fd, &address, sizeof(address)));
	syscall(SYS_close, fd);
	return error;
}

/* A datagram leaves whether somebody listens or not, so the refusal of the first tells. */
static int send_udp4(const struct climb_targets *t)
{
	struct sockaddr_in address = loopback4(t->udp4_port);
	long fd = syscall(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int error = climb_result(syscall(SYS_connect, fd, &address, sizeof(address)));
	for (int i = 0; i < 2 && !error; i++)
		error = climb_result(syscall(SYS_sendto, fd, "x", 1, 0, NULL, 0));
	syscall(SYS_close, fd);
	return error;
}

static int connect_unix(int type, const char *path, bool is_abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	climb_copy(address.sun_path + is_abstract, sizeof(address.sun_path) - is_abstract, path);
	/* A path ends at a NUL; as long as this is what the fetcher's filter lets pass. */
	size_t size = sizeof(address);
	if (is_abstract)
		size = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(path);
	return connect_to(AF_UNIX, type, &address, size);
}

static int connect_qmp(const struct climb_targets *t)
{
	return connect_unix(SOCK_STREAM, t->qmp, false);
}

static int connect_stream(const struct climb_targets *t)
{
	return connect_unix(SOCK_STREAM, t->stream, false);
}

static int connect_datagram(const struct climb_targets *t)
{
	return connect_unix(SOCK_DGRAM, t->datagram, false);
}

static int connect_abstract(const struct climb_targets *t)
{
	return connect_unix(SOCK_STREAM, t->abstract_name, true);
}

/* ---- what lies at an address that a filter lets pass ---- */

static char *map_page(int protection)
{
	return (char *)syscall(
		SYS_mmap, NULL, PAGE_BYTES, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int map_over(const struct climb_targets *t)
{
	char *page = map_page(PROT_READ);
	if (page == MAP_FAILED)
		return errno;
	return climb_result(syscall(SYS_mmap, page, PAGE_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

static int move_over(const struct climb_targets *t)
{
	char *page = map_page(PROT_READ), *other = map_page(PROT_READ | PROT_WRITE);
	if (page == MAP_FAILED || other == MAP_FAILED)
		return errno;
	return climb_result(syscall(
		SYS_mremap, other, PAGE_BYTES, PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, page));
}

static int unmap(const struct climb_targets *t)
{
	char *page = map_page(PROT_READ);
	return page == MAP_FAILED ? errno : climb_result(syscall(SYS_munmap, page, PAGE_BYTES));
}

static int make_writable(const struct climb_targets *t)
{
	char *page = map_page(PROT_READ);
	if (page == MAP_FAILED)
		return errno;
	return climb_result(syscall(SYS_mprotect, page, PAGE_BYTES, PROT_READ | PROT_WRITE));
}

/* A pair of datagram sockets may be connected anew, so socketpair() is as good as socket(). */
static int connect_pair(const struct climb_targets *t)
{
	int pair[2];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	climb_copy(address.sun_path, sizeof(address.sun_path), t->datagram);
	if (syscall(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return errno;
	int error = climb_result(syscall(SYS_connect, pair[0], &address, sizeof(address)));
	if (error)
		error = climb_result(
			syscall(SYS_sendto, pair[0], "x", 1, 0, &address, sizeof(address)));
	syscall(SYS_close, pair[0]);
	syscall(SYS_close, pair[1]);
	return error;
}

/* What is left of QEMU's and the keeper's sockets in this process? */
static int have_qmp_descriptor(const struct climb_targets *t)
{
	for (int fd = 0; fd < 1024; fd++) {
		struct sockaddr_un peer = { .sun_family = AF_UNSPEC };
		socklen_t size = sizeof(peer) - 1;
		if (syscall(SYS_getpeername, fd, &peer, &size) == 0 && peer.sun_family == AF_UNIX &&
			strncmp(peer.sun_path, t->qmp, sizeof(peer.sun_path)) == 0)
			return 0;
	}
	return EBADF;
}

#define SOCKET(function, family, type, protocol)                                                   \
	static int function(const struct climb_targets *t)                                         \
	{                                                                                          \
		return climb_opened(                                                               \
			syscall(SYS_socket, (family), (type) | SOCK_CLOEXEC, (protocol)));         \
	}
SOCKET(open_raw4, AF_INET, SOCK_RAW, IPPROTO_ICMP)
SOCKET(open_raw6, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
SOCKET(open_ping, AF_INET, SOCK_DGRAM, IPPROTO_ICMP)
SOCKET(open_packet, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))
SOCKET(open_netlink_route, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
SOCKET(open_netlink_audit, AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)
SOCKET(open_netlink_uevent, AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT)
SOCKET(open_netlink_diag, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG)
SOCKET(open_netfilter, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)
SOCKET(open_vsock, AF_VSOCK, SOCK_STREAM, 0)
SOCKET(open_alg, AF_ALG, SOCK_SEQPACKET, 0)
SOCKET(open_bluetooth, AF_BLUETOOTH, SOCK_RAW, 1)
SOCKET(open_xdp, 44, SOCK_RAW, 0)
SOCKET(open_can, AF_CAN, SOCK_RAW, 1)
SOCKET(open_key, AF_KEY, SOCK_RAW, 2)

static int connect_vsock(const struct climb_targets *t)
{
	struct sockaddr_vm address = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = 1
	};
	int error = connect_to(AF_VSOCK, SOCK_STREAM, &address, sizeof(address));
	/* The host refuses: it was asked. */
	return error == ECONNRESET || error == ETIMEDOUT ? 0 : error;
}

/* Leaves a listener behind, which the test tries to reach. */
static int listen_tcp4(const struct climb_targets *t)
{
	int yes = 1;
	struct sockaddr_in address = loopback4(t->free_port);
	long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (syscall(SYS_bind, fd, &address, sizeof(address)) < 0 ||
		syscall(SYS_listen, fd, 1) < 0) {
		/* A climb before this one may listen still: then the port can be had. */
		int error = errno == EADDRINUSE ? 0 : errno;
		syscall(SYS_close, fd);
		return error;
	}
	return 0;
}

static bool reach_tcp4(const struct climb_targets *t)
{
	return connect_tcp4(&(struct climb_targets){ .tcp4_port = t->free_port }) == 0;
}

/* Finds a socket of the desktop's TCP port, or gives -1. */
static int find_handed(const struct climb_targets *t, bool connected)
{
	for (int fd = 3; fd < 1024; fd++) {
		struct sockaddr_in own = { .sin_family = AF_UNSPEC }, peer;
		socklen_t size = sizeof(own), peer_size = sizeof(peer);
		if (syscall(SYS_getsockname, fd, &own, &size) == 0 && own.sin_family == AF_INET &&
			ntohs(own.sin_port) == t->spice_port &&
			(syscall(SYS_getpeername, fd, &peer, &peer_size) == 0) == connected)
			return fd;
	}
	return -1;
}

/*
 * A socket stays in the network that it was made in. A listener that was shut down, and a
 * connection that is undone, may connect anew.
 */
static int connect_anew(const struct climb_targets *t, int fd)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct timeval limit = { .tv_sec = CONNECT_WAIT_S };
	struct sockaddr_in address = loopback4(t->tcp4_port);
	syscall(SYS_fcntl, fd, F_SETFL, 0);
	syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	syscall(SYS_shutdown, fd, SHUT_RDWR);
	syscall(SYS_connect, fd, &nobody, sizeof(nobody));
	return climb_result(syscall(SYS_connect, fd, &address, sizeof(address)));
}

static int connect_listener(const struct climb_targets *t)
{
	int fd = find_handed(t, false);
	return fd < 0 ? EBADF : connect_anew(t, fd);
}

/*
 * The test's client is accepted here, by who watches the listener, or by nobody yet. Gives a
 * descriptor of our own, since who watches closes his when the connection ends.
 */
static int find_accepted(const struct climb_targets *t)
{
	const struct timespec moment = { .tv_nsec = 5000000 };
	int listener = find_handed(t, false), fd = -1;
	for (unsigned i = 0; i < 200 && fd < 0; i++) {
		fd = (int)syscall(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			fd = find_handed(t, true);
		if (fd < 0)
			syscall(SYS_nanosleep, &moment, NULL);
	}
	return fd < 0 ? -1 : (int)syscall(SYS_dup, fd);
}

static int connect_accepted(const struct climb_targets *t)
{
	int fd = find_accepted(t);
	return fd < 0 ? EBADF : connect_anew(t, fd);
}

/* A connection that is undone has no port, and gets one of the host's when it listens. */
static int listen_by_accepted(const struct climb_targets *t)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int fd = find_accepted(t);
	if (fd < 0)
		return EBADF;
	syscall(SYS_shutdown, fd, SHUT_RDWR);
	syscall(SYS_connect, fd, &nobody, sizeof(nobody));
	return climb_result(syscall(SYS_listen, fd, 1));
}

/* What is sent takes an address along, and connects with MSG_FASTOPEN. */
static int send_anew(const struct climb_targets *t, int flags)
{
	struct timeval limit = { .tv_sec = CONNECT_WAIT_S };
	struct sockaddr_in address = loopback4(t->tcp4_port);
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { &address, sizeof(address), &iov, 1 };
	int fd = find_handed(t, false);
	if (fd < 0)
		return EBADF;
	syscall(SYS_fcntl, fd, F_SETFL, 0);
	syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	syscall(SYS_shutdown, fd, SHUT_RDWR);
	flags |= MSG_NOSIGNAL;
	int error = climb_result(syscall(SYS_sendto, fd, "x", 1, flags, &address, sizeof(address)));
	return error ? climb_result(syscall(SYS_sendmsg, fd, &message, flags)) : 0;
}

static int send_by_listener(const struct climb_targets *t)
{
	return send_anew(t, MSG_FASTOPEN);
}

static int address_by_listener(const struct climb_targets *t)
{
	return send_anew(t, 0);
}

/* The answer of a port where nobody listens would tell that from one where somebody does. */
static int ask_by_listener(const struct climb_targets *t)
{
	struct climb_targets nobody = { .tcp4_port = t->free_port, .spice_port = t->spice_port };
	int error = connect_listener(&nobody);
	return error == ECONNREFUSED ? 0 : error;
}

/* A socket without a port gets one when it listens, of which Landlock does not know. */
static int listen_on_any(const struct climb_targets *t)
{
	long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int error = climb_result(syscall(SYS_listen, fd, 1));
	syscall(SYS_close, fd);
	return error;
}

/* All bytes pass it, and it is taken off again. */
static int filter_socket(const struct climb_targets *t)
{
	struct sock_filter pass = { BPF_RET | BPF_K, 0, 0, UINT32_MAX };
	struct sock_fprog program = { 1, &pass };
	int error = EBADF, type;
	for (int fd = 3; fd < 1024; fd++) {
		socklen_t size = sizeof(type);
		if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
			continue;
		error = climb_result(syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_ATTACH_FILTER,
			&program, sizeof(program)));
		if (error)
			continue;
		syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_DETACH_FILTER, NULL, 0);
		return 0;
	}
	return error;
}

static int listen_abstract(const struct climb_targets *t)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *name = "vitrine-climb-listens";
	climb_copy(address.sun_path + 1, sizeof(address.sun_path) - 1, name);
	size_t size = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
	long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (syscall(SYS_bind, fd, &address, size) < 0 || syscall(SYS_listen, fd, 1) < 0) {
		int error = errno == EADDRINUSE ? 0 : errno;
		syscall(SYS_close, fd);
		return error;
	}
	return 0;
}

static bool reach_abstract(const struct climb_targets *t)
{
	return connect_unix(SOCK_STREAM, "vitrine-climb-listens", true) == 0;
}

#define SECCOMP CLIMB_SECCOMP
#define HANDED (CLIMB_SPENDS | CLIMB_VISITED)
#define LISTENERS (CLIMB_DISPLAY | CLIMB_KEEPER)
static const struct climb rows[] = {
	{ "TCP over IPv4", CLIMB_RENDER | CLIMB_DISPLAY | CLIMB_SERVER, SECCOMP, 0, connect_tcp4 },
	/* It connects for display, in a network of its own. */
	{ "TCP over IPv4 to the host", CLIMB_INNER, CLIMB_NAMESPACES, 0, connect_tcp4 },
	/* Where root may put a filter on what is handed, that holds it, too. */
	{ "TCP by a connection", CLIMB_DISPLAY, SECCOMP | CLIMB_RIGHTS, HANDED, connect_accepted },
	{ "TCP by a listener", LISTENERS, SECCOMP | CLIMB_RIGHTS, HANDED, connect_listener },
	{ "ports asked by a listener", LISTENERS, SECCOMP | CLIMB_RIGHTS, HANDED, ask_by_listener },
	{ "TCP Fast Open by a listener", LISTENERS, SECCOMP | CLIMB_RIGHTS, HANDED,
		send_by_listener },
	/* The kernel holds it: only with MSG_FASTOPEN it looks at the address. */
	{ "an address sent to by a listener", LISTENERS, 0, HANDED, address_by_listener },
	{ "listen by a connection", CLIMB_DISPLAY, SECCOMP, HANDED, listen_by_accepted },
	{ "TCP over IPv6", CLIMB_ALL, SECCOMP, 0, connect_tcp6 },
	{ "TCP Fast Open", CLIMB_ALL, SECCOMP, 0, send_tcp4 },
	{ "MPTCP", CLIMB_ALL, SECCOMP, 0, connect_mptcp },
	{ "UDP", CLIMB_ALL, SECCOMP, 0, send_udp4 },
	/* The fetcher connects to it, by the address that it was made with and by no other. */
	{ "QMP's unix socket", CLIMB_WORKERS | CLIMB_SERVANTS, SECCOMP, 0, connect_qmp },
	{ "an address mapped over", CLIMB_FETCHER, SECCOMP, 0, map_over },
	{ "an address moved over", CLIMB_FETCHER, SECCOMP, 0, move_over },
	{ "an address unmapped", CLIMB_FETCHER, SECCOMP, 0, unmap },
	{ "an address made writable", CLIMB_FETCHER, SECCOMP, 0, make_writable },
	{ "a unix socket's path", CLIMB_ALL, SECCOMP, 0, connect_stream },
	{ "a unix datagram socket's path", CLIMB_ALL, SECCOMP, 0, connect_datagram },
	{ "an abstract unix socket", CLIMB_ALL, SECCOMP, 0, connect_abstract },
	{ "a socket pair connected anew", CLIMB_ALL, SECCOMP, 0, connect_pair },
	{ "QMP's descriptor", CLIMB_WORKERS | CLIMB_STARTER, 0, 0, have_qmp_descriptor },
	{ "raw IPv4", CLIMB_ALL, SECCOMP | CLIMB_RIGHTS, 0, open_raw4 },
	{ "raw IPv6", CLIMB_ALL, SECCOMP | CLIMB_RIGHTS, 0, open_raw6 },
	{ "ping socket", CLIMB_ALL, SECCOMP, 0, open_ping },
	{ "packet socket", CLIMB_ALL, SECCOMP | CLIMB_RIGHTS, 0, open_packet },
	{ "netlink: routes", CLIMB_ALL, SECCOMP, 0, open_netlink_route },
	{ "netlink: audit", CLIMB_ALL, SECCOMP, 0, open_netlink_audit },
	{ "netlink: uevents", CLIMB_ALL, SECCOMP, 0, open_netlink_uevent },
	{ "netlink: sockets", CLIMB_ALL, SECCOMP, 0, open_netlink_diag },
	{ "netlink: netfilter", CLIMB_ALL, SECCOMP, 0, open_netfilter },
	{ "vsock", CLIMB_ALL, SECCOMP, 0, open_vsock },
	{ "vsock to the host", CLIMB_ALL, SECCOMP, 0, connect_vsock },
	{ "AF_ALG", CLIMB_ALL, SECCOMP, 0, open_alg },
	{ "Bluetooth", CLIMB_ALL, SECCOMP, 0, open_bluetooth },
	{ "AF_XDP", CLIMB_ALL, SECCOMP, 0, open_xdp },
	{ "CAN", CLIMB_ALL, SECCOMP, 0, open_can },
	{ "AF_KEY", CLIMB_ALL, SECCOMP, 0, open_key },
	{ "listen on a TCP port", CLIMB_ALL, SECCOMP, CLIMB_SPENDS, listen_tcp4, reach_tcp4 },
	{ "listen on any TCP port", CLIMB_ALL, SECCOMP, 0, listen_on_any },
	{ "a filter on a socket", CLIMB_ALL, SECCOMP, 0, filter_socket },
	{ "listen on an abstract name", CLIMB_ALL, SECCOMP, CLIMB_SPENDS, listen_abstract,
		reach_abstract },
};

const struct climb_group climb_network = CLIMB_GROUP("network", rows);
