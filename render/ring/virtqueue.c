/* SPDX-License-Identifier: MIT */
#include "render/ring/virtqueue.h"

#include <glib.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "common/fd.h"
#include "common/peer_log.h"
#include "render/ring/packed.h"
#include "render/ring/split.h"

struct kept_answer {
	struct chain *chain;
	size_t size_bytes;
	uint8_t bytes[];
};

struct virtqueue {
	const char *name;
	/*
	 * Only the working thread changes it: it closes the descriptor and takes another over. It
	 * sleeps on it without the lock.
	 */
	int kick_fd;

	GMutex lock; /* guards all that follows; see hold() */
	bool held;
	struct memory *memory;
	struct keeper_ring_start start; /* as last given: addresses to find again in a new table */
	struct vring ring;              /* host addresses */
	bool running, broken;
	bool unmapped; /* not in the newest memory table */
	bool event_idx, quiet;
	bool wants_packed;     /* what the driver has negotiated */
	struct packed *packed; /* NULL: the ring is split */
	uint16_t next_avail;
	uint16_t used_index;
	uint32_t generation;
	int call_fd;
	int new_kick_fd; /* if kick_changed: what kick_fd is to be, or -1 */
	bool kick_changed;
	struct dirty_log *log; /* NULL: QEMU does not save the guest */
	struct ledger_ring *ledger;
	bool orphans_checked;
	GQueue kept; /* struct kept_answer* */
	struct iovec scratch[CHAIN_PIECES_MAX];
};

struct virtqueue *virtqueue_create(const char *name)
{
	struct virtqueue *vq = g_new0(struct virtqueue, 1);
	vq->name = name;
	g_mutex_init(&vq->lock);
	g_queue_init(&vq->kept);
	vq->call_fd = vq->kick_fd = vq->new_kick_fd = -1;
	return vq;
}

static void hold(struct virtqueue *vq)
{
	g_mutex_lock(&vq->lock);
	g_assert(!vq->held);
	vq->held = true;
}

static void let_go(struct virtqueue *vq)
{
	g_assert(vq->held);
	vq->held = false;
	g_mutex_unlock(&vq->lock);
}

static void drop_kept(struct virtqueue *vq)
{
	struct kept_answer *answer;
	while ((answer = g_queue_pop_head(&vq->kept))) {
		chain_free(answer->chain);
		g_free(answer);
	}
}

static void set_packed(struct virtqueue *vq, bool packed)
{
	if (packed == (vq->packed != NULL))
		return;
	if (vq->packed)
		packed_finish(vq->packed);
	g_free(vq->packed);
	vq->packed = packed ? g_new0(struct packed, 1) : NULL;
}

void virtqueue_destroy(struct virtqueue *vq)
{
	if (!vq)
		return;
	drop_kept(vq);
	set_packed(vq, false);
	fd_close(&vq->call_fd);
	fd_close(&vq->kick_fd);
	fd_close(&vq->new_kick_fd);
	memory_unref(vq->memory);
	dirty_log_unref(vq->log);
	g_mutex_clear(&vq->lock);
	g_free(vq);
}

/* ---- starting and stopping ---- */

void virtqueue_set_ledger(struct virtqueue *vq, struct ledger_ring *ledger)
{
	hold(vq);
	vq->ledger = ledger;
	vq->orphans_checked = false;
	let_go(vq);
}

void virtqueue_set_features(struct virtqueue *vq, uint64_t features)
{
	hold(vq);
	vq->event_idx = features & (1ull << VIRTIO_RING_F_EVENT_IDX);
	vq->wants_packed = features & (1ull << VIRTIO_F_RING_PACKED);
	let_go(vq);
}

static bool find_ring(struct virtqueue *vq)
{
	g_assert(vq->held);
	if (!vq->memory)
		return false;
	return vq->packed ? packed_find(vq->packed, vq->memory, &vq->start) :
			    split_find(&vq->ring, vq->memory, &vq->start);
}

