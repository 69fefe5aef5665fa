/* SPDX-License-Identifier: MIT */
#include "server/command/gpus_missing.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/gpu_report_keys.h"

/* Bit 1 of i915's enable_guc loads the HuC (Linux, i915_params.c). */
#define GUC_HUC 2
#define PCI_CLASS_DISPLAY "0x03"

struct lacks {
	const struct gpu_info *gpu;
	const char *root;
	GPtrArray *lines;
};

static void say(struct lacks *lacks, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say(struct lacks *lacks, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(lacks->lines, g_strdup_vprintf(format, args));
	va_end(args);
}

static char **finish(struct lacks *lacks)
{
	g_ptr_array_add(lacks->lines, NULL);
	return (char **)g_ptr_array_free(lacks->lines, FALSE);
}

/* ---- what there is ---- */

/* NULL: there is no such file, or it may not be read. */
static char *read_file(const char *root, const char *path)
{
	g_autofree char *whole = g_strconcat(root, path, NULL);
	char *text = NULL;
	if (!g_file_get_contents(whole, &text, NULL, NULL))
		return NULL;
	return g_strstrip(text);
}

/*
 * The kernel gives some parameters of modules to root alone; `is_secret` says of one that is NULL
 * that it is such.
 */
static char *read_parameter(const struct lacks *lacks, const char *path, bool *is_secret)
{
	g_autofree char *whole = g_strconcat(lacks->root, path, NULL);
	g_autoptr(GError) error = NULL;
	char *text = NULL;
	*is_secret = false;
	if (g_file_get_contents(whole, &text, NULL, &error))
		return g_strstrip(text);
	*is_secret = g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES) ||
		     g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_PERM);
	return NULL;
}

static bool folder_has(const char *folder, const char *part)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		if (strstr(name, part))
			return true;
	}
	return false;
}

static bool has_firmware(const char *root, const char *folder, const char *part)
{
	static const char *const places[] = { "/lib/firmware", "/usr/lib/firmware" };
	for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_strconcat(root, places[i], "/", folder, NULL);
		if (folder_has(path, part))
			return true;
	}
	return false;
}

/* Libraries lie in /usr/lib64, in /usr/lib, and on Debian in a folder of the machine's kind. */
static bool has_library(const char *root, const char *folder, const char *name)
{
	g_autofree char *lib = g_strconcat(root, "/usr/lib", NULL);
	g_autofree char *lib64 = g_build_filename(root, "usr/lib64", folder, NULL);
	g_autofree char *plain = g_build_filename(lib, folder, NULL);
	g_autoptr(GDir) kinds = g_dir_open(lib, 0, NULL);
	bool found = folder_has(lib64, name) || folder_has(plain, name);
	for (const char *kind; !found && kinds && (kind = g_dir_read_name(kinds));) {
		g_autofree char *path = g_build_filename(lib, kind, folder, NULL);
		found = strchr(kind, '-') && folder_has(path, name);
	}
	return found;
}

static bool works(const struct lacks *lacks)
{
	return g_key_file_get_boolean(lacks->gpu->report, GPU_REPORT_GROUP, "works", NULL);
}

/* ---- each thing ---- */

static void look_at_right(struct lacks *lacks)
{
	struct stat st;
	const char *node = lacks->gpu->node;
	if (access(node, R_OK | W_OK) == 0 || errno != EACCES || stat(node, &st) < 0)
		return;
	const struct group *group = getgrgid(st.st_gid);
	if (group && st.st_gid != 0 && (st.st_mode & 060) == 060)
		say(lacks, "the right to it: adduser USER %s, and log in again", group->gr_name);
	else
		say(lacks, "the right to it: its group may not open it; Debian's udev gives it to "
			   "the group render");
}

/* NVIDIA's GBM makes none without modeset. */
static bool has_buffers(const struct lacks *lacks)
{
	g_auto(GStrv) formats = g_key_file_get_keys(lacks->gpu->report, "scanout", NULL, NULL);
	return formats && formats[0];
}

static void look_at_modeset(struct lacks *lacks)
{
	static const char path[] = "/sys/module/nvidia_drm/parameters/modeset";
	bool is_secret;
	g_autofree char *modeset = read_parameter(lacks, path, &is_secret);
	if (modeset && strcmp(modeset, "N") == 0)
		say(lacks, "modeset of nvidia-drm: \"options nvidia-drm modeset=1\" in "
			   "/etc/modprobe.d/nvidia-drm.conf, update-initramfs -u, and boot again");
	else if (is_secret && !has_buffers(lacks))
		say(lacks,
			"modeset of nvidia-drm, perhaps: only root can read %s, which is to say "
			"Y (\"options nvidia-drm modeset=1\" in "
			"/etc/modprobe.d/nvidia-drm.conf, update-initramfs -u, and boot again)",
			path);
}

