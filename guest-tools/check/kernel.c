/* SPDX-License-Identifier: MIT */
/*
 * This file checks whether the virtio_gpu driver is in the kernel, is allowed, is bound, and
 * complains of nothing.
 */
#include "guest-tools/check/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest-tools/check/groups.h"
#include "guest-tools/check/limits.h"
#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

/*
 * Newer kernels brought this to the driver, as their release notes say. Versions read major * 1000
 * + minor.
 */
static const struct {
	int version;
	const char *brings;
} milestones[] = {
	{ 4004, "3D" },
	{ 5000, "EDID, fences as descriptors" },
	{ 5011, "blob resources" },
	{ 5016, "context-init" },
};

static void run_version(struct guest *guest, struct finding *finding)
{
	char brings[128] = "";
	for (size_t i = 0; i < ARRAY_LENGTH(milestones); i++)
		if (guest->kernel_version >= milestones[i].version)
			text_append_item(brings, sizeof brings, ", ", milestones[i].brings);
	if (guest->kernel_version >= GUEST_KERNEL_3D) {
		finding_pass(finding, "%s (%s)", guest->kernel, brings);
		return;
	}
	finding_value(finding, "%s", guest->kernel);
	finding_fail(finding, "kernel.too-old", guest->kernel);
}

struct word_search {
	const char *words[3];
	char where[256];
	const char *path;
	bool found;
};

static bool line_blocks(void *user, const char *line)
{
	struct word_search *search = user;
	line += strspn(line, " \t");
	bool blacklist = strncmp(line, "blacklist", 9) == 0;
	bool install = strncmp(line, "install", 7) == 0 &&
		       (strstr(line, "/false") || strstr(line, "/true"));
	if ((blacklist || install) &&
		(text_has_word(line, "virtio_gpu") || text_has_word(line, "virtio-gpu"))) {
		snprintf(search->where, sizeof search->where, "%s", search->path);
		search->found = true;
	}
	return !search->found;
}

static bool file_blocks(void *user, const char *path)
{
	struct word_search *search = user;
	search->path = path;
	text_each_line(path, line_blocks, search);
	return !search->found;
}

static bool line_names_module(void *user, const char *line)
{
	struct word_search *search = user;
	search->found = strstr(line, "/virtio-gpu.ko") != NULL;
	return !search->found;
}

static bool list_names_module(const char *format, const char *release, bool *readable)
{
	char path[256];
	struct word_search search = { 0 };
	snprintf(path, sizeof path, format, release);
	bool read = text_each_line(path, line_names_module, &search);
	if (readable)
		*readable = read;
	return search.found;
}

static bool blocked_by_command_line(const struct guest *guest, char *where, size_t size)
{
	char words[sizeof guest->command_line];
	text_copy(words, sizeof words, guest->command_line);
	for (char *at = NULL, *word = strtok_r(words, " ", &at); word;
		word = strtok_r(NULL, " ", &at))
		if (strncmp(word, "modprobe.blacklist=", 19) == 0 &&
			(strstr(word, "virtio_gpu") || strstr(word, "virtio-gpu"))) {
			text_copy(where, size, "the kernel command line");
			return true;
		}
	return false;
}

enum kernel_module kernel_module_state(const struct guest *guest, char *where, size_t size)
{
	bool readable;
	struct word_search search = { 0 };
	where[0] = 0;
	if (list_names_module("/lib/modules/%s/modules.builtin", guest->kernel, NULL))
		return text_has_word(guest->command_line, "nomodeset") ? KERNEL_MODULE_NOMODESET :
									 KERNEL_MODULE_BUILT_IN;
	bool there = list_names_module("/lib/modules/%s/modules.dep", guest->kernel, &readable);
	bool loaded = access("/sys/module/virtio_gpu", F_OK) == 0;
	if (!readable && !loaded)
		return KERNEL_MODULE_TREE_GONE;
	if (!there && !loaded)
		return KERNEL_MODULE_MISSING;
	if (text_has_word(guest->command_line, "nomodeset"))
		return KERNEL_MODULE_NOMODESET;
	if (loaded)
		return KERNEL_MODULE_LOADED;
	if (blocked_by_command_line(guest, where, size))
		return KERNEL_MODULE_BLOCKED;
	static const char *const folders[] = { "/etc/modprobe.d/*.conf", "/run/modprobe.d/*.conf",
		"/usr/lib/modprobe.d/*.conf", "/lib/modprobe.d/*.conf" };
	for (size_t i = 0; i < ARRAY_LENGTH(folders) && !search.found; i++)
		text_each_path(folders[i], file_blocks, &search);
	text_copy(where, size, search.where);
	return search.found ? KERNEL_MODULE_BLOCKED : KERNEL_MODULE_IDLE;
}

static const struct {
	const char *name, *cause; /* cause NULL: fine */
} module_states[] = {
	[KERNEL_MODULE_LOADED] = { "loaded", NULL },
	[KERNEL_MODULE_BUILT_IN] = { "built in", NULL },
	[KERNEL_MODULE_IDLE] = { "there, not loaded", "kernel.module-idle" },
	[KERNEL_MODULE_BLOCKED] = { "blocked", "kernel.module-blocked" },
	[KERNEL_MODULE_NOMODESET] = { "refused by nomodeset", "kernel.nomodeset" },
	[KERNEL_MODULE_MISSING] = { "not in this kernel", "kernel.module-missing" },
	[KERNEL_MODULE_TREE_GONE] = { "unknown", "kernel.modules-gone" },
};