static bool is_workable(const struct virtqueue *vq)
{
	return vq->running && !vq->broken && !vq->unmapped;
}

static uint16_t load_acquire(const __virtio16 *from)
{
	return __atomic_load_n((const uint16_t *)from, __ATOMIC_ACQUIRE);
}

/* Reads guest memory anew. A full fence orders that behind what came before. */
static uint16_t load_after_fence(const __virtio16 *from)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n((const uint16_t *)from, __ATOMIC_RELAXED);
}

static void signal_call(struct virtqueue *vq)
{
	int result = vq->call_fd < 0 ? 0 : fd_wake(vq->call_fd);
	if (result < 0)
		g_debug("%s queue: call: %s", vq->name, g_strerror(-result));
}

/* Marks what an answer has written, and the words by which driver and device wake each other. */
static void mark(struct virtqueue *vq, const struct chain *chain)
{
	if (!vq->log)
		return;
	chain_mark(chain, vq->log);
	if (vq->packed)
		packed_mark(vq->packed, vq->memory, vq->log);
	else
		split_mark(&vq->ring, vq->memory, vq->log);
}

static void put_packed(
	struct virtqueue *vq, const struct chain *chain, const void *answer, size_t answer_bytes)
{
	uint16_t before = vq->packed->next_used;
	uint32_t written_bytes = (uint32_t)chain_write(chain, answer, answer_bytes);
	bool done = packed_put(vq->packed, chain->first_desc, written_bytes);
	mark(vq, chain);
	if (done && packed_wants_interrupt(vq->packed, before, vq->event_idx))
		signal_call(vq);
}

/* Puts a chain into the used ring. ledger.h promises the order of these stores. */
static void put_used(
	struct virtqueue *vq, const struct chain *chain, const void *answer, size_t answer_bytes)
{
	uint16_t first_desc = chain->first_desc;
	g_assert(vq->held && vq->running && !vq->unmapped);
	/* The ring may have started again with fewer entries. */
	if (vq->packed) {
		put_packed(vq, chain, answer, answer_bytes);
		return;
	}
	if (first_desc >= vq->ring.num)
		return;
	uint32_t written_bytes = (uint32_t)chain_write(chain, answer, answer_bytes);
	if (vq->ledger) {
		vq->ledger->returning = first_desc;
		__atomic_thread_fence(__ATOMIC_RELEASE);
	}
	vring_used_elem_t *elem = &vq->ring.used->ring[vq->used_index & (vq->ring.num - 1)];
	__atomic_store_n(&elem->id, (uint32_t)first_desc, __ATOMIC_RELAXED);
	__atomic_store_n(&elem->len, written_bytes, __ATOMIC_RELAXED);
	vq->used_index++;
	__atomic_store_n((uint16_t *)&vq->ring.used->idx, vq->used_index, __ATOMIC_RELEASE);
	if (vq->ledger) {
		__atomic_thread_fence(__ATOMIC_RELEASE);
		vq->ledger->taken[first_desc] = 0;
		vq->ledger->used_index = vq->used_index;
		__atomic_thread_fence(__ATOMIC_RELEASE);
		vq->ledger->returning = LEDGER_NO_CHAIN;
	}
	mark(vq, chain);
	if (split_wants_interrupt(&vq->ring, vq->used_index, vq->event_idx))
		signal_call(vq);
}

static void put_kept(struct virtqueue *vq)
{
	struct kept_answer *answer;
	while ((answer = g_queue_pop_head(&vq->kept))) {
		put_used(vq, answer->chain, answer->bytes, answer->size_bytes);
		chain_free(answer->chain);
		g_free(answer);
	}
}

void virtqueue_set_memory(struct virtqueue *vq, struct memory *memory)
{
	hold(vq);
	memory_unref(vq->memory);
	vq->memory = memory_ref(memory);
	if (vq->running) {
		vq->unmapped = !find_ring(vq);
		if (!vq->unmapped)
			put_kept(vq);
		else
			peer_warning(PEER_QEMU,
				"%s queue: not in the new memory table, waiting for the next",
				vq->name);
	}
	let_go(vq);
}

