/* SPDX-License-Identifier: MIT */
/* cloud_seed: what --cloud-init says, what is in the files, and that the disk has them. */
#include "server/run/cloud_seed.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE a\"b: #c"

struct fixture {
	char *folder, *keys, *disk;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	f->folder = g_dir_make_tmp("vitrine-seed-XXXXXX", NULL);
	f->keys = g_build_filename(f->folder, "a,b.pub", NULL);
	f->disk = g_build_filename(f->folder, "seed.img", NULL);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_unlink(f->keys);
	g_unlink(f->disk);
	g_assert_cmpint(g_rmdir(f->folder), ==, 0);
	g_free(f->folder);
	g_free(f->keys);
	g_free(f->disk);
}

static bool init(struct fixture *f, struct cloud_seed *seed, const char *user, const char *content,
	GError **error)
{
	g_autofree char *text = g_strdup_printf("user=%s,key=%s", user, f->keys);
	g_assert_true(g_file_set_contents(f->keys, content, -1, NULL));
	return cloud_seed_init(seed, text, error);
}

static void test_data(struct fixture *f, gconstpointer data)
{
	struct cloud_seed seed;
	g_autoptr(GError) error = NULL;
	g_assert_true(init(f, &seed, "ada", "# mine\n\n" KEY "\r\n sk-ecdsa x\n", &error));
	g_assert_no_error(error);
	g_autofree char *user_data = cloud_seed_user_data(&seed);
	g_assert_true(g_str_has_prefix(user_data, "#cloud-config\n{"));
	g_autoptr(JsonParser) parser = json_parser_new();
	g_assert_true(json_parser_load_from_data(parser, strchr(user_data, '\n'), -1, NULL));
	JsonObject *whole = json_node_get_object(json_parser_get_root(parser));
	JsonArray *users = json_object_get_array_member(whole, "users");
	g_assert_cmpuint(json_array_get_length(users), ==, 1);
	JsonObject *user = json_array_get_object_element(users, 0);
	g_assert_cmpstr(json_object_get_string_member(user, "name"), ==, "ada");
	JsonArray *keys = json_object_get_array_member(user, "ssh_authorized_keys");
	g_assert_cmpuint(json_array_get_length(keys), ==, 2);
	g_assert_cmpstr(json_array_get_string_element(keys, 0), ==, KEY);
	g_assert_cmpstr(json_array_get_string_element(keys, 1), ==, "sk-ecdsa x");

	/* It is the same machine until user or keys are others. */
	g_autofree char *one = cloud_seed_meta_data(&seed, "my_work.2");
	g_autofree char *again = cloud_seed_meta_data(&seed, "my_work.2");
	g_assert_nonnull(strstr(one, "local-hostname: my-work-2\n"));
	g_assert_cmpstr(one, ==, again);
	cloud_seed_finish(&seed);
	g_assert_true(init(f, &seed, "ada", "ssh-rsa other\n", &error));
	g_autofree char *other = cloud_seed_meta_data(&seed, "my_work.2");
	g_assert_cmpstr(one, !=, other);
	cloud_seed_finish(&seed);
}

static void test_refused(struct fixture *f, gconstpointer data)
{
	const struct {
		const char *user, *content, *reason;
	} wrong[] = {
		{ "", KEY, "can be no user" },
		{ "Ada", KEY, "can be no user" },
		{ "-a", KEY, "can be no user" },
		{ "a:b", KEY, "can be no user" },
		{ "a-name-that-is-longer-than-useradds", KEY, "can be no user" },
		{ "ada", "", "no public key" },
		{ "ada", "hello\n", "no public key" },
		{ "ada", "-----BEGIN OPENSSH PRIVATE KEY-----\nssh-\n", "is a private key" },
		{ "ada", "ssh-rsa \xff\n", "no file of public keys" },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		struct cloud_seed seed;
		g_autoptr(GError) error = NULL;
		g_assert_false(init(f, &seed, wrong[i].user, wrong[i].content, &error));
		g_assert_nonnull(strstr(error->message, wrong[i].reason));
		cloud_seed_finish(&seed);
	}
	const char *const texts[] = { "", "ada", "user=ada", "key=/x", "user=ada,key=/no/such" };
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct cloud_seed seed;
		g_autoptr(GError) error = NULL;
		g_assert_false(cloud_seed_init(&seed, texts[i], &error));
		g_assert_nonnull(error);
		cloud_seed_finish(&seed);
	}
	struct cloud_seed none;
	g_assert_true(cloud_seed_init(&none, NULL, NULL));
	g_assert_null(none.user);
	cloud_seed_finish(&none);
}

/* mtools read back what they were given, under the name by which cloud-init finds it. */
static void test_disk(struct fixture *f, gconstpointer data)
{
	struct cloud_seed seed;
	g_autoptr(GError) error = NULL;
	g_autofree char *mtype = g_find_program_in_path("mtype");
	if (!mtype) {
		g_test_skip("mtools are missing");
		return;
	}
	g_assert_true(init(f, &seed, "ada", KEY "\n", &error));
	g_assert_true(cloud_seed_make(&seed, "work", f->disk, &error));
	g_assert_no_error(error);
	char *argv[] = { mtype, (char *)"-i", f->disk, (char *)"::user-data", NULL };
	g_autofree char *read = NULL;
	g_autofree char *wanted = cloud_seed_user_data(&seed);
	g_assert_true(g_spawn_sync(
		NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &read, NULL, NULL, &error));
	g_assert_cmpstr(read, ==, wanted);
	g_autofree char *disk = NULL;
	gsize length;
	g_assert_true(g_file_get_contents(f->disk, &disk, &length, NULL));
	g_assert_cmpuint(length, ==, 1440 * 1024);
	g_assert_nonnull(memmem(disk, length, "CIDATA     ", 11));
	cloud_seed_finish(&seed);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/cloud-seed/data", struct fixture, NULL, set_up, test_data, tear_down);
	g_test_add("/cloud-seed/refused", struct fixture, NULL, set_up, test_refused, tear_down);
	g_test_add("/cloud-seed/disk", struct fixture, NULL, set_up, test_disk, tear_down);
	return g_test_run();
}
