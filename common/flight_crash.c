/* SPDX-License-Identifier: MIT */
#include "common/flight.h"

#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "common/flight_parts.h"

#define CRASH_STACK_BYTES (64 * 1024)
/* What lies between a handler and what it interrupted: its own frames. */
#define OWN_FRAMES_MAX 8

static void (*saver)(void);

/* Set by g_assert() and its kind. */
extern char *__glib_assert_msg __attribute__((weak));

static void find_place(const ucontext_t *context, uint64_t *pc, uint64_t *sp)
{
#if defined(__x86_64__)
	*pc = (uint64_t)context->uc_mcontext.gregs[REG_RIP];
	*sp = (uint64_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	*pc = context->uc_mcontext.pc;
	*sp = context->uc_mcontext.sp;
#else
	*pc = *sp = 0;
#endif
}

/* Those of the handler itself come first, and are left out. */
static void find_frames(struct flight_stack *stack)
{
	void *frames[FLIGHT_FRAMES_MAX + OWN_FRAMES_MAX];
	int n = backtrace(frames, FLIGHT_FRAMES_MAX + OWN_FRAMES_MAX);
	int first = 0;
	while (first < n && (uint64_t)(uintptr_t)frames[first] != stack->pc)
		first++;
	if (first == n)
		first = 0;
	for (int i = first; i < n && i - first < FLIGHT_FRAMES_MAX; i++)
		stack->frames[stack->n_frames++] = (uint64_t)(uintptr_t)frames[i];
}

/*
 * What is sure is written first: the unwinder reads a stack that may be broken, and a second fault
 * in it ends the process.
 */
static void note_stack(enum flight_stack_kind kind, const siginfo_t *info, const void *context)
{
	struct flight_memory *memory = flight_memory;
	unsigned number = __atomic_fetch_add(&memory->n_stacks_begun, 1, __ATOMIC_RELAXED);
	if (number >= FLIGHT_STACKS_MAX)
		return;
	struct flight_stack *stack = &memory->stacks[number];
	*stack = (struct flight_stack){ .thread = flight_thread_number,
		.signal_number = info ? info->si_signo : 0,
		.signal_code = info ? info->si_code : 0 };
	if (info && info->si_code > 0)
		stack->address = (uint64_t)(uintptr_t)info->si_addr;
	find_place(context, &stack->pc, &stack->sp);
	__atomic_store_n(&stack->kind, kind, __ATOMIC_RELEASE);
	find_frames(stack);
	stack->is_whole = 1;
	__atomic_fetch_add(&memory->n_stacks, 1, __ATOMIC_RELEASE);
}

void flight_note_crash(int signal_number, const void *siginfo, const void *context)
{
	const char *words = &__glib_assert_msg ? __glib_assert_msg : NULL;
	if (signal_number == SIGABRT && words)
		flight_set_text(FLIGHT_TEXT_LAST_WORDS, words);
	note_stack(FLIGHT_STACK_CRASHED, siginfo, context);
	if (saver)
		saver();
}

void flight_set_saver(void (*save)(void))
{
	saver = save;
}

int flight_signal(void)
{
	return SIGRTMAX - 1;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void flight_watch_crashes(void)
{
}

#else

/* A handler of a stack that is full runs on this one; it wants little. */
static char main_stack[CRASH_STACK_BYTES];
static struct sigaction before_us[NSIG];

/*
 * Who handled it before handles it now, such as a test's preloaded library. Else it is raised once
 * more with nobody to handle it, so that the kernel tells our parent the same.
 */
static void on_crash(int signal_number, siginfo_t *info, void *context)
{
	int before = errno;
	const struct sigaction *next = &before_us[signal_number];
	flight_note_crash(signal_number, info, context);
	sigaction(signal_number, next, NULL);
	if (next->sa_flags & SA_SIGINFO)
		next->sa_sigaction(signal_number, info, context);
	else
		raise(signal_number);
	errno = before;
}

/* Who is asked from outside asks the others. */
static void on_asked(int signal_number, siginfo_t *info, void *context)
{
	int before = errno;
	struct flight_memory *memory = flight_memory;
	note_stack(FLIGHT_STACK_ASKED, info, context);
	bool from_outside = info->si_code != SI_TKILL;
	for (unsigned i = 1; from_outside && i < FLIGHT_THREADS_MAX; i++) {
		uint32_t tid = __atomic_load_n(&memory->threads[i].tid, __ATOMIC_ACQUIRE);
		if (tid != 0 && i != flight_thread_number)
			syscall(SYS_tgkill, getpid(), tid, signal_number);
	}
	errno = before;
}

void flight_watch_crashes(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP };
	const stack_t stack = { .ss_sp = main_stack, .ss_size = sizeof(main_stack) };
	struct sigaction action = { .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	void *frames[2];
	/* The first call loads the unwinder, which a handler must not. */
	backtrace(frames, G_N_ELEMENTS(frames));
	sigaltstack(&stack, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(crashes); i++)
		sigaction(crashes[i], &action, &before_us[crashes[i]]);
	action.sa_sigaction = on_asked;
	action.sa_flags |= SA_RESTART;
	sigaction(flight_signal(), &action, NULL);
}

#endif
