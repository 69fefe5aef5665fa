/* SPDX-License-Identifier: MIT */
/* This file checks the device as the buses, the connectors and the EDID show it. */
#include <stdio.h>
#include <string.h>

#include "guest-tools/check/groups.h"
#include "guest-tools/check/limits.h"
#include "guest-tools/common/text.h"

static void list_screens(const struct guest *guest, char *out, size_t size)
{
	out[0] = 0;
	for (size_t i = 0; i < guest->n_screens; i++) {
		const struct guest_screen *screen = &guest->screens[i];
		text_append_format(out, size, "%s%04x:%04x at %s", i ? ", " : "", screen->vendor,
			screen->device, screen->slot);
		if (screen->driver[0])
			text_append_format(out, size, " (%s)", screen->driver);
	}
	if (!out[0])
		text_copy(out, size, "no display device at all");
}

static void run_virtio_gpu(struct guest *guest, struct finding *finding)
{
	char screens[256];
	if (guest->gpu_found) {
		finding_pass(finding, "%s %s%s%s", guest->gpu_bus, guest->gpu_slot,
			guest->gpu_virtio[0] ? ", " : "", guest->gpu_virtio);
		return;
	}
	list_screens(guest, screens, sizeof screens);
	finding_value(finding, "none; %s", screens);
	finding_fail(finding, "device.none", screens);
}

static void run_others(struct guest *guest, struct finding *finding)
{
	const struct guest_screen *other = NULL;
	for (size_t i = 0; i < guest->n_screens; i++) {
		const struct guest_screen *screen = &guest->screens[i];
		if (strcmp(screen->slot, guest->gpu_slot) == 0)
			continue;
		if (!other || screen->boot_vga)
			other = screen;
	}
	if (!other) {
		finding_pass(finding, "none");
		return;
	}
	finding_value(finding, "%04x:%04x at %s%s", other->vendor, other->device, other->slot,
		other->boot_vga ? ", the boot display" : "");
	if (other->boot_vga)
		finding_fail(finding, "device.second-vga", other->slot);
	else
		finding_warn(finding, "device.other-display", other->slot);
}

struct connector_count {
	unsigned all, connected;
	char first[128]; /* It is the path of the first connected one. */
	char names[160];
};

static bool count_connector(void *user, const char *path)
{
	struct connector_count *count = user;
	char file[512], status[32];
	snprintf(file, sizeof file, "%s/status", path);
	if (!text_read(file, status, sizeof status))
		return true;
	count->all++;
	if (strcmp(status, "connected") != 0)
		return true;
	if (count->connected++ == 0)
		text_copy(count->first, sizeof count->first, path);
	const char *name = strchr(strrchr(path, '/'), '-');
	text_append_item(count->names, sizeof count->names, ", ", name ? name + 1 : path);
	return true;
}

static struct connector_count count_connectors(const struct guest *guest)
{
	struct connector_count count = { 0 };
	char pattern[64];
	snprintf(pattern, sizeof pattern, "/sys/class/drm/%s-*", guest_gpu_card(guest)->name);
	text_each_path(pattern, count_connector, &count);
	return count;
}

static void run_connectors(struct guest *guest, struct finding *finding)
{
	struct connector_count count = count_connectors(guest);
	if (count.connected > 0) {
		finding_pass(
			finding, "%u of %u connected: %s", count.connected, count.all, count.names);
		return;
	}
	finding_value(finding, "%u, none connected", count.all);
	finding_fail(finding, "device.no-monitor", NULL);
}

static bool first_line(void *user, const char *line)
{
	text_copy(user, 32, line);
	return false;
}

static bool count_line(void *user, const char *line)
{
	++*(unsigned *)user;
	return true;
}

static void run_modes(struct guest *guest, struct finding *finding)
{
	struct connector_count count = count_connectors(guest);
	char file[192], preferred[32] = "";
	unsigned n_modes = 0;
	snprintf(file, sizeof file, "%s/modes", count.first);
	text_each_line(file, count_line, &n_modes);
	text_each_line(file, first_line, preferred);
	if (n_modes > 0) {
		finding_pass(finding, "%s preferred, %u in the list", preferred, n_modes);
		return;
	}
	finding_value(finding, "no modes");
	finding_warn(finding, "device.no-modes", NULL);
}

/* A block begins with the fixed header and sums to 0 (VESA E-EDID 1.4, 3.1 and 3.11). */
static bool edid_valid(const unsigned char *edid, size_t length)
{
	static const unsigned char header[8] = { 0, 255, 255, 255, 255, 255, 255, 0 };
	unsigned char sum = 0;
	if (length < 128 || memcmp(edid, header, sizeof header) != 0)
		return false;
	for (size_t i = 0; i < 128; i++)
		sum = (unsigned char)(sum + edid[i]);
	return sum == 0;
}

static void run_edid(struct guest *guest, struct finding *finding)
{
	struct connector_count count = count_connectors(guest);
	char file[192];
	unsigned char edid[EDID_READ_BYTES_MAX];
	size_t length = 0;
	snprintf(file, sizeof file, "%s/edid", count.first);
	FILE *stream = fopen(file, "re");
	if (stream) {
		length = fread(edid, 1, sizeof edid, stream);
		fclose(stream);
	}
	if (length == 0) {
		bool offered = guest_has_feature(guest, GUEST_FEATURE_EDID);
		finding_value(finding, "none%s", offered ? "" : "; the device does not offer EDID");
		finding_warn(finding,
			guest->kernel_version < 5000 ? "kernel.no-edid" : "device.no-edid", NULL);
	} else if (!edid_valid(edid, length)) {
		finding_value(finding, "%zu bytes, header or checksum wrong", length);
		finding_warn(finding, "device.bad-edid", NULL);
	} else {
		unsigned maker = (unsigned)edid[8] << 8 | edid[9];
		finding_pass(finding, "%zu bytes, valid, from %c%c%c, %u x %u cm", length,
			(char)('@' + (maker >> 10 & 31)), (char)('@' + (maker >> 5 & 31)),
			(char)('@' + (maker & 31)), edid[21], edid[22]);
	}
}

const struct check device_checks[] = {
	{ "device.virtio-gpu", "virtio-gpu device", 0, CHECK_ROOM_SELF,
		"a virtio-gpu function on PCI (1af4:1050) or virtio-mmio (type 16)",
		"Without this device the guest has nothing to send its drawing to.",
		run_virtio_gpu },
	{ "device.others", "other display devices", 0, CHECK_ROOM_SELF, "none",
		"Desktops start on the boot display: a second VGA card takes the desktop away from "
		"the "
		"accelerated one.",
		run_others },
	{ "device.connectors", "connectors", CHECK_NEEDS_CARD, CHECK_ROOM_SELF,
		"at least one connected", "A card without a connected monitor gets no desktop.",
		run_connectors },
	{ "device.modes", "modes", CHECK_NEEDS_CARD, CHECK_ROOM_SELF,
		"a list with a preferred mode", "The desktop's size comes from this list.",
		run_modes },
	{ "device.edid", "EDID", CHECK_NEEDS_CARD, CHECK_ROOM_SELF,
		"a valid block for the first monitor",
		"Without EDID sizes, refresh rate and scaling are guesses, and resizing by the "
		"viewer "
		"works badly.",
		run_edid },
	{ 0 },
};
