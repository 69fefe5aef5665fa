/* SPDX-License-Identifier: MIT */
/*
 * This file checks what makes a guest a desktop: the agent and its port, the pointer, sound, and
 * the processor.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-tools/check/groups.h"
#include "guest-tools/common/port.h"
#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"
#include "protocol/guest_report.h"

static bool has_port(const char *name)
{
	return port_find(name, NULL, 0);
}

static void run_agent_port(struct guest *guest, struct finding *finding)
{
	if (has_port("com.redhat.spice.0")) {
		finding_pass(finding, "com.redhat.spice.0");
		return;
	}
	finding_value(finding, "no port com.redhat.spice.0");
	finding_fail(finding, "agent.no-port", NULL);
}

static bool is_installed(const char *program)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/bin", "/usr/local/sbin",
		"/usr/local/bin" };
	char path[128];
	for (size_t i = 0; i < ARRAY_LENGTH(folders); i++) {
		snprintf(path, sizeof path, "%s/%s", folders[i], program);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* A unit is masked when it is a link to /dev/null. */
static bool is_masked(const char *unit)
{
	char path[128], target[64];
	snprintf(path, sizeof path, "/etc/systemd/system/%s", unit);
	return text_link_name(path, target, sizeof target) && strcmp(target, "null") == 0;
}

