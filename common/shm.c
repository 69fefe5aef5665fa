/* SPDX-License-Identifier: MIT */
#include "common/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
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
