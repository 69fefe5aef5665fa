/* SPDX-License-Identifier: MIT */
#include "server/keeper/blame.h"

#include <glib.h>
#include <string.h>

#include "common/monotonic.h"

/*
 * From this many crashes of one name on new contexts of that name are refused, and from this many
 * of different names all new contexts.
 */
#define REFUSED_FROM 2
#define ALL_REFUSED_FROM 3
/* From this many crashes of whatever name on all contexts but the desktop's own are lost. */
#define UNSEEN_LOST_FROM 4
/* From this many crashes of one name on its other contexts are lost, too. */
#define NAME_LOST_FROM 3

static bool is_nameless(const char name[LEDGER_NAME_BYTES])
{
	return name[0] == '\0';
}

static void copy_name(char to[LEDGER_NAME_BYTES], const char from[LEDGER_NAME_BYTES])
{
	memset(to, 0, LEDGER_NAME_BYTES);
	memcpy(to, from, strnlen(from, LEDGER_NAME_BYTES));
}

static bool is_quiet(const struct blame_record *record, unsigned forget_s, uint64_t now_ns)
{
	uint64_t end_ns = MAX(record->last_ns, record->refused_until_ns);
	return now_ns > end_ns && now_ns - end_ns > forget_s * MONOTONIC_NS_PER_S;
}

static struct blame_record *find(
	struct blame *blame, uint32_t context, const char name[LEDGER_NAME_BYTES])
{
	for (unsigned i = 0; i < BLAME_NAMES_MAX; i++) {
		struct blame_record *r = &blame->names[i];
		if (r->n_crashes > 0 && strncmp(r->name, name, LEDGER_NAME_BYTES) == 0 &&
			(!is_nameless(name) || r->context == context))
			return r;
	}
	return NULL;
}

static struct blame_record *find_oldest(struct blame *blame)
{
	struct blame_record *oldest = &blame->names[0];
	for (unsigned i = 0; i < BLAME_NAMES_MAX; i++) {
		struct blame_record *r = &blame->names[i];
		if (r->n_crashes == 0)
			return r;
		if (MAX(r->last_ns, r->refused_until_ns) <
			MAX(oldest->last_ns, oldest->refused_until_ns))
			oldest = r;
	}
	return oldest;
}

static struct blame_record *find_or_make(
	struct blame *blame, uint32_t context, const char name[LEDGER_NAME_BYTES])
{
	struct blame_record *record = find(blame, context, name);
	if (record)
		return record;
	record = find_oldest(blame);
	*record = (struct blame_record){ .context = is_nameless(name) ? context : 0 };
	copy_name(record->name, name);
	return record;
}

/*
 * Counts a crash, and gives for how many seconds new contexts are refused from now on; 0: they are
 * not.
 */
static unsigned count(
	struct blame_record *record, unsigned refused_from, unsigned forget_s, uint64_t now_ns)
{
	if (is_quiet(record, forget_s, now_ns))
		record->n_crashes = 0;
	record->n_crashes++;
	record->last_ns = now_ns;
	if (record->n_crashes < refused_from)
		return 0;
	unsigned doubled = MIN(record->n_crashes - refused_from, 16);
	unsigned refused_s = MIN(BLAME_REFUSAL_S << doubled, BLAME_REFUSAL_MAX_S);
	record->refused_until_ns = now_ns + refused_s * MONOTONIC_NS_PER_S;
	return refused_s;
}

static bool is_somebodys(const struct heartbeat_said *said)
{
	return said->state == HEARTBEAT_WORKING && said->context != 0;
}

bool blame_find(const struct heartbeat_memory *heartbeat, const struct heartbeat_said *hung_at,
	struct heartbeat_said *at)
{
	struct heartbeat_said gpu = heartbeat_memory_read(heartbeat, HEARTBEAT_GPU);
	bool own_work = is_somebodys(&gpu);
	if (hung_at && !is_somebodys(hung_at))
		return false;
	if (hung_at)
		*at = *hung_at;
	else
		*at = heartbeat_memory_read(heartbeat, HEARTBEAT_GPU_WORK);
	bool unseen = gpu.since_ns < at->since_ns ||
		      gpu.since_ns - at->since_ns < BLAME_UNSEEN_MS * MONOTONIC_NS_PER_MS;
	if (own_work && (!hung_at || unseen))
		*at = gpu;
	return is_somebodys(at);
}