static void run_module(struct guest *guest, struct finding *finding)
{
	char where[256];
	enum kernel_module state = kernel_module_state(guest, where, sizeof where);
	const char *cause = module_states[state].cause;
	finding_value(finding, "%s%s%s", module_states[state].name, where[0] ? " by " : "", where);
	if (!cause || guest->gpu_card >= 0)
		finding->status = FINDING_PASS;
	else
		finding_fail(finding, cause, where[0] ? where : guest->kernel);
}

static void run_driver(struct guest *guest, struct finding *finding)
{
	char where[256];
	enum kernel_module state = kernel_module_state(guest, where, sizeof where);
	if (guest->gpu_card >= 0) {
		finding_pass(finding, "%s, %s", guest->gpu_driver, guest_gpu_card(guest)->name);
		return;
	}
	finding_value(finding, "%s",
		guest->gpu_virtio[0] ? "none" : "none, nor one for its bus (virtio_pci)");
	if (module_states[state].cause)
		finding_fail(finding, module_states[state].cause, where[0] ? where : guest->kernel);
	else
		finding_fail(finding, "kernel.not-bound", NULL);
}

static void run_features(struct guest *guest, struct finding *finding)
{
	static const struct {
		enum guest_feature feature;
		const char *name;
	} names[] = {
		{ GUEST_FEATURE_VIRGL, "virgl" },
		{ GUEST_FEATURE_EDID, "edid" },
		{ GUEST_FEATURE_UUID, "uuid" },
		{ GUEST_FEATURE_BLOB, "blob" },
		{ GUEST_FEATURE_CONTEXT_INIT, "context-init" },
	};
	char have[96] = "", lack[96] = "";
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		bool has = guest_has_feature(guest, names[i].feature);
		char *list = has ? have : lack;
		text_append_item(list, sizeof have, " ", names[i].name);
	}
	const char *normal =
		guest_has_feature(guest, GUEST_FEATURE_BLOB) ?
			"" :
			"; normal: this kind of backend has no blob and no context-init";
	finding_value(finding, "%s; without %s%s", have[0] ? have : "none",
		lack[0] ? lack : "nothing",
		guest_has_feature(guest, GUEST_FEATURE_VIRGL) ? normal : "");
	if (!guest_has_feature(guest, GUEST_FEATURE_VIRGL))
		finding_fail(finding,
			guest->kernel_version < GUEST_KERNEL_3D ? "kernel.too-old" :
								  "host.no-virgl",
			guest->kernel);
}

static bool is_gpu_error(const char *line)
{
	if (!strstr(line, "virtio_gpu") && !strstr(line, "virtio-gpu") && !strstr(line, "[drm"))
		return false;
	return strstr(line, "ERROR") || strstr(line, "*ERR") || strstr(line, "response 0x12") ||
	       strstr(line, "failed to") || strstr(line, "timed out") || strstr(line, "hung");
}

bool kernel_log_next(int kmsg, char *line, size_t size, bool *error)
{
	char record[KERNEL_RECORD_BYTES_MAX];
	for (;;) {
		ssize_t n = read(kmsg, record, sizeof record - 1);
		/*
		 * EPIPE says that the record was overwritten meanwhile. The next read goes on
		 * behind it.
		 */
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return false;
		record[n] = 0;
		record[strcspn(record, "\n")] = 0;
		const char *text = strchr(record, ';');
		text_copy(line, size, text ? text + 1 : record);
		*error = is_gpu_error(line);
		return true;
	}
}

static void run_log(struct guest *guest, struct finding *finding)
{
	char line[256], last[200] = "";
	bool error;
	unsigned n_errors = 0;
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0) {
		finding_skip(finding, "the kernel log is closed to this user");
		return;
	}
	while (kernel_log_next(kmsg, line, sizeof line, &error))
		if (error && ++n_errors)
			text_copy(last, sizeof last, line);
	close(kmsg);
	if (n_errors == 0) {
		finding_pass(finding, "no GPU errors");
		return;
	}
	finding_value(finding, "%u GPU errors, last: %s", n_errors, last);
	finding_warn(finding, "kernel.gpu-errors", last);
}

const struct check kernel_checks[] = {
	{ "kernel.version", "version", 0, CHECK_ROOM_SELF, "4.4 or newer",
		"Linux 4.4 is the first whose virtio_gpu driver carries 3D commands.",
		run_version },
	{ "kernel.module", "virtio_gpu driver", CHECK_NEEDS_GPU, CHECK_ROOM_SELF,
		"loaded or built in",
		"Cloud kernels leave all graphics drivers out, and old advice blacklists them.",
		run_module },
	{ "kernel.driver", "driver bound", CHECK_NEEDS_GPU, CHECK_ROOM_SELF,
		"virtio_gpu and a card node", "A device without a driver is no display.",
		run_driver },
	{ "kernel.features", "features agreed", CHECK_NEEDS_CARD, CHECK_ROOM_SELF, "virgl and edid",
		"The virgl feature is how the host says that it executes OpenGL.", run_features },
	{ "kernel.log", "kernel log", 0, CHECK_ROOM_SELF, "no errors of the GPU driver",
		"The driver reports every command that the host refused.", run_log },
	{ 0 },
};
