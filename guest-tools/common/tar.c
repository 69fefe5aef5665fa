/* SPDX-License-Identifier: MIT */
#include "guest-tools/common/tar.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#define BLOCK 512

/* This is the ustar header of POSIX.1-1988. */
struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], owner[32], group[32], major[8], minor[8], prefix[155],
		padding[12];
};

bool tar_add(FILE *file, const char *name, const char *data, size_t size_bytes)
{
	static const char zeros[BLOCK];
	struct tar_header header;
	unsigned sum = 0;
	_Static_assert(sizeof header == BLOCK, "a tar header is one block");
	assert(strlen(name) < sizeof header.name);
	memset(&header, 0, sizeof header);
	snprintf(header.name, sizeof header.name, "%s", name);
	snprintf(header.mode, sizeof header.mode, "%07o", 0644);
	snprintf(header.uid, sizeof header.uid, "%07o", 0);
	snprintf(header.gid, sizeof header.gid, "%07o", 0);
	snprintf(header.size, sizeof header.size, "%011llo", (unsigned long long)size_bytes);
	snprintf(header.mtime, sizeof header.mtime, "%011llo", (unsigned long long)time(NULL));
	header.type = '0';
	memcpy(header.magic, "ustar", 6);
	memcpy(header.version, "00", 2);
	memcpy(header.owner, "root", 5);
	memcpy(header.group, "root", 5);
	memset(header.checksum, ' ', sizeof header.checksum);
	for (size_t i = 0; i < sizeof header; i++)
		sum += ((unsigned char *)&header)[i];
	snprintf(header.checksum, sizeof header.checksum, "%06o", sum);
	size_t tail = size_bytes % BLOCK;
	return fwrite(&header, 1, BLOCK, file) == BLOCK &&
	       fwrite(data, 1, size_bytes, file) == size_bytes &&
	       (tail == 0 || fwrite(zeros, 1, BLOCK - tail, file) == BLOCK - tail);
}

bool tar_end(FILE *file)
{
	static const char zeros[2 * BLOCK];
	return fwrite(zeros, 1, sizeof zeros, file) == sizeof zeros;
}
