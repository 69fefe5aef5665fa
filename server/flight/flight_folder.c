/* SPDX-License-Identifier: MIT */
#include "server/flight/flight_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/monotonic.h"

static const struct {
	const char *lock;
	unsigned first, n_slots;
} parts_of_folder[FLIGHT_PARTS] = {
	[FLIGHT_PART_KEEPER] = { "lock", 0, FLIGHT_SLOTS },
	[FLIGHT_PART_RUN] = { "run.lock", FLIGHT_SLOTS, FLIGHT_RUN_SLOTS },
};
_Static_assert(FLIGHT_RUN_SLOTS <= FLIGHT_SLOTS, "each part has room in a folder");

char *flight_folder_path(const char *desktop)
{
	return g_build_filename(g_get_user_state_dir(), "vitrine", "flights", desktop, NULL);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **flight_folder_list(void)
{
	g_autofree char *base = flight_folder_path(NULL);
	GPtrArray *names = g_ptr_array_new();
	GDir *dir = g_dir_open(base, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		if (name[0] != '.')
			g_ptr_array_add(names, g_strdup(name));
	}
	if (dir)
		g_dir_close(dir);
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

static char *name_file(unsigned number)
{
	return g_strdup_printf("%02u.flight", number);
}

char *flight_folder_file(const char *desktop, unsigned number)
{
	g_autofree char *folder = flight_folder_path(desktop);
	g_autofree char *name = name_file(number);
	return g_build_filename(folder, name, NULL);
}

enum flight_part flight_folder_part(unsigned number)
{
	return number < FLIGHT_SLOTS ? FLIGHT_PART_KEEPER : FLIGHT_PART_RUN;
}

bool flight_folder_in_use(const char *desktop, enum flight_part part)
{
	g_autofree char *folder = flight_folder_path(desktop);
	g_autofree char *path = g_build_filename(folder, parts_of_folder[part].lock, NULL);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	fd_close(&fd);
	return locked;
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
	g_autofree char *name = name_file(folder->first + number);
	if (!open_file(dir_fd, name, &folder->slots[number].fd))
		return false;
	look_into(&folder->slots[number]);
	return true;
}

/* Nobody holds the folder itself, by which more than its files could be reached. */
static bool open_all(struct flight_folder *folder, const char *path, const char *lock)
{
	int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool good = dir_fd >= 0;
	if (good && !is_private(dir_fd)) {
		errno = EPERM;
		good = false;
	}
	good = good && open_file(dir_fd, lock, &folder->lock_fd) &&
	       flock(folder->lock_fd, LOCK_EX | LOCK_NB) == 0;
	for (unsigned i = 0; good && i < folder->n_slots; i++)
		good = open_slot(folder, dir_fd, i);
	int error = errno;
	fd_close(&dir_fd);
	errno = error;
	return good;
}

bool flight_folder_open(
	struct flight_folder *folder, const char *desktop, enum flight_part part, GError **error)
{
	g_autofree char *path = flight_folder_path(desktop);
	*folder = FLIGHT_FOLDER_NONE;
	folder->first = parts_of_folder[part].first;
	folder->n_slots = parts_of_folder[part].n_slots;
	for (unsigned i = 0; i < FLIGHT_SLOTS; i++)
		folder->slots[i].fd = -1;
	if (g_mkdir_with_parents(path, 0700) < 0)
		return fail(error, errno, path);
	if (open_all(folder, path, parts_of_folder[part].lock))
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
	switch (slot->cause) {
	case FLIGHT_CAUSE_ENDED:
	case FLIGHT_CAUSE_QEMU:
	case FLIGHT_CAUSE_RUN:
	case FLIGHT_CAUSE_KEEPER:
	case FLIGHT_CAUSE_GUEST_SHUTDOWN:
	/* Whose guest it is that can fill a folder with them. */
	case FLIGHT_CAUSE_GUEST_PANIC:
		return 1;
	default:
		return 2;
	}
}

static bool is_before(const struct flight_slot *a, const struct flight_slot *b)
{
	unsigned rank = rank_of(a), other = rank_of(b);
	return rank != other ? rank < other : a->realtime_ns < b->realtime_ns;
}

unsigned flight_folder_choose(const struct flight_folder *folder)
{
	unsigned chosen = FLIGHT_SLOTS;
	for (unsigned i = 0; i < folder->n_slots; i++) {
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

void flight_fill_head(struct flight_head *head, const struct flight_bytes *parts, unsigned n_parts)
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
	flight_fill_head(head, parts, n_parts);
	int result = write_file(slot->fd, head, parts, n_parts);
	slot->realtime_ns = result == 0 ? head->realtime_ns : 0;
	slot->cause = head->cause;
	return result == 0 ? (int)(folder->first + number) : result;
}
