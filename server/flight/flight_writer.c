/* SPDX-License-Identifier: MIT */
#include "server/flight/flight_writer.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "protocol/flight_events.h"

#define OWN_BYTES (FLIGHT_HEAD_BYTES + sizeof(struct flight_memory))
#define PAGE_BYTES 4096

_Static_assert(OWN_BYTES <= FLIGHT_FILE_BYTES_MAX, "a reader takes the process's own");

struct job {
	struct flight_head head;
	struct flight_bytes parts[FLIGHT_SECTIONS_MAX];
	unsigned n_parts;
};

/* A multiple of words. */
struct own {
	union {
		struct flight_head head;
		char page[FLIGHT_HEAD_BYTES];
	};
	struct flight_memory memory;
};
_Static_assert(sizeof(struct own) == OWN_BYTES && OWN_BYTES % sizeof(uint64_t) == 0, "no gaps");

/* One reference is the owner's and one the thread's, which a disk may hold on to. */
struct flight_writer {
	gint references;
	struct flight_folder folder; /* the thread's, once that runs */
	unsigned own_slot;
	struct own own;
	struct own saved;  /* what the file has */
	uint64_t poked_at; /* n_rare of then */

	GMutex lock; /* of what follows, and of own.head */
	GCond changed;
	GQueue jobs;
	bool has_thread, is_poked, ends, is_over;
	unsigned n_dropped;

	/* The thread's: the own file has been written once, and nothing can be written. */
	bool is_whole, is_warned;
};

/* A crash has no other way to it. */
static struct flight_writer *crashing;
static bool has_crashed;

static void unref(struct flight_writer *writer)
{
	if (!g_atomic_int_dec_and_test(&writer->references))
		return;
	flight_folder_close(&writer->folder);
	g_mutex_clear(&writer->lock);
	g_cond_clear(&writer->changed);
	g_free(writer);
}

static void job_free(struct job *job)
{
	for (unsigned i = 0; i < job->n_parts; i++)
		g_free((void *)job->parts[i].bytes);
	g_free(job);
}

/* ---- writing, on the thread ---- */

static int write_at(int fd, const void *bytes, size_t size_bytes, size_t offset_bytes)
{
	ssize_t n = pwrite(fd, bytes, size_bytes, (off_t)offset_bytes);
	return n == (ssize_t)size_bytes ? 0 : n < 0 ? -errno : -ENOSPC;
}

/* Others write there meanwhile, in whole words. */
static void copy_words(uint64_t *to, const uint64_t *from, size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	size_t done_bytes = size_bytes - size_bytes % sizeof(*to);
	memcpy((char *)to + done_bytes, (const char *)from + done_bytes, size_bytes - done_bytes);
}

static int save_own(struct flight_writer *writer)
{
	uint64_t page[PAGE_BYTES / sizeof(uint64_t)];
	int fd = writer->folder.slots[writer->own_slot].fd;
	for (size_t at = 0; at < OWN_BYTES; at += PAGE_BYTES) {
		size_t n_bytes = MIN(PAGE_BYTES, OWN_BYTES - at);
		char *saved = (char *)&writer->saved + at;
		g_mutex_lock(&writer->lock);
		copy_words(page, (const uint64_t *)((const char *)&writer->own + at), n_bytes);
		g_mutex_unlock(&writer->lock);
		if (writer->is_whole && memcmp(saved, page, n_bytes) == 0)
			continue;
		/* What a crash has written is newer. */
		if (__atomic_load_n(&has_crashed, __ATOMIC_ACQUIRE))
			return 0;
		int result = write_at(fd, page, n_bytes, at);
		if (result < 0)
			return result;
		memcpy(saved, page, n_bytes);
	}
	writer->is_whole = true;
	return 0;
}

static void warn(struct flight_writer *writer, const char *what, int result)
{
	if (result < 0 && !writer->is_warned)
		g_warning("%s is not kept: %s", what, g_strerror(-result));
	writer->is_warned = result < 0;
}

