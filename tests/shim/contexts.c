/* SPDX-License-Identifier: MIT */
#include "tests/shim/contexts.h"

#include "tests/shim/faults.h"
#include "tests/shim/fences.h"

#define CONTEXTS_MAX 4096

static uint8_t fates[CONTEXTS_MAX];
static uint32_t births[CONTEXTS_MAX]; /* control->resets when it was made */
static uint32_t n_contexts, n_submissions;
static int64_t late_ns; /* when the reset comes by `late_guilty`; 0: none does */
static uint32_t late_guilty;

uint32_t contexts_add(void)
{
	pthread_mutex_lock(&shim_lock);
	uint32_t context = n_contexts < CONTEXTS_MAX - 1 ? ++n_contexts : n_contexts;
	fates[context] = CONTEXT_WELL;
	births[context] = __atomic_load_n(&faults_control()->resets, __ATOMIC_ACQUIRE);
	pthread_mutex_unlock(&shim_lock);
	return context;
}

/* Takes one of the resets that the test wants now, if it wants one. */
static bool take_wanted(struct shim_control *control)
{
	uint32_t wanted = __atomic_load_n(&control->resets_wanted, __ATOMIC_ACQUIRE);
	while (wanted > 0) {
		if (__atomic_compare_exchange_n(&control->resets_wanted, &wanted, wanted - 1, false,
			    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return true;
	}
	return false;
}

static bool is_time(uint32_t submission)
{
	const struct faults *faults = faults_get();
	struct shim_control *control = faults_control();
	if (take_wanted(control))
		return true;
	if (faults->once && __atomic_load_n(&control->resets, __ATOMIC_ACQUIRE) > 0)
		return false;
	return submission == faults->reset || submission == faults->reset_innocent ||
	       submission >= faults->reset_always;
}

static void reset(uint32_t submission, uint32_t guilty)
{
	bool nobody = submission == faults_get()->reset_innocent;
	for (uint32_t i = 1; i <= n_contexts; i++) {
		if (fates[i] == CONTEXT_WELL)
			fates[i] = i == guilty && !nobody ? CONTEXT_GUILTY : CONTEXT_INNOCENT;
	}
	/* That of a stall was counted by whoever saw its end first. */
	if (!faults_get()->stalls)
		__atomic_add_fetch(&faults_control()->resets, 1, __ATOMIC_RELEASE);
	faults_log("reset %u context %u %s", submission, guilty, nobody ? "innocent" : "guilty");
}

/* Does, or lets it be done later, what this submission is to do, and returns whether it has. */
static bool reset_by(uint32_t submission, uint32_t context)
{
	uint32_t late_ms = faults_get()->late_ms;
	if (late_ms > 0) {
		late_ns = fences_in_ns(late_ms * 1000000ll);
		late_guilty = context;
		if (faults_get()->stalls)
			fences_stall(late_ns);
		return false;
	}
	reset(submission, context);
	return true;
}

static void reset_late(void)
{
	fences_end_stall();
	if (late_ns == 0 || fences_in_ns(0) < late_ns)
		return;
	late_ns = 0;
	reset(n_submissions, late_guilty);
}

/* With `shared` other processes' resets are seen, too: all use one GPU. */
static enum context_fate get_fate(uint32_t context)
{
	uint32_t resets = __atomic_load_n(&faults_control()->resets, __ATOMIC_ACQUIRE);
	if (faults_get()->shared && fates[context] == CONTEXT_WELL && births[context] != resets)
		fates[context] = CONTEXT_INNOCENT;
	return fates[context];
}

enum context_fate contexts_submit(uint32_t context, bool *is_reset)
{
	pthread_mutex_lock(&shim_lock);
	uint32_t submission = n_submissions++;
	context = context < CONTEXTS_MAX ? context : 0;
	__atomic_add_fetch(&faults_control()->submissions, 1, __ATOMIC_RELAXED);
	reset_late();
	*is_reset = is_time(submission) && reset_by(submission, context);
	enum context_fate fate = get_fate(context);
	pthread_mutex_unlock(&shim_lock);
	fences_begin(submission);
	return fate;
}

enum context_fate contexts_get_fate(uint32_t context)
{
	pthread_mutex_lock(&shim_lock);
	reset_late();
	enum context_fate fate = get_fate(context < CONTEXTS_MAX ? context : 0);
	pthread_mutex_unlock(&shim_lock);
	return fate;
}
