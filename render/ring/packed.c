/* SPDX-License-Identifier: MIT */
#include "render/ring/packed.h"

#include <glib.h>
#include <string.h>

#define PLACE_SLOT(place) ((place) & ~PACKED_WRAP)
#define AVAIL_BIT (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED_BIT (1u << VRING_PACKED_DESC_F_USED)
#define CHAIN_FLAGS (VRING_DESC_F_NEXT | VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT)
#define NO_ENTRY 0xffffu

/* ---- places ---- */

static uint16_t advance(const struct packed *packed, uint16_t place, unsigned n)
{
	unsigned slot = PLACE_SLOT(place) + n;
	unsigned wrap = place & PACKED_WRAP;
	if (slot >= packed->num) {
		slot -= packed->num;
		wrap ^= PACKED_WRAP;
	}
	return (uint16_t)(slot | wrap);
}

/* Length, id and flags of a descriptor are one word of memory, in this order. */
static uint64_t read_rest(const struct packed *packed, uint16_t place)
{
	const uint64_t *words = (const uint64_t *)&packed->desc[PLACE_SLOT(place)];
	return __atomic_load_n(&words[1], __ATOMIC_ACQUIRE);
}

static uint16_t rest_flags(uint64_t rest)
{
	return (uint16_t)(rest >> 48);
}

static uint16_t rest_id(uint64_t rest)
{
	return (uint16_t)(rest >> 32);
}

static bool is_available(uint64_t rest, uint16_t place)
{
	bool avail = rest_flags(rest) & AVAIL_BIT, used = rest_flags(rest) & USED_BIT;
	bool wrap = place & PACKED_WRAP;
	return avail == wrap && used != wrap;
}

static bool is_used(uint64_t rest, uint16_t place)
{
	bool avail = rest_flags(rest) & AVAIL_BIT, used = rest_flags(rest) & USED_BIT;
	bool wrap = place & PACKED_WRAP;
	return avail == wrap && used == wrap;
}

/* ---- starting ---- */

bool packed_find(
	struct packed *packed, const struct memory *memory, const struct keeper_ring_start *s)
{
	void *desc = memory_at_user(memory, s->desc_user_addr, 16ull * s->size);
	void *driver = memory_at_user(memory, s->avail_user_addr, sizeof(uint32_t));
	void *device = memory_at_user(memory, s->used_user_addr, sizeof(uint32_t));
	if (!desc || !driver || !device)
		return false;
	if (((uintptr_t)desc & 15) || ((uintptr_t)driver & 3) || ((uintptr_t)device & 3))
		return false;
	if (PLACE_SLOT(s->next_avail) >= s->size || PLACE_SLOT(s->next_used) >= s->size)
		return false;
	packed->num = (uint16_t)s->size;
	packed->desc = desc;
	packed->driver_event = driver;
	packed->device_event = device;
	return true;
}

/* Frees what a command has in book->saved, as far as it makes sense. */
static unsigned count_saved(
	const struct packed *packed, uint16_t id, uint8_t in_use[KEEPER_RING_SIZE_MAX])
{
	const struct ledger_ring *book = packed->book;
	unsigned n = 0, wanted = book->n_saved[id];
	uint16_t entry = book->first_saved[id];
	if (wanted == 0 || wanted > packed->num)
		return 0;
	for (; n < wanted && entry < KEEPER_RING_SIZE_MAX && !in_use[entry]; n++) {
		in_use[entry] = 1;
		entry = book->saved[entry].next;
	}
	return n == wanted ? n : 0;
}

/* Finds out what is in flight, and forgets what makes no sense. */
static void read_book(struct packed *packed)
{
	g_autofree uint8_t *in_use = g_malloc0(KEEPER_RING_SIZE_MAX);
	struct ledger_ring *book = packed->book;
	packed->n_in_flight = packed->n_free = 0;
	for (unsigned id = 0; id < KEEPER_RING_SIZE_MAX; id++) {
		unsigned n = book->taken[id] == 1 && id < packed->num ?
				     count_saved(packed, (uint16_t)id, in_use) :
				     0;
		if (n > 0 && packed->n_in_flight + n <= packed->num) {
			packed->n_in_flight += n;
			continue;
		}
		book->taken[id] = 0;
		book->n_saved[id] = 0;
	}
	for (unsigned entry = 0; entry < KEEPER_RING_SIZE_MAX; entry++) {
		if (!in_use[entry])
			packed->free[packed->n_free++] = (uint16_t)entry;
	}
}

