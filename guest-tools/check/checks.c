/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/check.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-tools/check/groups.h"
#include "guest-tools/check/limits.h"
#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"

const struct check_group check_groups[] = {
	{ "device", "Device", device_checks },
	{ "kernel", "Kernel", kernel_checks },
	{ "nodes", "Nodes and rights", nodes_checks },
	{ "ioctl", "Driver", ioctl_checks },
	{ "mesa", "Mesa", mesa_checks },
	{ "truth", "Truth", truth_checks },
	{ "kms", "Display", kms_checks },
	{ "server", "Display server", server_checks },
	{ "desktop", "Desktop", desktop_checks },
};
const size_t check_groups_length = ARRAY_LENGTH(check_groups);

const struct check *check_at(size_t index)
{
	for (size_t i = 0; i < check_groups_length; i++)
		for (const struct check *check = check_groups[i].checks; check->id; check++)
			if (index-- == 0)
				return check;
	return NULL;
}

const struct check *check_find(const char *id)
{
	const struct check *check;
	for (size_t i = 0; (check = check_at(i)); i++)
		if (strcmp(check->id, id) == 0)
			return check;
	return NULL;
}

bool check_selected(const char *id, const char *list)
{
	if (!list || !list[0])
		return true;
	size_t group_length = strcspn(id, ".");
	while (*list) {
		size_t length = strcspn(list, ",");
		bool whole = length == strlen(id) && strncmp(list, id, length) == 0;
		bool group = length == group_length && strncmp(list, id, length) == 0;
		if (whole || group)
			return true;
		list += length;
		list += *list == ',';
	}
	return false;
}

static bool has_card(const struct guest *guest)
{
	return guest->gpu_card >= 0;
}

static const struct {
	unsigned need;
	const char *missing;
} needs[] = {
	{ CHECK_NEEDS_GPU, "no virtio-gpu device" },
	{ CHECK_NEEDS_CARD, "no driver is bound to the virtio-gpu device" },
	{ CHECK_NEEDS_OPEN_CARD, "this user may not open the card node" },
	{ CHECK_NEEDS_RENDER, "this user cannot open a render node" },
	{ CHECK_NEEDS_3D, "the host offers no 3D" },
	{ CHECK_NEEDS_GL, "no accelerated GL context: nothing to prove" },
	{ CHECK_NEEDS_SCREEN, "asked to keep its hands off the display" },
	{ CHECK_NEEDS_ROOT, "needs root" },
};

static unsigned unmet_needs(const struct guest *guest, unsigned wanted)
{
	unsigned met = 0;
	met |= guest->gpu_found ? CHECK_NEEDS_GPU : 0;
	met |= has_card(guest) ? CHECK_NEEDS_CARD : 0;
	met |= has_card(guest) && guest->card_error == 0 ? CHECK_NEEDS_OPEN_CARD : 0;
	met |= guest->render_path[0] && guest->render_error == 0 ? CHECK_NEEDS_RENDER : 0;
	met |= guest->params.value[GUEST_PARAM_3D_FEATURES] ? CHECK_NEEDS_3D : 0;
	met |= guest->gl.context && !guest->gl.software ? CHECK_NEEDS_GL : 0;
	met |= !guest->hands_off ? CHECK_NEEDS_SCREEN : 0;
	met |= guest->root ? CHECK_NEEDS_ROOT : 0;
	return wanted & ~met;
}

static void run_one(struct check_results *results, size_t index)
{
	const struct check *check = check_at(index);
	struct finding *finding = &results->findings[index];
	double begin_ms = timing_now_ms();
	assert(!finding->done);
	results->current = index;
	unsigned unmet = unmet_needs(&results->guest, check->needs);
	for (size_t i = 0; unmet && i < ARRAY_LENGTH(needs); i++) {
		if (!(unmet & needs[i].need))
			continue;
		finding_skip(finding, "%s", needs[i].missing);
		break;
	}
	if (!unmet)
		check->run(&results->guest, finding);
	finding->duration_ms = timing_now_ms() - begin_ms;
	finding->done = true;
}

static int wait_with_limit(pid_t pid, int limit_ms)
{
	int status = 0;
	for (double end_ms = timing_now_ms() + limit_ms; timing_now_ms() < end_ms;) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		timing_sleep_ms(5);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return status;
}

static void blame(struct check_results *results, int status, size_t end)
{
	struct finding *finding = &results->findings[results->current];
	char how[64];
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		text_copy(how, sizeof how, "it did not come back in time");
	else if (WIFSIGNALED(status))
		snprintf(how, sizeof how, "signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		snprintf(how, sizeof how, "it ended with status %d", WEXITSTATUS(status));
	finding_value(finding, "%s", how);
	finding_fail(finding, "mesa.crash", how);
	finding->done = true;
	for (size_t i = results->current + 1; i < end; i++)
		if (results->selected[i] && !results->findings[i].done) {
			finding_skip(
				&results->findings[i], "the process that tests this died before");
			results->findings[i].done = true;
		}
}

/* Runs checks [begin, end) of one room in a child process, while the parent only waits. */
static void run_room(struct check_results *results, size_t begin, size_t end)
{
	fflush(NULL);
	results->current = begin;
	pid_t pid = fork();
	if (pid == 0) {
		for (size_t i = begin; i < end; i++)
			if (results->selected[i])
				run_one(results, i);
		_exit(0);
	}
	if (pid < 0)
		return;
	int status = wait_with_limit(pid, guest_is_slow(&results->guest) ? ROOM_SLOW_MS : ROOM_MS);
	if (status != 0)
		blame(results, status, end);
}

struct check_results *check_run(const char *only, bool hands_off)
{
	struct check_results *results = mmap(
		NULL, sizeof *results, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		return NULL;
	double begin_ms = timing_now_ms();
	guest_probe(&results->guest, hands_off);
	const struct check *check;
	for (size_t i = 0; (check = check_at(i)); i++) {
		assert(i < CHECKS_MAX && check_find(check->id) == check);
		results->selected[i] = check_selected(check->id, only);
	}
	for (size_t i = 0; (check = check_at(i));) {
		size_t end = i + 1;
		bool any = results->selected[i];
		while (check->room != CHECK_ROOM_SELF && check_at(end) &&
			check_at(end)->room == check->room)
			any |= results->selected[end++];
		if (any && check->room == CHECK_ROOM_SELF)
			run_one(results, i);
		else if (any)
			run_room(results, i, end);
		i = end;
	}
	results->duration_ms = timing_now_ms() - begin_ms;
	return results;
}
