/* SPDX-License-Identifier: MIT */
/* This file checks whether Mesa is there and reaches the device, and if not, what keeps it away. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest-tools/check/environment.h"
#include "guest-tools/check/groups.h"
#include "guest-tools/check/kernel.h"
#include "guest-tools/check/nodes.h"
#include "guest-tools/check/session.h"
#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

static void run_libraries(struct guest *guest, struct finding *finding)
{
	char missing[128] = "";
	unsigned n = 0;
	for (; gl_libraries[n]; n++)
		if (!gl_library_find(gl_libraries[n], NULL, 0))
			text_append_item(missing, sizeof missing, ", ", gl_libraries[n]);
	if (!missing[0]) {
		finding_pass(finding, "libdrm, GBM, EGL and GLES are there");
		return;
	}
	finding_value(finding, "missing: %s", missing);
	finding_fail(finding, "mesa.library-missing", missing);
}

/*
 * Up to Mesa 24.2 a driver is a file of its own. Later all drivers are in one libgallium, and the
 * old name is only a symbolic link (Mesa 24.3 release notes). LIBGL_DRIVERS_PATH is judged by
 * mesa.environment.
 */
static bool find_driver(char *path, size_t size)
{
	static const char *const patterns[] = { "/usr/lib/*-linux-gnu*/libgallium-*.so",
		"/usr/lib64/libgallium-*.so", "/usr/lib/libgallium-*.so",
		"/usr/lib/*-linux-gnu*/dri/virtio_gpu_dri.so", "/usr/lib64/dri/virtio_gpu_dri.so",
		"/usr/lib/dri/virtio_gpu_dri.so", "/usr/local/lib*/dri/virtio_gpu_dri.so",
		"/usr/local/lib*/*/dri/virtio_gpu_dri.so" };
	for (size_t i = 0; i < ARRAY_LENGTH(patterns); i++) {
		if (text_find_path(patterns[i], path, size) == 0 || access(path, R_OK) != 0)
			continue;
		/* The stub of newer Mesa is no driver without libgallium. */
		char target[PATH_MAX];
		if (realpath(path, target) && strstr(target, "libdril_dri"))
			continue;
		return true;
	}
	return false;
}

static void run_driver_file(struct guest *guest, struct finding *finding)
{
	char path[512];
	if (find_driver(path, sizeof path)) {
		finding_pass(finding, "%s", path);
		return;
	}
	session_gl(guest);
	/*
	 * Mesa before 24.3 reaches virgl through any of its driver files, since they are all the
	 * same file.
	 */
	if (guest->gl.virgl) {
		finding_pass(finding, "not where it is looked for, yet Mesa has it");
		return;
	}
	finding_value(finding, "no virtio_gpu_dri.so and no libgallium");
	finding_fail(finding, "mesa.driver-missing", NULL);
}

static void run_environment(struct guest *guest, struct finding *finding)
{
	struct environment_override found;
	char argument[300];
	if (!environment_find(&found)) {
		finding_pass(finding, "nothing overrides the driver");
		return;
	}
	snprintf(argument, sizeof argument, "%s in %s", found.setting, found.where);
	finding_value(finding, "%s", argument);
	guest->gl.forced_away = found.forced;
	if (found.forced)
		finding_fail(finding, "mesa.environment", argument);
	else
		finding_warn(finding, found.software ? "mesa.environment" : "mesa.version-override",
			argument);
}

/* Fails the finding with the lowest fault that leads to software rendering. */
static void blame_software(const struct guest *guest, struct finding *finding)
{
	static const char *const module_causes[] = {
		[KERNEL_MODULE_LOADED] = "kernel.not-bound",
		[KERNEL_MODULE_BUILT_IN] = "kernel.not-bound",
		[KERNEL_MODULE_IDLE] = "kernel.module-idle",
		[KERNEL_MODULE_BLOCKED] = "kernel.module-blocked",
		[KERNEL_MODULE_NOMODESET] = "kernel.nomodeset",
		[KERNEL_MODULE_MISSING] = "kernel.module-missing",
		[KERNEL_MODULE_TREE_GONE] = "kernel.modules-gone",
	};
	struct environment_override found;
	char text[512];
	if (!guest->gpu_found) {
		finding_fail(finding, "device.none", "no virtio-gpu");
	} else if (guest->gpu_card < 0) {
		enum kernel_module state = kernel_module_state(guest, text, 256);
		finding_fail(finding, module_causes[state], text[0] ? text : guest->kernel);
	} else if (!guest->render_path[0]) {
		finding_fail(finding, "nodes.no-render", NULL);
	} else if (guest->render_error != 0) {
		nodes_blame_render(guest, finding);
	} else if (!guest->params.value[GUEST_PARAM_3D_FEATURES]) {
		finding_fail(finding, "host.no-virgl", NULL);
	} else if (environment_find(&found) && found.software) {
		snprintf(text, sizeof text, "%s in %s", found.setting, found.where);
		finding_fail(finding, "mesa.environment", text);
	} else if (!find_driver(text, sizeof text)) {
		finding_fail(finding, "mesa.driver-missing", NULL);
	} else if (guest->gl.cause[0]) {
		finding_fail(finding, guest->gl.cause,
			guest->gl.missing[0] ? guest->gl.missing : guest->gl.error);
	} else {
		finding_fail(finding, "mesa.software", guest->gl.renderer);
	}
}