/* Finds the command at the next place. Returns its slots; 0: it is longer than there is room. */
static unsigned measure(const struct packed *packed, uint16_t *id)
{
	uint16_t place = packed->next_avail;
	for (unsigned n = 1; n <= packed->num; n++) {
		uint64_t rest = read_rest(packed, place);
		if (!(rest_flags(rest) & VRING_DESC_F_NEXT)) {
			*id = rest_id(rest);
			return n;
		}
		place = advance(packed, place, 1);
	}
	return 0;
}

static void forget(struct packed *packed, uint16_t id)
{
	struct ledger_ring *book = packed->book;
	uint16_t entry = book->first_saved[id];
	unsigned n = book->n_saved[id];
	book->taken[id] = 0;
	packed->n_in_flight -= MIN(n, packed->n_in_flight);
	for (; n > 0 && entry < KEEPER_RING_SIZE_MAX && packed->n_free < KEEPER_RING_SIZE_MAX;
		n--) {
		packed->free[packed->n_free++] = entry;
		entry = book->saved[entry].next;
	}
	book->n_saved[id] = 0;
}

/*
 * Two things may have been cut short (ledger.h). A return has happened if the ring says so at the
 * next used place. It comes before all that the book says of the command is looked at.
 */
static void settle_return(struct packed *packed)
{
	struct ledger_ring *book = packed->book;
	uint16_t id = book->returning;
	unsigned n = id < packed->num ? book->n_saved[id] : 0;
	if (n > 0 && n <= packed->num &&
		is_used(read_rest(packed, packed->next_used), packed->next_used)) {
		packed->next_used = advance(packed, packed->next_used, n);
		book->taken[id] = 0;
	}
	book->returning = LEDGER_NO_CHAIN;
	book->used_index = packed->next_used;
}

/* A take has not happened if its command is still the next one. */
static void settle_take(struct packed *packed)
{
	uint16_t id;
	if (packed_has_work(packed) && measure(packed, &id) > 0 && id < packed->num &&
		packed->book->taken[id])
		forget(packed, id);
	packed->book->next_avail = packed->next_avail;
}

void packed_start(
	struct packed *packed, struct ledger_ring *ledger, const struct keeper_ring_start *start)
{
	if (!ledger && !packed->own) {
		packed->own = g_new0(struct ledger_ring, 1);
		packed->own->returning = LEDGER_NO_CHAIN;
	}
	packed->book = ledger ? ledger : packed->own;
	packed->next_avail = start->next_avail;
	packed->next_used = start->next_used;
	settle_return(packed);
	read_book(packed);
	settle_take(packed);
}

void packed_forget(struct packed *packed)
{
	if (packed->own)
		memset(packed->own, 0, sizeof(*packed->own));
}

void packed_finish(struct packed *packed)
{
	g_clear_pointer(&packed->own, g_free);
}

/* ---- working ---- */

bool packed_has_work(const struct packed *packed)
{
	return is_available(read_rest(packed, packed->next_avail), packed->next_avail);
}

uint16_t packed_count_work(const struct packed *packed)
{
	uint16_t place = packed->next_avail, n = 0;
	for (unsigned slot = 0; slot < packed->num; slot++) {
		uint64_t rest = read_rest(packed, place);
		if (!is_available(rest, place))
			break;
		n += !(rest_flags(rest) & VRING_DESC_F_NEXT);
		place = advance(packed, place, 1);
	}
	return n;
}

/*
 * Reads a command's descriptors, each once, since the driver may change it at any time. Returns how
 * many slots it has, or 0 when that is more than the driver can have left.
 */
static unsigned read_command(struct packed *packed, uint16_t *id)
{
	uint16_t place = packed->next_avail;
	for (unsigned n = 0; n < packed->num - packed->n_in_flight;) {
		uint64_t rest = read_rest(packed, place);
		const uint64_t *addr = (const uint64_t *)&packed->desc[PLACE_SLOT(place)].addr;
		struct vring_desc *desc = &packed->copy[n++];
		*desc = (struct vring_desc){ .addr = __atomic_load_n(addr, __ATOMIC_RELAXED),
			.len = (uint32_t)rest,
			.flags = rest_flags(rest) & CHAIN_FLAGS,
			.next = (uint16_t)n };
		if (!(desc->flags & VRING_DESC_F_NEXT)) {
			*id = rest_id(rest);
			return n;
		}
		place = advance(packed, place, 1);
	}
	return 0;
}

static void save(struct packed *packed, uint16_t id, unsigned n)
{
	struct ledger_ring *book = packed->book;
	uint16_t next = NO_ENTRY;
	for (unsigned i = n; i-- > 0;) {
		uint16_t entry = packed->free[--packed->n_free];
		book->saved[entry] = (struct ledger_descriptor){ .addr = packed->copy[i].addr,
			.length_bytes = packed->copy[i].len,
			.flags = packed->copy[i].flags,
			.next = next };
		next = entry;
	}
	book->first_saved[id] = next;
	book->n_saved[id] = (uint16_t)n;
	packed->n_in_flight += n;
}