void virtqueue_set_log(struct virtqueue *vq, struct dirty_log *log)
{
	hold(vq);
	dirty_log_unref(vq->log);
	vq->log = log ? dirty_log_ref(log) : NULL;
	let_go(vq);
}

static void replace_kick(struct virtqueue *vq, int kick_fd)
{
	g_assert(vq->held);
	fd_close(&vq->new_kick_fd);
	vq->new_kick_fd = kick_fd;
	vq->kick_changed = true;
}

static bool is_sane(const struct virtqueue *vq, const struct keeper_ring_start *start)
{
	return start->size > 0 && start->size <= KEEPER_RING_SIZE_MAX &&
	       (vq->packed || (start->size & (start->size - 1)) == 0);
}

static void begin(struct virtqueue *vq, const struct keeper_ring_start *start)
{
	vq->next_avail = start->next_avail;
	if (vq->packed) {
		packed_start(vq->packed, vq->ledger, start);
		vq->quiet = true;
		return;
	}
	vq->used_index = load_acquire(&vq->ring.used->idx);
	if (vq->ledger)
		split_settle(&vq->ring, vq->ledger, vq->next_avail, vq->used_index);
}

bool virtqueue_start(
	struct virtqueue *vq, const struct keeper_ring_start *start, int kick_fd, int call_fd)
{
	hold(vq);
	vq->start = *start;
	set_packed(vq, vq->wants_packed);
	bool ok = is_sane(vq, start) && find_ring(vq);
	replace_kick(vq, ok ? kick_fd : -1);
	fd_close(&vq->call_fd);
	if (ok) {
		vq->call_fd = call_fd;
		begin(vq, start);
		vq->broken = vq->unmapped = false;
		vq->running = true;
		put_kept(vq);
	} else {
		peer_warning(PEER_GUEST,
			"%s queue: %u entries at 0x%" G_GINT64_MODIFIER
			"x: bad size or not in guest memory",
			vq->name, start->size, start->desc_user_addr);
		vq->running = false;
		fd_close(&kick_fd);
		fd_close(&call_fd);
	}
	let_go(vq);
	return ok;
}

void virtqueue_set_call(struct virtqueue *vq, int call_fd)
{
	hold(vq);
	fd_close(&vq->call_fd);
	vq->call_fd = call_fd;
	/* An interrupt may have been due between the two descriptors; one too many does no harm. */
	if (vq->running)
		signal_call(vq);
	let_go(vq);
}

uint16_t virtqueue_stop(struct virtqueue *vq)
{
	hold(vq);
	vq->running = false;
	replace_kick(vq, -1);
	uint16_t next_avail = vq->packed ? vq->packed->next_avail : vq->next_avail;
	let_go(vq);
	return next_avail;
}

uint16_t virtqueue_get_used(struct virtqueue *vq)
{
	hold(vq);
	uint16_t next_used = vq->packed ? vq->packed->next_used : 0;
	let_go(vq);
	return next_used;
}

void virtqueue_reset(struct virtqueue *vq)
{
	hold(vq);
	vq->generation++;
	drop_kept(vq);
	if (vq->ledger) {
		memset(vq->ledger, 0, sizeof(*vq->ledger));
		vq->ledger->returning = LEDGER_NO_CHAIN;
	}
	if (vq->packed)
		packed_forget(vq->packed);
	let_go(vq);
}

uint16_t virtqueue_get_taken(struct virtqueue *vq)
{
	hold(vq);
	uint16_t taken = vq->packed ? vq->packed->n_taken : vq->next_avail;
	let_go(vq);
	return taken;
}

uint16_t virtqueue_peek_end(struct virtqueue *vq)
{
	hold(vq);
	uint16_t end = vq->packed ? vq->packed->n_taken : vq->next_avail;
	if (is_workable(vq))
		end = vq->packed ? (uint16_t)(end + packed_count_work(vq->packed)) :
				   load_acquire(&vq->ring.avail->idx);
	let_go(vq);
	return end;
}