static void look_at_nvidia(struct lacks *lacks)
{
	look_at_modeset(lacks);
	if (!has_library(lacks->root, "", "libnvidia-egl-gbm.so"))
		say(lacks, "NVIDIA's GBM, without which pictures are read back: apt install "
			   "libnvidia-egl-gbm1");
	if (!has_library(lacks->root, "", "libnvidia-encode.so"))
		say(lacks, "NVENC, without which the CPU encodes video: apt install "
			   "libnvidia-encode1");
}

/* ---- Intel's HuC ---- */

#define HUC "the HuC, without which the encoder keeps no bit rate"
#define SWITCH_HUC_ON                                                                              \
	"\"options i915 enable_guc=2\" in /etc/modprobe.d/i915.conf, update-initramfs -u, "        \
	"and boot again"

enum huc { HUC_UNTRIED, HUC_SERVES, HUC_LACKS };

/* The low-power encoder offers a bit rate (cbr) where the HuC runs, and nowhere else. */
static enum huc find_huc(const struct gpu_info *gpu)
{
	static const char begun[] = "va-low-power (", controls[] = ", rate control ";
	for (unsigned i = 0; gpu->encoders && gpu->encoders[i]; i++) {
		const char *offered = strstr(gpu->encoders[i], controls);
		if (!g_str_has_prefix(gpu->encoders[i], begun) || !offered)
			continue;
		g_auto(GStrv) parts = g_strsplit(offered, ";", 2);
		return strstr(parts[0], "cbr") ? HUC_SERVES : HUC_LACKS;
	}
	return HUC_UNTRIED;
}

/* Mesa names the generation, as in "Mesa Intel(R) UHD Graphics 620 (KBL GT2)". */
static bool is_generation(const struct lacks *lacks, const char *const *names)
{
	g_autofree char *renderer =
		g_key_file_get_string(lacks->gpu->report, GPU_REPORT_GROUP, "renderer", NULL);
	for (; renderer && *names; names++) {
		g_autofree char *with_more = g_strdup_printf("(%s ", *names);
		g_autofree char *alone = g_strdup_printf("(%s)", *names);
		if (strstr(renderer, with_more) || strstr(renderer, alone))
			return true;
	}
	return false;
}

/* These came before the HuC. */
static const char *const without_huc[] = { "SNB", "IVB", "BYT", "HSW", "BDW", "BSW", "CHV", NULL };

/*
 * On these i915 leaves it off unless it is told (Linux, intel_uc.c, uc_expand_default_options());
 * on later ones it is on.
 */
static const char *const huc_left_off[] = { "SKL", "BXT", "APL", "KBL", "GLK", "CFL", "AML", "WHL",
	"CML", "ICL", "EHL", "JSL", "TGL", "RKL", NULL };

static void look_at_switch(struct lacks *lacks, enum huc huc)
{
	static const char path[] = "/sys/module/i915/parameters/enable_guc";
	bool is_secret;
	g_autofree char *guc = read_parameter(lacks, path, &is_secret);
	/* Negative: the kernel's own choice. */
	gint64 bits = guc ? g_ascii_strtoll(guc, NULL, 10) : -1;
	bool is_told = bits >= 0 && (bits & GUC_HUC);
	bool is_off = bits >= 0 ? !is_told : guc && is_generation(lacks, huc_left_off);
	if (huc == HUC_LACKS && is_told)
		say(lacks, HUC ": dmesg says why it does not start");
	else if (huc == HUC_LACKS || is_off)
		say(lacks, HUC ": " SWITCH_HUC_ON);
	else if (is_secret)
		say(lacks,
			HUC
			", perhaps: only root can read %s, which is to say 2 or 3%s (" SWITCH_HUC_ON
			")",
			path, is_generation(lacks, huc_left_off) ? "" : ", or -1 on this card");
}

static void look_at_huc(struct lacks *lacks, bool is_xe)
{
	enum huc huc = find_huc(lacks->gpu);
	if (huc == HUC_SERVES || is_generation(lacks, without_huc))
		return;
	if (!has_firmware(lacks->root, "i915", "huc") &&
		!(is_xe && has_firmware(lacks->root, "xe", "huc")))
		say(lacks, "the firmware of the HuC, without which the encoder keeps no bit rate: "
			   "apt install firmware-misc-nonfree (Debian 13: "
			   "firmware-intel-graphics)");
	else if (!is_xe)
		look_at_switch(lacks, huc);
	/* It has no switch. */
	else if (huc == HUC_LACKS)
		say(lacks, HUC ": dmesg says why it does not start");
}