/* The daemon starts when its socket is used, so a listening socket is as good as a process. */
static void run_agent(struct guest *guest, struct finding *finding)
{
	static const char *const units[] = { "spice-vdagentd.service", "spice-vdagentd.socket",
		"spice-vdagent.service" };
	int pid = text_find_process("spice-vdagentd");
	bool socket = access("/run/spice-vdagentd/spice-vdagent-sock", F_OK) == 0 ||
		      access("/var/run/spice-vdagentd/spice-vdagent-sock", F_OK) == 0;
	if (!is_installed("spice-vdagentd")) {
		finding_value(finding, "not installed");
		finding_fail(finding, "agent.not-installed", NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
		if (is_masked(units[i])) {
			finding_value(finding, "%s is masked", units[i]);
			finding_fail(finding, "agent.masked", units[i]);
			return;
		}
	if (pid > 0)
		finding_pass(finding, "spice-vdagentd runs (process %d)", pid);
	else if (socket && has_port("com.redhat.spice.0"))
		finding_pass(finding, "spice-vdagentd waits for a desktop (socket)");
	else if (!has_port("com.redhat.spice.0"))
		finding_skip(finding, "nothing to serve: no agent port");
	else {
		finding_value(finding, "spice-vdagentd is not running");
		finding_fail(finding, "agent.dead", NULL);
	}
}

static void run_ports(struct guest *guest, struct finding *finding)
{
	static const char *const names[] = { "org.spice-space.webdav.0", "org.spice-space.stream.0",
		GUEST_REPORT_PORT };
	char list[160] = "";
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if (has_port(names[i]))
			text_append_item(list, sizeof list, ", ", names[i]);
	finding_pass(finding, "%s",
		list[0] ? list : "none: shared folders, streaming and reports are optional");
}

static void run_guest_agent(struct guest *guest, struct finding *finding)
{
	bool port = has_port("org.qemu.guest_agent.0");
	int pid = text_find_process("qemu-ga");
	if (!port) {
		finding_pass(finding, "no port org.qemu.guest_agent.0: optional");
	} else if (pid > 0) {
		finding_pass(finding, "qemu-ga runs (process %d)", pid);
	} else {
		finding_value(finding, "the port is there, qemu-ga is not running");
		finding_warn(finding, "agent.no-qemu-ga", NULL);
	}
}

/* Who has a data-control protocol; the others' clipboards are reached by way of Xwayland. */
static const struct {
	const char *name;
	bool has_control;
} compositors[] = {
	{ "sway", true },
	{ "labwc", true },
	{ "wayfire", true },
	{ "river", true },
	{ "Hyprland", true },
	{ "kwin_wayland", true },
	{ "cosmic-comp", true },
	{ "gnome-shell", false },
	{ "weston", false },
};

static void run_clipboard(struct guest *guest, struct finding *finding)
{
	/* The kernel cuts names at 15 bytes. */
	int helper = text_find_process("vitrine-guest-c");
	for (size_t i = 0; i < ARRAY_LENGTH(compositors); i++) {
		const char *name = compositors[i].name;
		if (!text_find_process(name))
			continue;
		if (helper > 0) {
			finding_pass(finding, "vitrine-guest-clipboard serves %s (process %d)",
				name, helper);
		} else if (!has_port("com.redhat.spice.0")) {
			finding_skip(finding, "nothing to serve: no agent port");
		} else {
			finding_value(finding, "%s, without vitrine-guest-clipboard", name);
			finding_warn(finding,
				compositors[i].has_control ? "agent.wayland-helper" :
							     "agent.wayland-none",
				name);
		}
		return;
	}
	finding_skip(finding, "no Wayland compositor is running");
}

static void run_audio(struct guest *guest, struct finding *finding)
{
	char cards[256];
	if (text_read("/proc/asound/cards", cards, sizeof cards) &&
		!strstr(cards, "no soundcards")) {
		cards[strcspn(cards, "\n")] = 0;
		finding_pass(finding, "%s", cards + strspn(cards, " "));
		return;
	}
	finding_value(finding, "no sound card");
	finding_warn(finding, "desktop.no-audio", NULL);
}

struct pointer_search {
	char name[96], tablet[96];
};

/*
 * A device's block begins with its name. A line B: ABS= with X and Y (bits 0 and 1) makes it
 * absolute.
 */
static bool input_line(void *user, const char *line)
{
	struct pointer_search *search = user;
	unsigned long bits;
	if (strncmp(line, "N: Name=", 8) == 0) {
		text_copy(search->name, sizeof search->name, line + 8 + (line[8] == '"'));
		search->name[strcspn(search->name, "\"")] = 0;
	} else if (sscanf(line, "B: ABS=%lx", &bits) == 1 && (bits & 3) == 3) {
		/* A vmmouse is absolute, too, but only with a driver of its own in the desktop. */
		if (!strstr(search->name, "VMMouse") && !strstr(search->name, "VMware"))
			text_copy(search->tablet, sizeof search->tablet, search->name);
	}
	return true;
}

static void run_pointer(struct guest *guest, struct finding *finding)
{
	struct pointer_search search = { 0 };
	text_each_line("/proc/bus/input/devices", input_line, &search);
	if (search.tablet[0]) {
		finding_pass(finding, "%s", search.tablet);
		return;
	}
	finding_value(finding, "no tablet: the pointer moves relatively");
	finding_warn(finding, "desktop.no-tablet", NULL);
}

/*
 * GNOME, KDE and others follow what a monitor prefers by themselves. These do not, and have the
 * helper.
 */
static void run_size(struct guest *guest, struct finding *finding)
{
	static const char *const desktops[] = { "sway", "labwc", "wayfire", "river",
		"xfce4-session", "lxsession", "lxqt-session" };
	const char *desktop = NULL;
	int pid = text_find_process("vitrine-resize");
	for (size_t i = 0; !desktop && i < ARRAY_LENGTH(desktops); i++)
		if (text_find_process(desktops[i]) > 0)
			desktop = desktops[i];
	if (pid > 0) {
		finding_pass(finding, "vitrine-guest-resize runs (process %d)", pid);
	} else if (!desktop) {
		finding_skip(finding, "no desktop runs that needs vitrine-guest-resize");
	} else {
		finding_value(finding, "%s runs, and vitrine-guest-resize does not", desktop);
		finding_warn(finding, "desktop.no-resize", desktop);
	}
}

static void run_processor(struct guest *guest, struct finding *finding)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	finding_value(
		finding, "%s, %ld processor%s", guest->hypervisor, cpus, cpus == 1 ? "" : "s");
	if (strcmp(guest->hypervisor, "TCG") == 0)
		finding_warn(finding, "desktop.tcg", NULL);
}

const struct check desktop_checks[] = {
	{ "desktop.agent-port", "agent port", 0, CHECK_ROOM_SELF,
		"virtio-serial port com.redhat.spice.0",
		"Clipboard, file transfer and resizing of several monitors travel here.",
		run_agent_port },
	{ "desktop.agent", "agent", 0, CHECK_ROOM_SELF, "spice-vdagentd runs or waits",
		"The agent is the guest's end of clipboard and resizing.", run_agent },
	{ "desktop.clipboard", "clipboard in Wayland", 0, CHECK_ROOM_SELF,
		"vitrine-guest-clipboard runs",
		"Spice-vdagent is a program of X, and sees only what Xwayland is given.",
		run_clipboard },
	{ "desktop.ports", "other ports", 0, CHECK_ROOM_SELF, "as the host offers",
		"webdav: shared folders; stream: a streaming agent; vitrine: this report.",
		run_ports },
	{ "desktop.guest-agent", "QEMU guest agent", 0, CHECK_ROOM_SELF,
		"runs where the host offers its port",
		"The host uses it to shut down cleanly and for consistent snapshots.",
		run_guest_agent },
	{ "desktop.audio", "sound", 0, CHECK_ROOM_SELF, "a sound card",
		"Sound needs a device, such as virtio-sound or hda.", run_audio },
	{ "desktop.pointer", "pointer", 0, CHECK_ROOM_SELF, "a tablet (virtio or USB)",
		"Only an absolute pointer lies exactly under the viewer's own.", run_pointer },
	{ "desktop.size", "size", 0, CHECK_ROOM_SELF,
		"the desktop follows its monitor's preferred mode",
		"The client's window says which size the desktop has.", run_size },
	{ "desktop.processor", "processor", 0, CHECK_ROOM_SELF, "KVM",
		"Emulated processors are ten to fifty times slower.", run_processor },
	{ 0 },
};
