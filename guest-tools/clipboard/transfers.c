/* SPDX-License-Identifier: MIT */
#include "guest-tools/clipboard/transfers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIPE_READ_BYTES 65536

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct transfer *begin(struct transfers *transfers, enum transfer_state state,
	enum selection selection, unsigned kind, int fd)
{
	for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
		struct transfer *transfer = &transfers->all[i];
		if (transfer->state != TRANSFER_FREE)
			continue;
		*transfer = (struct transfer){ .state = state,
			.selection = selection,
			.kind = kind,
			.fd = fd,
			.moved_ms = now_ms() };
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		return transfer;
	}
	close(fd);
	return NULL;
}

static void end(struct transfer *transfer)
{
	close(transfer->fd);
	free(transfer->data);
	*transfer = (struct transfer){ .state = TRANSFER_FREE };
}

bool transfers_read(struct transfers *transfers, enum selection selection, unsigned kind, int fd)
{
	return begin(transfers, TRANSFER_READS, selection, kind, fd);
}

bool transfers_wait(struct transfers *transfers, enum selection selection, unsigned kind, int fd)
{
	return begin(transfers, TRANSFER_WAITS, selection, kind, fd);
}

void transfers_give(struct transfers *transfers, enum selection selection, unsigned kind,
	const uint8_t *data, size_t n_bytes)
{
	for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
		struct transfer *transfer = &transfers->all[i];
		if (transfer->state != TRANSFER_WAITS || transfer->selection != selection ||
			(kind != KIND_NONE && transfer->kind != kind))
			continue;
		transfer->data = kind != KIND_NONE && n_bytes ? malloc(n_bytes) : NULL;
		if (!transfer->data) {
			end(transfer);
			continue;
		}
		memcpy(transfer->data, data, n_bytes);
		transfer->filled = n_bytes;
		transfer->state = TRANSFER_WRITES;
		transfer->moved_ms = now_ms();
	}
}

void transfers_drop(struct transfers *transfers)
{
	for (unsigned i = 0; i < TRANSFERS_MAX; i++)
		if (transfers->all[i].state > TRANSFER_READS)
			end(&transfers->all[i]);
}

unsigned transfers_poll(const struct transfers *transfers, struct pollfd *polls)
{
	unsigned n = 0;
	for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
		const struct transfer *transfer = &transfers->all[i];
		if (transfer->state != TRANSFER_FREE)
			polls[n++] = (struct pollfd){ transfer->fd,
				transfer->state == TRANSFER_READS  ? POLLIN :
				transfer->state == TRANSFER_WRITES ? POLLOUT :
								     0,
				0 };
	}
	return n;
}

static void finish_read(struct transfers *transfers, struct transfer *transfer, bool good)
{
	transfers->copied(transfers->user, transfer->selection, transfer->kind,
		good ? transfer->data : NULL, good ? transfer->filled : 0);
	end(transfer);
}

static void move_read(struct transfers *transfers, struct transfer *transfer)
{
	if (transfer->room - transfer->filled < PIPE_READ_BYTES) {
		size_t room = transfer->room ? transfer->room * 2 : 2 * PIPE_READ_BYTES;
		uint8_t *data = room <= COPY_MAX_BYTES ? realloc(transfer->data, room) : NULL;
		if (!data) {
			finish_read(transfers, transfer, false);
			return;
		}
		transfer->data = data;
		transfer->room = room;
	}
	ssize_t n = read(transfer->fd, transfer->data + transfer->filled, PIPE_READ_BYTES);
	if (n > 0) {
		transfer->filled += (size_t)n;
		transfer->moved_ms = now_ms();
	} else if (n == 0) {
		finish_read(transfers, transfer, true);
	} else if (errno != EAGAIN && errno != EINTR) {
		finish_read(transfers, transfer, false);
	}
}

static void move_write(struct transfer *transfer)
{
	ssize_t n = write(
		transfer->fd, transfer->data + transfer->done, transfer->filled - transfer->done);
	if (n > 0) {
		transfer->done += (size_t)n;
		transfer->moved_ms = now_ms();
	}
	if (transfer->done == transfer->filled || (n < 0 && errno != EAGAIN && errno != EINTR))
		end(transfer);
}

/* Who closes a pipe's other end makes every poll return at once. */
static bool has_reader(int fd)
{
	struct pollfd pipe = { fd, 0, 0 };
	return poll(&pipe, 1, 0) <= 0 || !(pipe.revents & (POLLERR | POLLHUP | POLLNVAL));
}

void transfers_move(struct transfers *transfers)
{
	for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
		struct transfer *transfer = &transfers->all[i];
		bool is_late = now_ms() - transfer->moved_ms > TRANSFER_PATIENCE_MS;
		if (transfer->state == TRANSFER_READS && is_late)
			finish_read(transfers, transfer, false);
		else if (transfer->state == TRANSFER_READS)
			move_read(transfers, transfer);
		else if (transfer->state == TRANSFER_WRITES && !is_late)
			move_write(transfer);
		else if (transfer->state != TRANSFER_FREE && (is_late || !has_reader(transfer->fd)))
			end(transfer);
	}
}
