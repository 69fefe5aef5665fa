/* SPDX-License-Identifier: MIT */
#include "server/flight/flight_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/monotonic.h"

/* The keeper's own file: its head, and its memory. */
#define OWN_BYTES (FLIGHT_HEAD_BYTES + sizeof(struct flight_memory))

_Static_assert(OWN_BYTES <= FLIGHT_FILE_BYTES_MAX, "a reader takes the keeper's own");

char *flight_folder_path(const char *desktop)
{
	return g_build_filename(g_get_user_state_dir(), "vitrine", "flights", desktop, NULL);
}

static char *name_file(unsigned slot)
{
	return g_strdup_printf("%02u.flight", slot);
}

char *flight_folder_file(const char *desktop, unsigned slot)
{
	g_autofree char *folder = flight_folder_path(desktop);
	g_autofree char *name = name_file(slot);
	return g_build_filename(folder, name, NULL);
}

static bool fail(GError **error, int number, const char *what)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number), "%s: %s", what,
		number == EWOULDBLOCK ? "another desktop of this name has it" : g_strerror(number));
	return false;
}

static bool is_private(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

/* A file that is not whole counts as empty. */
static void look_into(struct flight_slot *slot)
{
	struct flight_head head;
	if (pread(slot->fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
		head.magic != FLIGHT_FILE_MAGIC || head.version != FLIGHT_FILE_VERSION)
		return;
	slot->realtime_ns = head.realtime_ns;
	slot->cause = head.cause;
}

static bool open_file(int dir_fd, const char *name, int *fd)
{
	struct stat st;
	*fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return false;
	errno = EINVAL;
	return S_ISREG(st.st_mode) && st.st_nlink == 1;
}

static bool open_slot(struct flight_folder *folder, int dir_fd, unsigned number)
{
	g_autofree char *name = name_file(number);
	if (!open_file(dir_fd, name, &folder->slots[number].fd))
		return false;
	look_into(&folder->slots[number]);
	return true;
}

/* Nobody holds the folder itself, by which more than its files could be reached. */
static bool open_all(struct flight_folder *folder, const char *path)
{
	int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool good = dir_fd >= 0;
	if (good && !is_private(dir_fd)) {
		errno = EPERM;
		good = false;
	}
	good = good && open_file(dir_fd, "lock", &folder->lock_fd) &&
	       flock(folder->lock_fd, LOCK_EX | LOCK_NB) == 0;
	for (unsigned i = 0; good && i < FLIGHT_SLOTS; i++)
		good = open_slot(folder, dir_fd, i);
	int error = errno;
	fd_close(&dir_fd);
	errno = error;
	return good;
}

bool flight_folder_open(struct flight_folder *folder, const char *desktop, GError **error)
{
	g_autofree char *path = flight_folder_path(desktop);
	*folder = FLIGHT_FOLDER_NONE;
	for (unsigned i = 0; i < FLIGHT_SLOTS; i++)
		folder->slots[i].fd = -1;
	if (g_mkdir_with_parents(path, 0700) < 0)
		return fail(error, errno, path);
	if (open_all(folder, path))
		return true;
	fail(error, errno, path);
	flight_folder_close(folder);
	return false;
}

void flight_folder_close(struct flight_folder *folder)
{
	for (unsigned i = 0; i < FLIGHT_SLOTS; i++)
		fd_close(&folder->slots[i].fd);
	fd_close(&folder->lock_fd);
}

/* What is less worth keeping comes first. */
static unsigned rank_of(const struct flight_slot *slot)
{
	if (slot->realtime_ns == 0)
		return 0;
	return slot->cause == FLIGHT_CAUSE_ENDED || slot->cause == FLIGHT_CAUSE_QEMU ? 1 : 2;
}

static bool is_before(const struct flight_slot *a, const struct flight_slot *b)
{
	unsigned rank = rank_of(a), other = rank_of(b);
	return rank != other ? rank < other : a->realtime_ns < b->realtime_ns;
}

unsigned flight_folder_choose(const struct flight_folder *folder)
{
	unsigned chosen = FLIGHT_SLOTS;
	for (unsigned i = 0; i < FLIGHT_SLOTS; i++) {
		const struct flight_slot *slot = &folder->slots[i];
		if (slot->in_use)
			continue;
		if (chosen == FLIGHT_SLOTS || is_before(slot, &folder->slots[chosen]))
			chosen = i;
	}
	g_assert(chosen < FLIGHT_SLOTS);
	return chosen;
}

static uint64_t realtime_now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * MONOTONIC_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static int write_at(int fd, const void *bytes, size_t size_bytes, uint64_t offset_bytes)
{
	ssize_t written = pwrite(fd, bytes, size_bytes, (off_t)offset_bytes);
	if (written == (ssize_t)size_bytes)
		return 0;
	return written < 0 ? -errno : -ENOSPC;
}

static void fill_head(struct flight_head *head, const struct flight_bytes *parts, unsigned n_parts)
{
	uint64_t at_bytes = FLIGHT_HEAD_BYTES;
	head->magic = FLIGHT_FILE_MAGIC;
	head->version = FLIGHT_FILE_VERSION;
	head->realtime_ns = realtime_now_ns();
	head->written_ns = monotonic_now_ns();
	memset(head->sections, 0, sizeof(head->sections));
	for (unsigned i = 0; i < n_parts; i++) {
		head->sections[i] =
			(struct flight_section){ parts[i].kind, parts[i].size_bytes, at_bytes };
		at_bytes += parts[i].size_bytes;
	}
	g_assert(at_bytes <= FLIGHT_FILE_BYTES_MAX);
	head->size_bytes = (uint32_t)at_bytes;
}

/* The head is written last: until then there is nothing in the slot. */
static int write_file(
	int fd, const struct flight_head *head, const struct flight_bytes *parts, unsigned n_parts)
{
	const struct flight_head nothing = { 0 };
	int result = write_at(fd, &nothing, sizeof(nothing), 0);
	for (unsigned i = 0; result == 0 && i < n_parts; i++)
		result = write_at(
			fd, parts[i].bytes, parts[i].size_bytes, head->sections[i].offset_bytes);
	return result == 0 ? write_at(fd, head, sizeof(*head), 0) : result;
}

int flight_folder_write(struct flight_folder *folder, struct flight_head *head,
	const struct flight_bytes *parts, unsigned n_parts)
{
	g_assert(n_parts <= FLIGHT_SECTIONS_MAX);
	unsigned number = flight_folder_choose(folder);
	struct flight_slot *slot = &folder->slots[number];
	fill_head(head, parts, n_parts);
	int result = write_file(slot->fd, head, parts, n_parts);
	slot->realtime_ns = result == 0 ? head->realtime_ns : 0;
	slot->cause = head->cause;
	return result == 0 ? (int)number : result;
}

/*
 * Where each write goes to a new place of the disk, a full one is a SIGBUS for who writes into a
 * map, whatever room was taken. These do not do so.
 */
static bool keeps_its_room(int fd)
{
	static const unsigned long kinds[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, TMPFS_MAGIC,
		OVERLAYFS_SUPER_MAGIC };
	struct statfs st;
	if (fstatfs(fd, &st) < 0)
		return false;
	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
		if ((unsigned long)st.f_type == kinds[i])
			return true;
	errno = EOPNOTSUPP;
	return false;
}

struct flight_head *flight_folder_map(struct flight_folder *folder, unsigned *slot)
{
	unsigned number = flight_folder_choose(folder);
	int fd = folder->slots[number].fd;
	if (!keeps_its_room(fd) || ftruncate(fd, 0) < 0)
		return NULL;
	folder->slots[number].realtime_ns = 0;
	errno = posix_fallocate(fd, 0, (off_t)OWN_BYTES);
	if (errno != 0)
		return NULL;
	void *map = mmap(NULL, OWN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return NULL;
	struct flight_head *head = map;
	const struct flight_bytes part = { FLIGHT_SECTION_FLIGHT, NULL,
		sizeof(struct flight_memory) };
	fill_head(head, &part, 1);
	flight_init(flight_folder_memory(head));
	folder->slots[number].in_use = true;
	*slot = number;
	return head;
}

struct flight_memory *flight_folder_memory(struct flight_head *head)
{
	return (void *)((char *)head + FLIGHT_HEAD_BYTES);
}

void flight_folder_unmap(struct flight_head *head)
{
	if (head)
		munmap(head, OWN_BYTES);
}
