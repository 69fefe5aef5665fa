/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/guest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "guest-tools/check/limits.h"
#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"

static void probe_kernel(struct guest *guest)
{
	struct utsname name;
	int major = 0, minor = 0;
	if (uname(&name) != 0)
		return;
	text_copy(guest->kernel, sizeof guest->kernel, name.release);
	if (sscanf(name.release, "%d.%d", &major, &minor) == 2)
		guest->kernel_version = major * 1000 + minor;
	text_read("/proc/cmdline", guest->command_line, sizeof guest->command_line);
}

static bool take_os_name(void *user, const char *line)
{
	struct guest *guest = user;
	static const char key[] = "PRETTY_NAME=";
	if (strncmp(line, key, sizeof key - 1) != 0)
		return true;
	const char *value = line + sizeof key - 1;
	text_copy(guest->os, sizeof guest->os, *value == '"' ? value + 1 : value);
	char *quote = strrchr(guest->os, '"');
	if (quote)
		*quote = 0;
	return false;
}

/* The hypervisor signs in CPUID leaf 0x40000000 on x86, and in the device tree elsewhere. */
static void probe_hypervisor(struct guest *guest)
{
	text_copy(guest->hypervisor, sizeof guest->hypervisor, "none");
#if defined(__x86_64__) || defined(__i386__)
	unsigned a = 0, b = 0, c = 0, d = 0;
	char signature[13] = "";
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 31)))
		return;
	__cpuid(0x40000000, a, b, c, d);
	memcpy(signature, &b, 4);
	memcpy(signature + 4, &c, 4);
	memcpy(signature + 8, &d, 4);
	if (strncmp(signature, "KVMKVMKVM", 9) == 0)
		text_copy(guest->hypervisor, sizeof guest->hypervisor, "KVM");
	else if (strncmp(signature, "TCGTCGTCG", 9) == 0)
		text_copy(guest->hypervisor, sizeof guest->hypervisor, "TCG");
	else
		text_copy(guest->hypervisor, sizeof guest->hypervisor, signature);
#else
	char text[128];
	if (text_read("/proc/device-tree/hypervisor/compatible", text, sizeof text))
		text_copy(guest->hypervisor, sizeof guest->hypervisor,
			strstr(text, "kvm") ? "KVM" : text);
	else if (text_read("/sys/class/dmi/id/sys_vendor", text, sizeof text) &&
		 strstr(text, "QEMU"))
		text_copy(guest->hypervisor, sizeof guest->hypervisor, "QEMU");
#endif
}

static bool probe_screen(void *user, const char *path)
{
	struct guest *guest = user;
	char file[512];
	snprintf(file, sizeof file, "%s/class", path);
	if (text_read_number(file, 0) >> 16 != 0x03 || guest->n_screens == GUEST_SCREENS_MAX)
		return true;
	struct guest_screen *screen = &guest->screens[guest->n_screens++];
	text_copy(screen->slot, sizeof screen->slot, strrchr(path, '/') + 1);
	snprintf(file, sizeof file, "%s/vendor", path);
	screen->vendor = (unsigned)text_read_number(file, 0);
	snprintf(file, sizeof file, "%s/device", path);
	screen->device = (unsigned)text_read_number(file, 0);
	snprintf(file, sizeof file, "%s/boot_vga", path);
	screen->boot_vga = text_read_number(file, 0) == 1;
	snprintf(file, sizeof file, "%s/driver", path);
	text_link_name(file, screen->driver, sizeof screen->driver);
	if (screen->vendor == GUEST_PCI_VENDOR_VIRTIO && screen->device == GUEST_PCI_DEVICE_GPU &&
		!guest->gpu_found) {
		guest->gpu_found = true;
		text_copy(guest->gpu_bus, sizeof guest->gpu_bus, "pci");
		text_copy(guest->gpu_slot, sizeof guest->gpu_slot, screen->slot);
	}
	return true;
}

static uint64_t parse_features(const char *bits)
{
	uint64_t features = 0;
	for (unsigned i = 0; i < 64 && bits[i]; i++)
		if (bits[i] == '1')
			features |= UINT64_C(1) << i;
	return features;
}

static bool probe_virtio_device(void *user, const char *path)
{
	struct guest *guest = user;
	char file[512], text[128], target[PATH_MAX];
	snprintf(file, sizeof file, "%s/device", path);
	if (text_read_number(file, 0) != GUEST_VIRTIO_GPU_TYPE)
		return true;
	guest->gpu_found = true;
	text_copy(guest->gpu_virtio, sizeof guest->gpu_virtio, strrchr(path, '/') + 1);
	snprintf(file, sizeof file, "%s/driver", path);
	text_link_name(file, guest->gpu_driver, sizeof guest->gpu_driver);
	snprintf(file, sizeof file, "%s/features", path);
	if (text_read(file, text, sizeof text))
		guest->gpu_features = parse_features(text);
	if (realpath(path, target)) {
		char *slash = strrchr(target, '/');
		*slash = 0;
		text_copy(guest->gpu_slot, sizeof guest->gpu_slot, strrchr(target, '/') + 1);
		text_copy(guest->gpu_bus, sizeof guest->gpu_bus,
			strstr(target, "/pci") ? "pci" : "mmio");
	}
	return false;
}