static void write_job(struct flight_writer *writer, struct job *job)
{
	int slot = flight_folder_write(&writer->folder, &job->head, job->parts, job->n_parts);
	flight_note(FLIGHT_DEATH_KEPT, job->head.process, (uint64_t)MAX(slot, 0),
		(uint64_t)MAX(-slot, 0));
	g_autofree char *what =
		g_strdup_printf("the end of %s", flight_process_name(job->head.process));
	warn(writer, what, slot);
}

/* Called with the lock held, and returns so. */
static void write_what_came(struct flight_writer *writer)
{
	struct job *job = g_queue_pop_head(&writer->jobs);
	bool is_new = !job && writer->is_poked;
	if (is_new)
		writer->is_poked = false;
	g_mutex_unlock(&writer->lock);
	if (job) {
		write_job(writer, job);
		job_free(job);
	}
	if (job || is_new)
		warn(writer, "what this process does", save_own(writer));
	g_mutex_lock(&writer->lock);
}

static bool has_work(const struct flight_writer *writer)
{
	return writer->is_poked || !g_queue_is_empty((GQueue *)&writer->jobs);
}

static gpointer run(gpointer user)
{
	struct flight_writer *writer = user;
	flight_begin_thread("flight");
	g_mutex_lock(&writer->lock);
	writer->has_thread = true;
	g_cond_broadcast(&writer->changed);
	while (!writer->ends || has_work(writer)) {
		if (has_work(writer))
			write_what_came(writer);
		else
			g_cond_wait(&writer->changed, &writer->lock);
	}
	writer->is_over = true;
	g_cond_broadcast(&writer->changed);
	g_mutex_unlock(&writer->lock);
	unref(writer);
	return NULL;
}

/* It is called in a handler of a signal, by the last one that runs. */
static void save_crash(void)
{
	struct flight_writer *writer = crashing;
	__atomic_store_n(&has_crashed, true, __ATOMIC_RELEASE);
	if (writer)
		write_at(writer->folder.slots[writer->own_slot].fd, &writer->own, OWN_BYTES, 0);
}

/* ---- the main thread ---- */

/* All of it, so that its room on the disk is taken where a file system lets one do so. */
static int write_own(struct flight_writer *writer)
{
	int fd = writer->folder.slots[writer->own_slot].fd;
	if (ftruncate(fd, 0) < 0)
		return -errno;
	return save_own(writer);
}

struct flight_writer *flight_writer_create(
	const char *desktop, enum flight_part part, const struct flight_head *own, GError **error)
{
	const struct flight_bytes section = { FLIGHT_SECTION_FLIGHT, NULL,
		sizeof(struct flight_memory) };
	struct flight_folder folder;
	if (!flight_folder_open(&folder, desktop, part, error))
		return NULL;
	struct flight_writer *writer = g_new0(struct flight_writer, 1);
	writer->references = 1;
	writer->folder = folder;
	g_mutex_init(&writer->lock);
	g_cond_init(&writer->changed);
	g_queue_init(&writer->jobs);
	writer->own_slot = flight_folder_choose(&writer->folder);
	writer->folder.slots[writer->own_slot].in_use = true;
	writer->own.head = *own;
	writer->own.head.cause = FLIGHT_CAUSE_RUNNING;
	flight_fill_head(&writer->own.head, &section, 1);
	flight_init(&writer->own.memory);
	flight_use(&writer->own.memory);
	warn(writer, "what this process does", write_own(writer));
	crashing = writer;
	flight_set_saver(save_crash);
	return writer;
}

void flight_writer_start(struct flight_writer *writer)
{
	g_autoptr(GError) error = NULL;
	g_atomic_int_inc(&writer->references);
	GThread *thread = g_thread_try_new("flight", run, writer, &error);
	if (!thread) {
		g_warning("flight files are written by the main thread: %s", error->message);
		g_atomic_int_dec_and_test(&writer->references);
		return;
	}
	g_thread_unref(thread);
	g_mutex_lock(&writer->lock);
	while (!writer->has_thread)
		g_cond_wait(&writer->changed, &writer->lock);
	g_mutex_unlock(&writer->lock);
}