static void run_egl(struct guest *guest, struct finding *finding)
{
	session_gl(guest);
	const struct guest_gl *gl = &guest->gl;
	if (gl->cause[0]) {
		finding_value(finding, "%s", gl->error);
		finding_fail(finding, gl->cause, gl->missing[0] ? gl->missing : gl->error);
	} else if (guest->render_error == 0 && guest->render_path[0]) {
		finding_pass(finding, "EGL by %s on %s, OpenGL ES %d.%d", gl->egl_vendor,
			guest->render_path, gl->es_major, gl->es_minor);
	} else {
		finding_value(finding, "EGL by %s works only without a device", gl->egl_vendor);
		blame_software(guest, finding);
	}
}

static void run_renderer(struct guest *guest, struct finding *finding)
{
	session_gl(guest);
	const struct guest_gl *gl = &guest->gl;
	if (!gl->context) {
		finding_value(finding, "no OpenGL at all");
		blame_software(guest, finding);
	} else if (gl->software) {
		finding_value(finding, "%s: the guest's processor draws", gl->renderer);
		blame_software(guest, finding);
	} else if (gl->virgl) {
		finding_pass(finding, "%s, GL %s", gl->renderer, gl->version);
	} else {
		finding_value(finding, "%s", gl->renderer);
		finding_warn(finding, "mesa.other-renderer", gl->renderer);
	}
}

static void run_version(struct guest *guest, struct finding *finding)
{
	session_gl(guest);
	const struct guest_gl *gl = &guest->gl;
	if (gl->mesa_major == 0) {
		finding_skip(finding, gl->context ? "the GL in use is not Mesa" : "no GL context");
		return;
	}
	finding_value(finding, "%d.%d", gl->mesa_major, gl->mesa_minor);
	if (gl->mesa_major * 100 + gl->mesa_minor < 1101)
		finding_fail(finding, "mesa.too-old", finding->value);
}

/*
 * Users reported these pairs as broken. host_feature_check_version is virglrenderer's own count, 3
 * in 0.8 and 4 in 0.9. Mesa 22.2 sends shaders made by NIR-to-TGSI, which those versions cannot
 * always take: see UTM issue 4983 and Clear Linux issue 2732 (black screens, crashes).
 */
static const struct {
	int mesa_from, mesa_to; /* They read major * 100 + minor. */
	unsigned host_features_to;
	const char *what;
} bad_pairs[] = {
	{ 2202, 9999, 4, "Mesa 22.2 or newer with virglrenderer 0.9 or older" },
};

static void run_pair(struct guest *guest, struct finding *finding)
{
	session_gl(guest);
	int mesa = guest->gl.mesa_major * 100 + guest->gl.mesa_minor;
	const struct guest_caps *caps = &guest->caps;
	if (mesa == 0 || !caps->virgl2) {
		finding_skip(finding, mesa ? "the host does not tell its version" : "no Mesa");
		return;
	}
	finding_value(finding, "Mesa %d.%d with host features %u", guest->gl.mesa_major,
		guest->gl.mesa_minor, caps->host_feature_version);
	for (size_t i = 0; i < ARRAY_LENGTH(bad_pairs); i++)
		if (mesa >= bad_pairs[i].mesa_from && mesa <= bad_pairs[i].mesa_to &&
			caps->host_feature_version <= bad_pairs[i].host_features_to)
			finding_warn(finding, "mesa.bad-pair", bad_pairs[i].what);
}

const struct check mesa_checks[] = {
	{ "mesa.libraries", "libraries", 0, CHECK_ROOM_GL, "libdrm, libgbm, libEGL, libGLESv2",
		"Programs find OpenGL through these four.", run_libraries },
	{ "mesa.driver", "driver file", 0, CHECK_ROOM_GL, "virtio_gpu_dri.so or libgallium",
		"Without its driver Mesa falls back to the processor without a word.",
		run_driver_file },
	{ "mesa.environment", "environment", 0, CHECK_ROOM_GL,
		"no variable that picks another driver",
		"A variable set long ago for a test is the commonest reason that only one person's "
		"desktop "
		"is slow.",
		run_environment },
	{ "mesa.egl", "EGL on GBM", 0, CHECK_ROOM_GL, "a display and a context on the render node",
		"This is how desktops and programs open the GPU.", run_egl },
	{ "mesa.renderer", "renderer", 0, CHECK_ROOM_GL, "virgl",
		"llvmpipe and softpipe draw on the guest's processor, about a hundred times "
		"slower.",
		run_renderer },
	{ "mesa.version", "version", 0, CHECK_ROOM_GL, "11.1 or newer",
		"Mesa 11.1 is the first with the virgl driver.", run_version },
	{ "mesa.pair", "Mesa and virglrenderer", CHECK_NEEDS_GL, CHECK_ROOM_GL,
		"no pair known to misbehave",
		"Both ends speak one language, and some releases misunderstood each other.",
		run_pair },
	{ 0 },
};