/* ---- working ---- */

bool virtqueue_is_blank(struct virtqueue *vq)
{
	hold(vq);
	bool blank =
		is_workable(vq) && (vq->packed ? packed_is_blank(vq->packed) :
						 vq->next_avail == 0 && split_is_blank(&vq->ring));
	let_go(vq);
	return blank;
}

static unsigned get_length(const struct virtqueue *vq)
{
	return vq->packed ? vq->packed->num : vq->ring.num;
}

/* Returns NULL only for one of a packed ring that was not taken. */
static struct chain *read_chain(struct virtqueue *vq, uint16_t first_desc)
{
	g_assert(vq->held && first_desc < get_length(vq));
	unsigned n = vq->packed ? packed_load(vq->packed, first_desc) : vq->ring.num;
	if (n == 0)
		return NULL;
	struct chain *chain =
		vq->packed ? chain_create_packed(
				     vq->memory, vq->packed->copy, n, first_desc, vq->scratch) :
			     chain_create(vq->memory, vq->ring.desc, n, first_desc, vq->scratch);
	chain->generation = vq->generation;
	if (chain->fault)
		peer_warning(
			PEER_GUEST, "%s queue: chain %u: %s", vq->name, first_desc, chain->fault);
	return chain;
}

/*
 * Returns the mark of a chain that a dead renderer took, or NULL. Once there was none we do not
 * look again until there is another ledger.
 */
static const uint8_t *find_orphan(struct virtqueue *vq)
{
	g_assert(vq->held);
	if (vq->orphans_checked || !vq->ledger)
		return NULL;
	const uint8_t *mark = memchr(vq->ledger->taken, 1, get_length(vq));
	vq->orphans_checked = !mark;
	return mark;
}

static struct chain *take_packed(struct virtqueue *vq)
{
	uint16_t id = 0;
	const char *fault = NULL;
	enum packed_taken taken =
		is_workable(vq) ? packed_take(vq->packed, &id, &fault) : PACKED_NOTHING;
	if (taken == PACKED_BROKEN) {
		peer_warning(PEER_GUEST, "%s queue: %s, ring broken", vq->name, fault);
		vq->broken = true;
	}
	return taken == PACKED_TAKEN ? read_chain(vq, id) : NULL;
}

/*
 * Takes the next chain, but nothing while there are orphans, because what is taken gets the same
 * mark as they have.
 */
static struct chain *take_locked(struct virtqueue *vq)
{
	if (is_workable(vq) && find_orphan(vq))
		return NULL;
	if (vq->packed)
		return take_packed(vq);
	while (is_workable(vq)) {
		uint16_t waiting = (uint16_t)(load_acquire(&vq->ring.avail->idx) - vq->next_avail);
		if (waiting == 0)
			return NULL;
		if (waiting > vq->ring.num) {
			peer_warning(PEER_GUEST,
				"%s queue: available index jumped by %u of %u entries, ring broken",
				vq->name, waiting, vq->ring.num);
			vq->broken = true;
			return NULL;
		}
		uint16_t first_desc =
			__atomic_load_n(&vq->ring.avail->ring[vq->next_avail & (vq->ring.num - 1)],
				__ATOMIC_RELAXED);
		if (vq->ledger && first_desc < vq->ring.num)
			__atomic_store_n(&vq->ledger->taken[first_desc], 1, __ATOMIC_RELEASE);
		vq->next_avail++;
		if (vq->ledger)
			__atomic_store_n(&vq->ledger->next_avail, vq->next_avail, __ATOMIC_RELEASE);
		if (first_desc < vq->ring.num)
			return read_chain(vq, first_desc);
		peer_warning(PEER_GUEST, "%s queue: descriptor %u of %u, skipped", vq->name,
			first_desc, vq->ring.num);
	}
	return NULL;
}

