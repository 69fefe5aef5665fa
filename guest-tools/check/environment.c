/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

/*
 * This says how far a variable leads away from virgl. Mesa's GBM ignores LIBGL_ALWAYS_SOFTWARE, but
 * X11 and Wayland clients obey it, so what was drawn here does not say what programs get.
 */
enum effect {
	EFFECT_VERSION, /* Mesa reports another version. */
	EFFECT_MAYBE,   /* The driver that it names decides, and is seen when it is tried. */
	EFFECT_FORCED,  /* Programs do not draw on virgl. */
};

/*
 * The variables are from Mesa's docs/envvars.rst and from libglvnd's documentation of EGL vendors.
 */
static const struct {
	const char *name;
	const char *harmless; /* This value changes nothing. It is NULL when every value counts. */
	enum effect effect;
} variables[] = {
	{ "LIBGL_ALWAYS_SOFTWARE", "0", EFFECT_FORCED },
	{ "GALLIUM_DRIVER", "virgl", EFFECT_MAYBE },
	{ "MESA_LOADER_DRIVER_OVERRIDE", "virtio_gpu", EFFECT_FORCED },
	{ "__EGL_VENDOR_LIBRARY_FILENAMES", NULL, EFFECT_MAYBE },
	{ "__EGL_VENDOR_LIBRARY_DIRS", NULL, EFFECT_MAYBE },
	{ "LIBGL_DRIVERS_PATH", NULL, EFFECT_MAYBE },
	{ "GBM_BACKENDS_PATH", NULL, EFFECT_MAYBE },
	{ "GBM_BACKEND", "dri", EFFECT_MAYBE },
	{ "__GLX_VENDOR_LIBRARY_NAME", "mesa", EFFECT_MAYBE },
	{ "MESA_GL_VERSION_OVERRIDE", NULL, EFFECT_VERSION },
	{ "MESA_GLES_VERSION_OVERRIDE", NULL, EFFECT_VERSION },
	{ "DRI_PRIME", "0", EFFECT_VERSION },
};

static const char *const files[] = { "/etc/environment", "/etc/environment.d/*.conf",
	"/usr/lib/environment.d/*.conf", "/etc/profile", "/etc/profile.d/*.sh",
	"/etc/X11/Xsession.d/*", "/etc/bash.bashrc", "/etc/security/pam_env.conf" };
static const char *const home_files[] = { ".profile", ".bash_profile", ".bashrc", ".xsessionrc",
	".xprofile", ".pam_environment", ".config/environment.d/*.conf" };

struct search {
	struct environment_override *found;
	const char *path;
	enum effect effect;
	bool any;
};

static bool is_harmless(size_t index, const char *value)
{
	const char *harmless = variables[index].harmless;
	if (strcmp(variables[index].name, "LIBGL_ALWAYS_SOFTWARE") == 0)
		return !(strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0 ||
			 strcasecmp(value, "yes") == 0 || strcasecmp(value, "y") == 0);
	return value[0] == 0 || (harmless && strcmp(value, harmless) == 0);
}

static void take(struct search *search, size_t index, const char *value)
{
	if (search->any && search->effect >= variables[index].effect)
		return;
	search->any = true;
	search->effect = variables[index].effect;
	search->found->software = search->effect != EFFECT_VERSION;
	search->found->forced = search->effect == EFFECT_FORCED;
	text_copy(search->found->where, sizeof search->found->where, search->path);
	text_copy(search->found->setting, sizeof search->found->setting, variables[index].name);
	text_append_format(search->found->setting, sizeof search->found->setting, "=%s", value);
}

/* A line may read NAME=value, export NAME=value, or NAME DEFAULT=value, as pam_env has it. */
static bool match_line(void *user, const char *line)
{
	struct search *search = user;
	line += strspn(line, " \t");
	if (strncmp(line, "export ", 7) == 0)
		line += 7 + strspn(line + 7, " \t");
	for (size_t i = 0; i < ARRAY_LENGTH(variables); i++) {
		size_t length = strlen(variables[i].name);
		if (strncmp(line, variables[i].name, length) != 0)
			continue;
		const char *at = line + length + strspn(line + length, " \t");
		if (strncmp(at, "DEFAULT", 7) == 0)
			at += 7;
		else if (at != line + length)
			continue;
		if (*at++ != '=')
			continue;
		char value[96];
		at += *at == '"' || *at == '\'';
		text_copy(value, sizeof value, at);
		value[strcspn(value, "\"' \t;#")] = 0;
		if (!is_harmless(i, value))
			take(search, i, value);
	}
	return true;
}

static bool match_file(void *user, const char *path)
{
	struct search *search = user;
	search->path = path;
	text_each_line(path, match_line, search);
	return true;
}

bool environment_find(struct environment_override *found)
{
	struct search search = { .found = found, .path = "this environment" };
	for (size_t i = 0; i < ARRAY_LENGTH(variables); i++) {
		const char *value = getenv(variables[i].name);
		if (value && !is_harmless(i, value))
			take(&search, i, value);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
		text_each_path(files[i], match_file, &search);
	const char *home = getenv("HOME");
	for (size_t i = 0; home && i < ARRAY_LENGTH(home_files); i++) {
		char pattern[512];
		snprintf(pattern, sizeof pattern, "%s/%s", home, home_files[i]);
		text_each_path(pattern, match_file, &search);
	}
	return search.any;
}

bool environment_forces(const char *assignment)
{
	for (size_t i = 0; i < ARRAY_LENGTH(variables); i++) {
		size_t length = strlen(variables[i].name);
		if (variables[i].effect == EFFECT_FORCED &&
			strncmp(assignment, variables[i].name, length) == 0 &&
			assignment[length] == '=')
			return !is_harmless(i, assignment + length + 1);
	}
	return false;
}