/* The virtio device stands between a card and its PCI function, so it is skipped. */
static void find_slot(const char *device_path, char *slot, size_t size)
{
	char target[PATH_MAX];
	slot[0] = 0;
	if (!realpath(device_path, target))
		return;
	char *slash = strrchr(target, '/');
	if (strncmp(slash + 1, "virtio", 6) == 0) {
		*slash = 0;
		slash = strrchr(target, '/');
	}
	text_copy(slot, size, slash + 1);
}

static bool probe_card(void *user, const char *path)
{
	struct guest *guest = user;
	const char *name = strrchr(path, '/') + 1;
	char file[512], found[512];
	if (strchr(name, '-') || guest->n_cards == GUEST_CARDS_MAX)
		return true; /* card0-Virtual-1 is a connector. */
	struct guest_card *card = &guest->cards[guest->n_cards];
	text_copy(card->name, sizeof card->name, name);
	snprintf(file, sizeof file, "%s/device/driver", path);
	text_link_name(file, card->driver, sizeof card->driver);
	snprintf(file, sizeof file, "%s/device", path);
	find_slot(file, card->slot, sizeof card->slot);
	snprintf(file, sizeof file, "%s/device/drm/renderD*", path);
	if (text_find_path(file, found, sizeof found) > 0)
		text_copy(card->render, sizeof card->render, strrchr(found, '/') + 1);
	if (guest->gpu_card < 0 && guest->gpu_found && strcmp(card->slot, guest->gpu_slot) == 0 &&
		strstr(card->driver, "virtio"))
		guest->gpu_card = (int)guest->n_cards;
	guest->n_cards++;
	return true;
}

static int try_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void probe_nodes(struct guest *guest)
{
	const struct passwd *me = getpwuid(guest->uid);
	if (me)
		text_copy(guest->user, sizeof guest->user, me->pw_name);
	else
		snprintf(guest->user, sizeof guest->user, "%u", (unsigned)guest->uid);
	guest->card_error = guest->render_error = ENODEV;
	if (guest->gpu_card < 0)
		return;
	const struct guest_card *card = guest_gpu_card(guest);
	snprintf(guest->card_path, sizeof guest->card_path, "/dev/dri/%s", card->name);
	guest->card_error = try_open(guest->card_path);
	if (!card->render[0])
		return;
	snprintf(guest->render_path, sizeof guest->render_path, "/dev/dri/%s", card->render);
	guest->render_error = try_open(guest->render_path);
	guest_node_group(guest->render_path, guest->render_group, sizeof guest->render_group);
}

static void probe_devices(struct guest *guest)
{
	guest->n_screens = guest->n_cards = 0;
	guest->gpu_card = -1;
	text_each_path("/sys/bus/pci/devices/*", probe_screen, guest);
	text_each_path("/sys/bus/virtio/devices/*", probe_virtio_device, guest);
	text_each_path("/sys/class/drm/card[0-9]*", probe_card, guest);
}

/* Is the driver being loaded, or has udev not given the nodes their rights yet? */
static bool udev_is_busy(void)
{
	char state[16];
	return access("/run/udev/queue", F_OK) == 0 ||
	       (text_read("/sys/module/virtio_gpu/initstate", state, sizeof state) &&
		       strcmp(state, "coming") == 0);
}

/*
 * Soon after boot the devices are not yet what they will be. Gives false when there was nothing to
 * wait for.
 */
static bool wait_for_udev(void)
{
	bool waited = false;
	for (double end_ms = timing_now_ms() + UDEV_WAIT_MS;
		udev_is_busy() && timing_now_ms() < end_ms; waited = true)
		timing_sleep_ms(50);
	return waited;
}

void guest_node_group(const char *path, char *out, size_t size)
{
	struct stat status;
	out[0] = 0;
	if (stat(path, &status) != 0 || status.st_gid == 0 || (status.st_mode & 0060) != 0060)
		return;
	const struct group *group = getgrgid(status.st_gid);
	if (group)
		text_copy(out, size, group->gr_name);
}

void guest_probe(struct guest *guest, bool hands_off)
{
	guest->uid = geteuid();
	guest->root = guest->uid == 0;
	guest->hands_off = hands_off;
	probe_kernel(guest);
	text_each_line("/etc/os-release", take_os_name, guest);
	probe_hypervisor(guest);
	guest->container = access("/run/.containerenv", F_OK) == 0 ||
			   access("/.dockerenv", F_OK) == 0 ||
			   access("/run/systemd/container", F_OK) == 0;
	probe_devices(guest);
	if (guest->gpu_found && wait_for_udev())
		probe_devices(guest);
	probe_nodes(guest);
	guest_probe_driver(guest);
}

const struct guest_card *guest_gpu_card(const struct guest *guest)
{
	assert(guest->gpu_card >= 0 && (size_t)guest->gpu_card < guest->n_cards);
	return &guest->cards[guest->gpu_card];
}

bool guest_has_feature(const struct guest *guest, enum guest_feature feature)
{
	return guest->gpu_features >> feature & 1;
}

bool guest_is_slow(const struct guest *guest)
{
	return strcmp(guest->hypervisor, "KVM") != 0;
}