struct chain *virtqueue_try_take(struct virtqueue *vq)
{
	hold(vq);
	struct chain *chain = take_locked(vq);
	let_go(vq);
	return chain;
}

struct chain *virtqueue_try_take_orphan(struct virtqueue *vq)
{
	struct chain *chain = NULL;
	hold(vq);
	const uint8_t *mark = is_workable(vq) ? find_orphan(vq) : NULL;
	if (mark)
		chain = read_chain(vq, (uint16_t)(mark - vq->ledger->taken));
	if (mark && !chain)
		vq->ledger->taken[mark - vq->ledger->taken] = 0;
	let_go(vq);
	return chain;
}

static void keep_answer(
	struct virtqueue *vq, struct chain *chain, const void *answer, size_t answer_bytes)
{
	struct kept_answer *kept = g_malloc(sizeof(*kept) + answer_bytes);
	kept->chain = chain;
	kept->size_bytes = answer_bytes;
	if (answer_bytes > 0)
		memcpy(kept->bytes, answer, answer_bytes);
	g_queue_push_tail(&vq->kept, kept);
}

void virtqueue_return(
	struct virtqueue *vq, struct chain *chain, const void *answer, size_t answer_bytes)
{
	hold(vq);
	bool current = chain->generation == vq->generation;
	bool keep = current && (!vq->running || vq->unmapped);
	if (keep)
		keep_answer(vq, chain, answer, answer_bytes);
	else if (current && !vq->broken)
		put_used(vq, chain, answer, answer_bytes);
	let_go(vq);
	if (!keep)
		chain_free(chain);
}

struct chain *virtqueue_read_again(struct virtqueue *vq, struct chain *chain)
{
	hold(vq);
	struct chain *again = NULL;
	if (chain->generation == vq->generation && is_workable(vq) &&
		chain->first_desc < get_length(vq))
		again = read_chain(vq, chain->first_desc);
	let_go(vq);
	if (!again)
		return chain;
	chain_free(chain);
	return again;
}

bool virtqueue_is_current(struct virtqueue *vq, const struct chain *chain)
{
	hold(vq);
	bool current = chain->generation == vq->generation;
	let_go(vq);
	return current;
}

static bool listen_packed(struct virtqueue *vq)
{
	if (vq->quiet)
		packed_want_kicks(vq->packed, true);
	vq->quiet = false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return packed_has_work(vq->packed);
}

static bool listen_split(struct virtqueue *vq)
{
	if (vq->event_idx)
		__atomic_store_n((uint16_t *)&vring_avail_event(&vq->ring), vq->next_avail,
			__ATOMIC_RELAXED);
	else if (vq->quiet)
		split_want_kicks(&vq->ring, true);
	vq->quiet = false;
	return load_after_fence(&vq->ring.avail->idx) != vq->next_avail;
}

bool virtqueue_listen(struct virtqueue *vq)
{
	bool work = false;
	hold(vq);
	if (is_workable(vq))
		work = vq->packed ? listen_packed(vq) : listen_split(vq);
	let_go(vq);
	return work;
}

void virtqueue_quiet(struct virtqueue *vq)
{
	hold(vq);
	if (is_workable(vq) && !vq->quiet && (vq->packed || !vq->event_idx)) {
		if (vq->packed)
			packed_want_kicks(vq->packed, false);
		else
			split_want_kicks(&vq->ring, false);
		vq->quiet = true;
	}
	let_go(vq);
}

int virtqueue_kick_fd(struct virtqueue *vq)
{
	hold(vq);
	if (vq->kick_changed) {
		fd_close(&vq->kick_fd);
		vq->kick_fd = vq->new_kick_fd;
		vq->new_kick_fd = -1;
		vq->kick_changed = false;
	}
	int fd = vq->kick_fd;
	let_go(vq);
	return fd;
}

void virtqueue_drain_kick(struct virtqueue *vq)
{
	if (vq->kick_fd >= 0)
		fd_drain(vq->kick_fd);
}
