/* SPDX-License-Identifier: MIT */
#include "guest-tools/common/port.h"

#include <stdio.h>
#include <string.h>

#include "guest-tools/common/text.h"

struct port_search {
	const char *name;
	bool found;
	char device[64];
};

/* `path` is /sys/class/virtio-ports/vport1p2/name or so. The port's node has that folder's name. */
static bool port_matches(void *user, const char *path)
{
	struct port_search *search = user;
	char name[96], port[32];
	if (!text_read(path, name, sizeof name) || strcmp(name, search->name) != 0)
		return true;
	search->found = sscanf(path, "/sys/class/virtio-ports/%31[^/]/", port) == 1;
	if (search->found)
		snprintf(search->device, sizeof search->device, "/dev/%s", port);
	return !search->found;
}

bool port_find(const char *name, char *device, size_t size)
{
	struct port_search search = { .name = name };
	text_each_path("/sys/class/virtio-ports/*/name", port_matches, &search);
	if (device)
		text_copy(device, size, search.device);
	return search.found;
}
