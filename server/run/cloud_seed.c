/* SPDX-License-Identifier: MIT */
#include "server/run/cloud_seed.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "server/desktop/desktop.h"
#include "server/run/limits.h"

#define USAGE "user=NAME,key=FILE"

/* As useradd(8) has it; cloud-init calls that. */
static bool is_user_name(const char *name)
{
	size_t length = strlen(name);
	if (length == 0 || length > 32 || !(g_ascii_islower(name[0]) || name[0] == '_'))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!g_ascii_islower(name[i]) && !g_ascii_isdigit(name[i]) &&
			!strchr("_-", name[i]))
			return false;
	}
	return true;
}

/* A key's line begins with its kind, or with options before that (sshd(8)). */
static bool is_key(const char *key)
{
	return strstr(key, "ssh-") || strstr(key, "ecdsa-") || strstr(key, "sk-");
}

/* Somebody gives the wrong one of two files now and then; it is not put on a disk for the guest. */
static bool read_keys(struct cloud_seed *seed, const char *path, GError **error)
{
	gsize length;
	if (!g_file_get_contents(path, &seed->keys, &length, error)) {
		g_prefix_error(error, "--cloud-init: ");
		return false;
	}
	if (length > CLOUD_KEYS_MAX_BYTES || strlen(seed->keys) != length ||
		!g_utf8_validate(seed->keys, -1, NULL))
		return desktop_fail(error, "--cloud-init: %s is no file of public keys", path);
	if (strstr(seed->keys, "PRIVATE KEY"))
		return desktop_fail(error,
			"--cloud-init: %s is a private key: give the file beside it that ends in "
			".pub",
			path);
	return is_key(seed->keys) ||
	       desktop_fail(error, "--cloud-init: %s has no public key of SSH", path);
}

bool cloud_seed_init(struct cloud_seed *seed, const char *text, GError **error)
{
	static const char user[] = "user=", key[] = ",key=";
	*seed = (struct cloud_seed){ 0 };
	if (!text)
		return true;
	const char *at = strstr(text, key);
	if (!g_str_has_prefix(text, user) || !at)
		return desktop_fail(error, "--cloud-init=%s: is not " USAGE, text);
	seed->user = g_strndup(text + strlen(user), (size_t)(at - text) - strlen(user));
	if (!is_user_name(seed->user))
		return desktop_fail(error,
			"--cloud-init: \"%s\" can be no user: lower-case letters, digits, \"-\" "
			"and "
			"\"_\", 32 at most",
			seed->user);
	return read_keys(seed, at + strlen(key), error);
}

void cloud_seed_finish(struct cloud_seed *seed)
{
	g_clear_pointer(&seed->user, g_free);
	g_clear_pointer(&seed->keys, g_free);
}

static void add_text(JsonBuilder *json, const char *name, const char *value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_string_value(json, value);
}

static void add_keys(JsonBuilder *json, const char *text)
{
	g_auto(GStrv) keys = g_strsplit_set(text, "\r\n", -1);
	json_builder_set_member_name(json, "ssh_authorized_keys");
	json_builder_begin_array(json);
	for (unsigned i = 0; keys[i]; i++) {
		const char *key = g_strstrip(keys[i]);
		if (*key && *key != '#')
			json_builder_add_string_value(json, key);
	}
	json_builder_end_array(json);
}

/* JSON is YAML, too, and has no value that could be taken for something else. */
char *cloud_seed_user_data(const struct cloud_seed *seed)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	json_builder_begin_object(json);
	json_builder_set_member_name(json, "users");
	json_builder_begin_array(json);
	json_builder_begin_object(json);
	add_text(json, "name", seed->user);
	add_text(json, "shell", "/bin/bash");
	add_text(json, "sudo", "ALL=(ALL) NOPASSWD:ALL");
	json_builder_set_member_name(json, "lock_passwd");
	json_builder_add_boolean_value(json, TRUE);
	add_keys(json, seed->keys);
	json_builder_end_object(json);
	json_builder_end_array(json);
	json_builder_end_object(json);
	g_autoptr(JsonNode) root = json_builder_get_root(json);
	g_autofree char *text = json_to_string(root, TRUE);
	return g_strconcat("#cloud-config\n", text, "\n", NULL);
}

char *cloud_seed_meta_data(const struct cloud_seed *seed, const char *name)
{
	g_autofree char *host = g_strdup(name);
	g_autofree char *data = cloud_seed_user_data(seed);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, data, -1);
	g_strcanon(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", '-');
	return g_strdup_printf(
		"instance-id: vitrine-%s-%.16s\nlocal-hostname: %s\n", host, sum, host);
}

/* ---- the disk ---- */

static bool run(char *const *argv, GError **error)
{
	int status;
	g_autofree char *said = NULL;
	if (!g_spawn_sync(NULL, (char **)argv, NULL,
		    G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said,
		    &status, error)) {
		g_prefix_error(
			error, "--cloud-init needs mtools (on Debian: apt install mtools): ");
		return false;
	}
	return g_spawn_check_wait_status(status, NULL) ||
	       desktop_fail(error, "--cloud-init: %s: %s", argv[0], said);
}

static bool copy_in(
	const char *disk, const char *folder, const char *name, const char *content, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *to = g_strconcat("::", name, NULL);
	char *argv[] = { (char *)"mcopy", (char *)"-i", (char *)disk, path, to, NULL };
	bool copied = g_file_set_contents(path, content, -1, error) && run(argv, error);
	g_unlink(path);
	return copied;
}

/* It is as large as a floppy disk, the smallest that mtools know by a number. */
bool cloud_seed_make(
	const struct cloud_seed *seed, const char *name, const char *path, GError **error)
{
	if (!g_utf8_validate(path, -1, NULL))
		return desktop_fail(
			error, "--cloud-init: %s is not UTF-8, as what QEMU is told must be", path);
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *user_data = cloud_seed_user_data(seed);
	g_autofree char *meta_data = cloud_seed_meta_data(seed, name);
	char *format[] = { (char *)"mformat", (char *)"-i", (char *)path, (char *)"-C",
		(char *)"-f", (char *)"1440", (char *)"-v", (char *)"CIDATA", (char *)"::", NULL };
	return run(format, error) && copy_in(path, folder, "user-data", user_data, error) &&
	       copy_in(path, folder, "meta-data", meta_data, error);
}
