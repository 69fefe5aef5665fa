/* SPDX-License-Identifier: MIT */
/*
 * vitrine-guest-clipboard: a paste whose program has given up is over at once, and a source that
 * another one has replaced is destroyed, so that the compositor need not keep it.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest-tools/clipboard/compositor.h"
#include "guest-tools/clipboard/transfers.h"

static int number, failed;

static void ok(bool good, const char *name)
{
	failed += !good;
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, name);
}

static void test_given_up(void)
{
	static struct transfers transfers;
	struct pollfd polls[TRANSFERS_MAX];
	int pipe_ends[2];
	if (pipe(pipe_ends) < 0)
		exit(1);
	transfers_wait(&transfers, SELECTION_CLIPBOARD, KIND_TEXT, pipe_ends[1]);
	transfers_move(&transfers);
	ok(transfers_poll(&transfers, polls) == 1, "a paste waits for the client");
	close(pipe_ends[0]);
	transfers_move(&transfers);
	ok(transfers_poll(&transfers, polls) == 0, "one that is given up does not");
}

/* Objects up to 5 are ours from the start, and 6 is the source that was replaced. */
static void test_replaced(void)
{
	static struct compositor compositor;
	const uint32_t cancelled[] = { 6, 8u << 16 | 1 }, wanted[] = { 6, 8u << 16 | 1 };
	uint32_t heard[4] = { 0 };
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		exit(1);
	compositor.wire.fd = ends[0];
	compositor.device = 5;
	compositor.sources[SELECTION_CLIPBOARD] = 7;
	ok(send(ends[1], cancelled, sizeof cancelled, 0) == sizeof cancelled &&
			compositor_handle(&compositor),
		"a source is cancelled");
	ok(recv(ends[1], heard, sizeof heard, MSG_DONTWAIT) == sizeof wanted &&
			memcmp(heard, wanted, sizeof wanted) == 0,
		"it is destroyed");
	ok(compositor.sources[SELECTION_CLIPBOARD] == 7, "the newer one stays");
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	test_given_up();
	test_replaced();
	printf("1..%d\n", number);
	return failed > 0;
}
