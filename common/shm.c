/* SPDX-License-Identifier: MIT */
#include "common/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

int shm_create(const char *name, size_t size_bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size_bytes) < 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

/* Gives 0 or errno. A file that shrinks meanwhile is copied as far as it goes. */
static int copy(int to, int from, size_t max_bytes)
{
	struct stat st;
	if (fstat(from, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EINVAL;
	if (st.st_size < 0 || (size_t)st.st_size > max_bytes)
		return EFBIG;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n == 0)
			break;
		left -= n > 0 ? n : 0;
	}
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	bool good = fcntl(to, F_ADD_SEALS, seals) == 0 && lseek(to, 0, SEEK_SET) == 0;
	return good ? 0 : errno;
}

int shm_copy_file(const char *name, const char *path, size_t max_bytes)
{
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (from < 0)
		return -errno;
	int to = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error = to < 0 ? errno : copy(to, from, max_bytes);
	close(from);
	if (error != 0 && to >= 0)
		close(to);
	return error != 0 ? -error : to;
}

void *shm_map(int fd, size_t size_bytes, bool writable)
{
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
		errno = EPERM;
		return NULL;
	}
	struct stat st;
	if (fstat(fd, &st) < 0)
		return NULL;
	if (size_bytes == 0 || st.st_size < 0 || (size_t)st.st_size < size_bytes) {
		errno = EINVAL;
		return NULL;
	}
	int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	void *memory = mmap(NULL, size_bytes, protection, MAP_SHARED, fd, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

void shm_unmap(void *memory, size_t size_bytes)
{
	if (memory)
		munmap(memory, size_bytes);
}