static void look_at_intel_driver(struct lacks *lacks)
{
	if (!has_library(lacks->root, "dri", "iHD_drv_video.so"))
		say(lacks, "VA-API, without which the CPU encodes video: apt install "
			   "intel-media-va-driver-non-free");
}

static void look_at_i915(struct lacks *lacks)
{
	look_at_huc(lacks, false);
	look_at_intel_driver(lacks);
}

static void look_at_xe(struct lacks *lacks)
{
	look_at_huc(lacks, true);
	look_at_intel_driver(lacks);
}

/* ---- the others ---- */

static void look_at_amd(struct lacks *lacks)
{
	if (!has_firmware(lacks->root, "amdgpu", ".bin"))
		say(lacks, "the card's firmware: apt install firmware-amd-graphics");
	if (!has_library(lacks->root, "dri", "radeonsi_drv_video.so"))
		say(lacks, "VA-API, without which the CPU encodes video: apt install "
			   "mesa-va-drivers");
}

static void look_at_nouveau(struct lacks *lacks)
{
	if (!works(lacks))
		say(lacks,
			"a driver that draws: nouveau needs firmware of the card's (apt install "
			"firmware-misc-nonfree), or NVIDIA's driver (apt install nvidia-driver)");
}

char **gpus_find_missing(const struct gpu_info *gpu, const char *root)
{
	static const struct {
		const char *driver;
		void (*look)(struct lacks *lacks);
	} drivers[] = {
		{ "nvidia", look_at_nvidia },
		{ "nvidia-drm", look_at_nvidia },
		{ "i915", look_at_i915 },
		{ "xe", look_at_xe },
		{ "amdgpu", look_at_amd },
		{ "nouveau", look_at_nouveau },
	};
	struct lacks lacks = { gpu, root, g_ptr_array_new() };
	if (gpu->node)
		look_at_right(&lacks);
	for (unsigned i = 0; gpu->driver && i < G_N_ELEMENTS(drivers); i++) {
		if (strcmp(gpu->driver, drivers[i].driver) == 0)
			drivers[i].look(&lacks);
	}
	return finish(&lacks);
}

/* ---- cards without a node ---- */

static const char *find_cure(const char *vendor)
{
	static const struct {
		const char *vendor, *cure;
	} cures[] = {
		{ "0x10de", "apt install nvidia-driver, or modprobe nvidia-drm where it is "
			    "installed" },
		{ "0x1002", "apt install firmware-amd-graphics, and modprobe amdgpu" },
		{ "0x8086", "modprobe i915 (of 2024 and later: xe), or a newer kernel" },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cures); i++) {
		if (strcmp(vendor, cures[i].vendor) == 0)
			return cures[i].cure;
	}
	return NULL;
}

static void look_at_card(struct lacks *lacks, const char *name)
{
	g_autofree char *folder = g_strconcat("/sys/bus/pci/devices/", name, NULL);
	g_autofree char *class_path = g_build_filename(folder, "class", NULL);
	g_autofree char *vendor_path = g_build_filename(folder, "vendor", NULL);
	g_autofree char *class = read_file(lacks->root, class_path);
	g_autofree char *vendor = read_file(lacks->root, vendor_path);
	g_autofree char *drm = g_strconcat(lacks->root, folder, "/drm", NULL);
	g_autofree char *driver_path = g_strconcat(lacks->root, folder, "/driver", NULL);
	g_autofree char *driver = g_file_read_link(driver_path, NULL);
	if (!class || !vendor || !g_str_has_prefix(class, PCI_CLASS_DISPLAY) ||
		folder_has(drm, "renderD"))
		return;
	const char *cure = find_cure(vendor);
	g_autofree char *base = driver ? g_path_get_basename(driver) : NULL;
	if (cure)
		say(lacks, "a render node of the graphics card %s (driver: %s): %s", name,
			base ? base : "none", cure);
}

char **gpus_find_idle_cards(const char *root)
{
	struct lacks lacks = { NULL, root, g_ptr_array_new() };
	g_autofree char *path = g_strconcat(root, "/sys/bus/pci/devices", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));)
		look_at_card(&lacks, name);
	return finish(&lacks);
}