bool blame_find_guilty(const struct heartbeat_memory *heartbeat, struct heartbeat_said *at)
{
	*at = heartbeat_memory_read(heartbeat, HEARTBEAT_GPU);
	return is_somebodys(at);
}

bool blame_count_silent(struct blame *blame, uint64_t now_ns)
{
	return count(&blame->silent, BLAME_SILENT_MAX + 1, BLAME_FORGET_ALL_S, now_ns) > 0;
}

struct blame_judgement blame_judge(struct blame *blame, uint32_t context,
	const char name[LEDGER_NAME_BYTES], bool hung, uint64_t now_ns)
{
	struct blame_record *record = find_or_make(blame, context, name);
	unsigned from = is_nameless(name) ? G_MAXUINT : REFUSED_FROM;
	struct blame_judgement judgement = { 0 };
	judgement.refused_s = count(record, from, BLAME_FORGET_S, now_ns);
	if (record->n_crashes == 1 || is_nameless(name))
		judgement.all_refused_s =
			count(&blame->all, ALL_REFUSED_FROM, BLAME_FORGET_ALL_S, now_ns);
	judgement.lose_unseen =
		count(&blame->storm, UNSEEN_LOST_FROM, BLAME_FORGET_ALL_S, now_ns) > 0;
	judgement.n_crashes = record->n_crashes;
	judgement.lose_context = hung || record->n_crashes >= REFUSED_FROM ||
				 judgement.all_refused_s > 0 || judgement.lose_unseen;
	judgement.lose_name = !is_nameless(name) && record->n_crashes >= NAME_LOST_FROM;
	return judgement;
}

void blame_clear(struct blame *blame)
{
	*blame = (struct blame){ 0 };
}

static bool fill(const struct blame_record *record, struct ledger_refusal *refusal, uint64_t now_ns)
{
	if (record->refused_until_ns <= now_ns)
		return false;
	refusal->until_ns = record->refused_until_ns;
	copy_name(refusal->name, record->name);
	return true;
}

void blame_fill(const struct blame *blame, struct ledger_refusal refusals[LEDGER_REFUSALS_MAX],
	uint64_t now_ns)
{
	unsigned n = 0;
	memset(refusals, 0, LEDGER_REFUSALS_MAX * sizeof(*refusals));
	if (fill(&blame->all, &refusals[n], now_ns))
		refusals[n++].any_name = 1;
	for (unsigned i = 0; i < BLAME_NAMES_MAX; i++)
		n += fill(&blame->names[i], &refusals[n], now_ns);
}

static const char *describe_end(enum worker_end end)
{
	switch (end) {
	case WORKER_HUNG:
		return "the renderer hung in";
	case WORKER_GPU_RESET:
		return "guilty:";
	case WORKER_GPU_LOST:
		return "the GPU was lost, or stood still, again, in";
	default:
		return "the renderer crashed in";
	}
}

void blame_tell(const char *work, enum worker_end end, const struct blame_judgement *j)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (j->lose_context)
		g_string_append(text, j->lose_name ? "; all contexts of that name are lost" :
						     "; the context is lost");
	if (j->refused_s > 0)
		g_string_append_printf(
			text, "; new ones of that name are refused for %u s", j->refused_s);
	if (j->all_refused_s > 0)
		g_string_append_printf(
			text, "; all new contexts are refused for %u s", j->all_refused_s);
	if (j->lose_unseen)
		g_string_append(text, "; all contexts are lost but those that heads have shown");
	g_warning("%s %s, time %u of late%s", describe_end(end), work, j->n_crashes, text->str);
}
