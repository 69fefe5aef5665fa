/* SPDX-License-Identifier: MIT */
#include "server/starter/pinned_address.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/fd.h"

int pinned_address_init(struct pinned_address *address, const char *path)
{
	*address = (struct pinned_address){ 0 };
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return ENAMETOOLONG;
	/* Into private memory the kernel lets /proc/self/mem write, whatever its protection. */
	struct sockaddr_un *memory = mmap(
		NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return errno;
	memory->sun_family = AF_UNIX;
	memcpy(memory->sun_path, path, strlen(path));
	if (mprotect(memory, sizeof(*memory), PROT_READ) < 0)
		return errno;
	*address = (struct pinned_address){ memory, sizeof(*memory) };
	return 0;
}

int pinned_address_connect(const struct pinned_address *address, int *fd)
{
	*fd = -1;
	if (!address->memory)
		return ENOENT;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd >= 0 && connect(*fd, address->memory, address->size_bytes) == 0)
		return 0;
	int error = errno;
	fd_close(fd);
	return error;
}
