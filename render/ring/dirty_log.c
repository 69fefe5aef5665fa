/* SPDX-License-Identifier: MIT */
#include "render/ring/dirty_log.h"

#include <errno.h>
#include <glib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE_SHIFT 12 /* VHOST_LOG_PAGE, whatever a page is here */
#define HOST_PAGE 4096u

struct dirty_log {
	gatomicrefcount refs;
	uint8_t *bits, *mapping;
	uint64_t size_bytes, mapping_bytes;
};

struct dirty_log *dirty_log_open(int fd, uint64_t offset_bytes, uint64_t size_bytes)
{
	struct stat st;
	uint64_t lead = offset_bytes % HOST_PAGE;
	if (fstat(fd, &st) < 0 || size_bytes == 0 || st.st_size < 0 ||
		offset_bytes > (uint64_t)st.st_size ||
		size_bytes > (uint64_t)st.st_size - offset_bytes) {
		g_warning("the log of written memory is no log: %" G_GUINT64_FORMAT " bytes",
			size_bytes);
		return NULL;
	}
	void *mapping = mmap(NULL, lead + size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		(off_t)(offset_bytes - lead));
	if (mapping == MAP_FAILED) {
		g_warning("the log of written memory: %s", g_strerror(errno));
		return NULL;
	}
	struct dirty_log *log = g_new0(struct dirty_log, 1);
	g_atomic_ref_count_init(&log->refs);
	log->mapping = mapping;
	log->mapping_bytes = lead + size_bytes;
	log->bits = log->mapping + lead;
	log->size_bytes = size_bytes;
	return log;
}

struct dirty_log *dirty_log_ref(struct dirty_log *log)
{
	g_atomic_ref_count_inc(&log->refs);
	return log;
}

void dirty_log_unref(struct dirty_log *log)
{
	if (!log || !g_atomic_ref_count_dec(&log->refs))
		return;
	munmap(log->mapping, log->mapping_bytes);
	g_free(log);
}

void dirty_log_mark(struct dirty_log *log, uint64_t guest_addr, uint64_t size_bytes)
{
	if (size_bytes == 0 || guest_addr > UINT64_MAX - size_bytes)
		return;
	uint64_t last = (guest_addr + size_bytes - 1) >> PAGE_SHIFT;
	for (uint64_t page = guest_addr >> PAGE_SHIFT; page <= last; page++) {
		if (page / 8 >= log->size_bytes)
			return;
		__atomic_fetch_or(
			&log->bits[page / 8], (uint8_t)(1u << (page % 8)), __ATOMIC_SEQ_CST);
	}
}
