/* SPDX-License-Identifier: MIT */
#include "render/scanout/pacing.h"

#include <glib.h>

#include "common/monotonic.h"

void pacing_flush(struct pacing *pacing, unsigned head, uint32_t refresh_mhz, uint64_t now_ns)
{
	g_assert(head < FRAME_HEADS_MAX);
	struct pacing_head *h = &pacing->heads[head];
	h->period_ns = refresh_mhz ? MONOTONIC_NS_PER_S * 1000 / refresh_mhz : 0;
	if (h->n_drawn == 0)
		return;
	h->n_drawn--;
	h->n_due = MIN(h->n_due + 1, PACING_AHEAD_MAX);
	h->end_ns = MAX(h->end_ns, now_ns) + h->period_ns;
}

void pacing_forget(struct pacing *pacing, unsigned head)
{
	g_assert(head < FRAME_HEADS_MAX);
	pacing->heads[head] = (struct pacing_head){ 0 };
}

static unsigned count_ahead(const struct pacing_head *h, uint64_t now_ns)
{
	unsigned n = 0;
	for (unsigned i = 0; i < PACING_AHEAD_MAX; i++)
		n += h->ahead_ns[i] > now_ns;
	return n;
}

/*
 * Begins the head's next slot. Only pictures that wait count as ahead: this one waits a period
 * longer than they do and no more, even if the schedule says later, as it does when earlier
 * pictures were not held. The schedule is then set back to it.
 */
static void begin_slot(struct pacing_head *h, uint64_t now_ns)
{
	unsigned n_periods = MIN(count_ahead(h, now_ns) + 1, PACING_AHEAD_MAX);
	uint64_t slot_ns = h->end_ns - MIN(h->period_ns, h->end_ns);
	if (h->slot_ns > now_ns)
		slot_ns = MAX(slot_ns, h->slot_ns + h->period_ns);
	h->slot_ns = MIN(slot_ns, now_ns + n_periods * h->period_ns);
	h->end_ns = MIN(h->end_ns, h->slot_ns + h->period_ns);
	if (h->slot_ns <= now_ns)
		return;
	h->ahead_ns[h->next_ahead] = h->slot_ns;
	h->next_ahead = (h->next_ahead + 1) % PACING_AHEAD_MAX;
}

static void draw(struct pacing_head *h, uint64_t now_ns)
{
	h->n_drawn = MIN(h->n_drawn + 1, PACING_AHEAD_MAX);
	if (h->active && h->n_due == 0)
		return;
	h->n_due -= h->active;
	h->active = true;
	begin_slot(h, now_ns);
}

uint64_t pacing_draw_ns(struct pacing *pacing, uint32_t heads, uint64_t now_ns, unsigned *head)
{
	uint64_t first_ns = 0;
	if (pacing->off)
		return 0;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		struct pacing_head *h = &pacing->heads[i];
		if (!(heads & 1u << i))
			continue;
		draw(h, now_ns);
		if (h->slot_ns <= now_ns || (first_ns && h->slot_ns >= first_ns))
			continue;
		first_ns = h->slot_ns;
		*head = i;
	}
	return first_ns;
}
