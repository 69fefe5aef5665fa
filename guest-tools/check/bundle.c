/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-tools/check/kernel.h"
#include "guest-tools/check/limits.h"
#include "guest-tools/check/redact.h"
#include "guest-tools/common/array.h"
#include "guest-tools/common/descriptor.h"
#include "guest-tools/common/tar.h"
#include "guest-tools/common/text.h"

struct member {
	char name[96];
	char *data;
	size_t size_bytes;
};

struct bundle {
	struct member members[BUNDLE_MEMBERS_MAX];
	size_t n_members;
	/* add_file() puts files into this folder of the archive. */
	const char *folder;
};

/* These files are copied as they are, but for what redact.h replaces. */
static const struct {
	const char *folder, *pattern;
} files[] = {
	{ "system", "/etc/os-release" },
	{ "system", "/proc/cmdline" },
	{ "system", "/proc/modules" },
	{ "system", "/proc/interrupts" },
	{ "system", "/proc/bus/input/devices" },
	{ "system", "/proc/asound/cards" },
	{ "modprobe.d", "/etc/modprobe.d/*.conf" },
	{ "xorg", "/etc/X11/xorg.conf" },
	{ "xorg", "/etc/X11/xorg.conf.d/*.conf" },
	{ "xorg", "/var/log/Xorg.0.log" },
	{ "xorg", "/var/log/Xorg.0.log.old" },
};

static void add_member(struct bundle *bundle, const char *name, const char *text)
{
	struct member *member = &bundle->members[bundle->n_members];
	if (bundle->n_members == BUNDLE_MEMBERS_MAX)
		return;
	text_copy(member->name, sizeof member->name, name);
	FILE *memory = open_memstream(&member->data, &member->size_bytes);
	if (!memory)
		return;
	redact_write(memory, text);
	fclose(memory);
	bundle->n_members++;
}

static bool add_file(void *user, const char *path)
{
	struct bundle *bundle = user;
	char name[96];
	char *text = text_load(path, BUNDLE_MEMBER_BYTES_MAX);
	if (!text)
		return true;
	snprintf(name, sizeof name, "%s/%.60s", bundle->folder, strrchr(path, '/') + 1);
	add_member(bundle, name, text);
	free(text);
	return true;
}

static void add_reports(
	struct bundle *bundle, const struct check_results *results, const struct verdict *verdict)
{
	for (int json = 0; json < 2; json++) {
		char *text = NULL;
		size_t size = 0;
		FILE *memory = open_memstream(&text, &size);
		if (!memory)
			return;
		if (json)
			report_json(memory, results, verdict);
		else
			report_text(memory, results, verdict, false);
		fclose(memory);
		add_member(bundle, json ? "check.json" : "check.txt", text);
		free(text);
	}
}

/*
 * Only lines about graphics, virtio and input are taken: the rest of a kernel log is nobody's
 * business.
 */
static bool is_of_interest(const char *line)
{
	static const char *const words[] = { "drm", "virtio", "fbcon", "framebuffer", "fb0", "vga",
		"Linux version", "simple-framebuffer", "efifb", "bochs", "KVM", "Hypervisor",
		"input:" };
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static void add_kernel_log(struct bundle *bundle)
{
	char line[1024], *text = NULL;
	size_t size = 0;
	bool error;
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *memory = kmsg < 0 ? NULL : open_memstream(&text, &size);
	while (memory && kernel_log_next(kmsg, line, sizeof line, &error))
		if (error || is_of_interest(line))
			fprintf(memory, "%s\n", line);
	descriptor_close(kmsg);
	if (!memory)
		return;
	fclose(memory);
	add_member(bundle, "system/kernel-graphics.log", text);
	free(text);
}

/* Adds what a command writes. The commands are fixed, and nothing is passed into them. */
static void add_command(struct bundle *bundle, const char *name, const char *command)
{
	char chunk[4096], *text = NULL;
	size_t size = 0, n;
	FILE *pipe = popen(command, "re");
	FILE *memory = pipe ? open_memstream(&text, &size) : NULL;
	while (memory && (n = fread(chunk, 1, sizeof chunk, pipe)) > 0 &&
		size < BUNDLE_MEMBER_BYTES_MAX)
		fwrite(chunk, 1, n, memory);
	if (pipe)
		pclose(pipe);
	if (!memory)
		return;
	fclose(memory);
	if (size > 0)
		add_member(bundle, name, text);
	free(text);
}

static const struct {
	const char *name, *command;
} commands[] = {
	{ "system/packages.txt",
		"{ dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\\n' 'libgl*' "
		"'libegl*' "
		"'libgbm*' 'libdrm*' 'libgles*' 'mesa*' 'linux-image*' 'xserver-xorg*' 'spice-*' "
		"'qemu-guest-agent' 'vitrine-*' || rpm -qa 'mesa*' 'libdrm*' 'kernel*' 'xorg*' "
		"'spice*' || pacman -Q mesa libdrm linux spice-vdagent; } 2>/dev/null" },
	{ "system/dri.txt",
		"ls -lL /dev/dri /sys/class/virtio-ports /usr/lib/*/dri/virtio_gpu_dri.so "
		"/usr/lib/*/libgallium-* /usr/lib64/dri/virtio_gpu_dri.so 2>/dev/null" },
	{ "system/agent.txt",
		"systemctl show -p Id,LoadState,ActiveState,SubState,UnitFileState "
		"spice-vdagentd.service spice-vdagentd.socket qemu-guest-agent.service "
		"vitrine-guest-check.service 2>/dev/null" },
};

static char *make_contents(const struct bundle *bundle)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	if (!memory)
		return NULL;
	fputs("vitrine-guest-check " VITRINE_VERSION
	      "\nContents (names, addresses and secrets replaced):\n",
		memory);
	for (size_t i = 0; i < bundle->n_members; i++)
		fprintf(memory, "%8zu %s\n", bundle->members[i].size_bytes,
			bundle->members[i].name);
	fclose(memory);
	return text;
}

static bool write_archive(const char *path, const struct bundle *bundle, const char *contents)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		fprintf(stderr, "vitrine-guest-check: %s: %s\n", path, strerror(errno));
		return false;
	}
	bool written = tar_add(file, "CONTENTS", contents, strlen(contents));
	for (size_t i = 0; written && i < bundle->n_members; i++)
		written = tar_add(file, bundle->members[i].name, bundle->members[i].data,
			bundle->members[i].size_bytes);
	written = written && tar_end(file);
	written = fclose(file) == 0 && written;
	if (!written)
		fprintf(stderr, "vitrine-guest-check: %s could not be written whole\n", path);
	return written;
}

bool bundle_write(
	const char *path, const struct check_results *results, const struct verdict *verdict)
{
	struct bundle bundle = { .n_members = 0 };
	add_reports(&bundle, results, verdict);
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
		bundle.folder = files[i].folder;
		text_each_path(files[i].pattern, add_file, &bundle);
	}
	add_kernel_log(&bundle);
	for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
		add_command(&bundle, commands[i].name, commands[i].command);
	char *contents = make_contents(&bundle);
	bool written = contents && write_archive(path, &bundle, contents);
	if (written)
		fputs(contents, stdout);
	free(contents);
	for (size_t i = 0; i < bundle.n_members; i++)
		free(bundle.members[i].data);
	return written;
}