void flight_writer_finish(struct flight_writer *writer)
{
	if (!writer)
		return;
	gint64 end_us = g_get_monotonic_time() + FLIGHT_FINISH_MS * INT64_C(1000);
	flight_writer_poke(writer);
	g_mutex_lock(&writer->lock);
	writer->ends = true;
	g_cond_broadcast(&writer->changed);
	while (writer->has_thread && !writer->is_over &&
		g_cond_wait_until(&writer->changed, &writer->lock, end_us))
		;
	bool is_over = writer->is_over || !writer->has_thread;
	g_mutex_unlock(&writer->lock);
	if (!is_over)
		g_warning("the disk stands still: the last flight files are not written");
	flight_use(NULL);
	crashing = NULL;
	unref(writer);
}

const struct flight_memory *flight_writer_memory(const struct flight_writer *writer)
{
	return &writer->own.memory;
}

void flight_writer_set_end(struct flight_writer *writer, enum flight_cause cause, const char *why)
{
	struct flight_head *head = &writer->own.head;
	if (head->cause != FLIGHT_CAUSE_RUNNING)
		return;
	flight_note(FLIGHT_QUITS, cause, 0, 0);
	g_mutex_lock(&writer->lock);
	g_strlcpy(head->why, why, sizeof(head->why));
	head->written_ns = monotonic_now_ns();
	head->realtime_ns = (uint64_t)g_get_real_time() * 1000;
	head->cause = cause;
	g_mutex_unlock(&writer->lock);
	flight_writer_poke(writer);
}

void flight_writer_set_gpu(struct flight_writer *writer, const char *gpu)
{
	g_mutex_lock(&writer->lock);
	g_strlcpy(writer->own.head.gpu, gpu, sizeof(writer->own.head.gpu));
	g_mutex_unlock(&writer->lock);
}

/* Called with the lock held, and returns so. */
static void tell(struct flight_writer *writer)
{
	g_cond_broadcast(&writer->changed);
	while (!writer->has_thread && has_work(writer))
		write_what_came(writer);
}

void flight_writer_poke(struct flight_writer *writer)
{
	uint64_t n_rare = __atomic_load_n(&writer->own.memory.n_rare, __ATOMIC_RELAXED);
	if (n_rare == writer->poked_at)
		return;
	writer->poked_at = n_rare;
	g_mutex_lock(&writer->lock);
	writer->is_poked = true;
	tell(writer);
	g_mutex_unlock(&writer->lock);
}

static struct job *job_create(
	const struct flight_head *head, const struct flight_bytes *parts, unsigned n_parts)
{
	struct job *job = g_new0(struct job, 1);
	job->head = *head;
	job->n_parts = n_parts;
	for (unsigned i = 0; i < n_parts; i++) {
		uint64_t *copy = g_malloc(parts[i].size_bytes);
		copy_words(copy, parts[i].bytes, parts[i].size_bytes);
		job->parts[i] = parts[i];
		job->parts[i].bytes = copy;
	}
	return job;
}

void flight_writer_keep(struct flight_writer *writer, const struct flight_head *head,
	const struct flight_bytes *parts, unsigned n_parts)
{
	g_mutex_lock(&writer->lock);
	if (g_queue_get_length(&writer->jobs) < FLIGHT_JOBS_MAX) {
		g_queue_push_tail(&writer->jobs, job_create(head, parts, n_parts));
		writer->n_dropped = 0;
		tell(writer);
	} else if (writer->n_dropped++ == 0) {
		g_warning("the end of %s is not kept: the disk is late with others",
			flight_process_name(head->process));
	}
	g_mutex_unlock(&writer->lock);
}