enum packed_taken packed_take(struct packed *packed, uint16_t *id, const char **fault)
{
	struct ledger_ring *book = packed->book;
	if (!packed_has_work(packed))
		return PACKED_NOTHING;
	unsigned n = read_command(packed, id);
	*fault = n == 0 || n > packed->n_free ? "a command longer than what is left of the ring" :
		 *id >= packed->num           ? "an id beyond the ring" :
		 book->taken[*id] != 0        ? "the id of a command that is at work" :
						NULL;
	if (*fault)
		return PACKED_BROKEN;
	save(packed, *id, n);
	__atomic_store_n(&book->taken[*id], 1, __ATOMIC_RELEASE);
	packed->next_avail = advance(packed, packed->next_avail, n);
	packed->n_taken++;
	__atomic_store_n(&book->next_avail, packed->next_avail, __ATOMIC_RELEASE);
	return PACKED_TAKEN;
}

unsigned packed_load(struct packed *packed, uint16_t id)
{
	const struct ledger_ring *book = packed->book;
	unsigned n = id < packed->num && book->taken[id] ? book->n_saved[id] : 0;
	if (n > packed->num)
		return 0;
	uint16_t entry = n > 0 ? book->first_saved[id] : NO_ENTRY;
	for (unsigned i = 0; i < n; i++) {
		if (entry >= KEEPER_RING_SIZE_MAX)
			return 0;
		const struct ledger_descriptor *saved = &book->saved[entry];
		packed->copy[i] = (struct vring_desc){ .addr = saved->addr,
			.len = saved->length_bytes,
			.flags = saved->flags & CHAIN_FLAGS,
			.next = (uint16_t)(i + 1) };
		entry = saved->next;
	}
	return n;
}

bool packed_put(struct packed *packed, uint16_t id, uint32_t written_bytes)
{
	struct ledger_ring *book = packed->book;
	/* The ring may have started again with fewer slots. */
	if (id >= packed->num || !book->taken[id])
		return false;
	struct vring_packed_desc *desc = &packed->desc[PLACE_SLOT(packed->next_used)];
	unsigned flags = packed->next_used & PACKED_WRAP ? AVAIL_BIT | USED_BIT : 0;
	unsigned n = MIN(book->n_saved[id], packed->num);
	book->returning = id;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n((uint32_t *)&desc->len, written_bytes, __ATOMIC_RELAXED);
	__atomic_store_n((uint16_t *)&desc->id, id, __ATOMIC_RELAXED);
	flags |= written_bytes > 0 ? VRING_DESC_F_WRITE : 0;
	__atomic_store_n((uint16_t *)&desc->flags, (uint16_t)flags, __ATOMIC_RELEASE);
	packed->next_used = advance(packed, packed->next_used, n);
	/* How many slots it has must be known until the place is in the book. */
	__atomic_store_n(&book->taken[id], 0, __ATOMIC_RELEASE);
	__atomic_store_n(&book->used_index, packed->next_used, __ATOMIC_RELEASE);
	__atomic_store_n(&book->returning, LEDGER_NO_CHAIN, __ATOMIC_RELEASE);
	forget(packed, id);
	return true;
}

bool packed_wants_interrupt(const struct packed *packed, uint16_t before, bool event_idx)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	uint32_t event = __atomic_load_n(packed->driver_event, __ATOMIC_RELAXED);
	unsigned flags = event >> 16;
	if (!event_idx || flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	/* Both are counted from the beginning of the round in which `before` is. */
	unsigned old = PLACE_SLOT(before), wanted = PLACE_SLOT((uint16_t)event),
		 now = PLACE_SLOT(packed->next_used);
	if ((event ^ before) & PACKED_WRAP)
		wanted += packed->num;
	if ((packed->next_used ^ before) & PACKED_WRAP)
		now += packed->num;
	return wanted >= old && wanted < now;
}

void packed_want_kicks(struct packed *packed, bool wanted)
{
	uint32_t flag = wanted ? VRING_PACKED_EVENT_FLAG_ENABLE : VRING_PACKED_EVENT_FLAG_DISABLE;
	__atomic_store_n(packed->device_event, flag << 16, __ATOMIC_RELAXED);
}

bool packed_is_blank(const struct packed *packed)
{
	return packed->n_taken == 0 &&
	       memory_is_zero(packed->desc, sizeof(struct vring_packed_desc) * packed->num);
}

void packed_mark(const struct packed *packed, const struct memory *memory, struct dirty_log *log)
{
	memory_mark(memory, log, packed->desc, sizeof(struct vring_packed_desc) * packed->num);
	memory_mark(memory, log, packed->device_event, sizeof(uint32_t));
}
