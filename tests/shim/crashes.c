/* SPDX-License-Identifier: MIT */
/*
 * Where the card does not answer Mesa's drivers may crash, which is their affair. That must be a
 * signal, as it is without sanitizers, and no report of AddressSanitizer's. What crashes in our own
 * code, or in virglrenderer, is a report all the same, and without sanitizers a line (shim.h).
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/shim/faults.h"

#define DEPTH 24

static const int numbers[] = { SIGSEGV, SIGBUS, SIGFPE };
#define N_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static struct sigaction before[N_NUMBERS];

static const char *find_module(const void *address)
{
	Dl_info info;
	return dladdr(address, &info) ? info.dli_fname : NULL;
}

static bool has_one_of(const char *module, const char *const *names)
{
	const char *slash = module ? strrchr(module, '/') : NULL;
	for (; slash && *names; names++) {
		if (strstr(slash, *names))
			return true;
	}
	return false;
}

/* Nobody's: it was called with what it must not be called with. */
static bool is_called_by_all(const char *module)
{
	static const char *const names[] = { "/libc.", "/libm.", "/libasan.", "/libtsan.",
		"/libubsan.", "/libstdc++.", NULL };
	return has_one_of(module, names);
}

static bool is_driver(const char *module)
{
	static const char *const names[] = { "_dri.so", "dri_gbm.so", "/libgallium", "/libglapi",
		"/libEGL_mesa", "/libgbm.", "/libdrm", "_drm_shim.so", NULL };
	return has_one_of(module, names);
}

/* Returns the module that faulted: the first that is somebody's, from the fault outwards. */
static const char *find_culprit(const ucontext_t *context)
{
#ifdef __x86_64__
	const void *at = (const void *)context->uc_mcontext.gregs[REG_RIP];
	/* A call to nowhere: it is the caller's. */
	if (!find_module(at))
		at = *(const void **)context->uc_mcontext.gregs[REG_RSP];
	void *frames[DEPTH];
	int n = backtrace(frames, DEPTH), i = 0;
	while (i < n && frames[i] != at)
		i++;
	const char *module = find_module(at);
	for (; i < n && is_called_by_all(module); i++)
		module = find_module(frames[i]);
	return module;
#else
	(void)context;
	return NULL;
#endif
}

/* Mesa's driver for NVIDIA goes on with what a reset has refused, and falls over it. */
static bool may_crash(void)
{
	const struct faults *faults = faults_get();
	struct shim_control *control = faults_control();
	return faults->gone != SHIM_NEVER || __atomic_load_n(&control->is_gone, __ATOMIC_ACQUIRE) ||
	       (faults->driver == SHIM_NOUVEAU &&
		       __atomic_load_n(&control->resets, __ATOMIC_ACQUIRE) > 0);
}

/* It happens again when this returns, and then is what it would have been, or ends the process. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	static const struct sigaction ends = { .sa_handler = SIG_DFL };
	char line[512];
	const char *culprit = find_culprit(context);
	bool is_borne = may_crash() && is_driver(culprit);
	int n = snprintf(line, sizeof(line), "shim: signal %d in %s%s\n", number,
		culprit ? culprit : "nobody knows what",
		is_borne ? ", whose card does not answer" : ": " SHIM_CRASH);
	if (n > 0 && n < (int)sizeof(line) && write(STDERR_FILENO, line, (size_t)n) < 0)
		is_borne = false;
	for (size_t i = 0; i < N_NUMBERS; i++) {
		if (numbers[i] == number)
			sigaction(number, is_borne ? &ends : &before[i], NULL);
	}
	/* That of kill() does not. */
	if (info->si_code <= 0)
		raise(number);
}

__attribute__((constructor)) static void crashes_start(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	void *frames[1];
	/* Its first call loads a library, which later there is no right to. */
	backtrace(frames, 1);
	action.sa_sigaction = on_fault;
	for (size_t i = 0; i < N_NUMBERS; i++)
		sigaction(numbers[i], &action, &before[i]);
}
