/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/keeper/config.h"
#include "server/keeper/device.h"
#include "server/run/image.h"
#include "server/run/kvm.h"
#include "common/listen.h"
#include "server/desktop/options.h"
#include "server/desktop/run_dir.h"

static char *write_file(const char *name, const void *content, size_t length)
{
	g_autofree char *dir = g_dir_make_tmp("vitrine-parts-XXXXXX", NULL);
	char *path = g_build_filename(dir, name, NULL);
	g_assert_true(g_file_set_contents(path, content, (gssize)length, NULL));
	return path;
}

static void remove_file(char *path)
{
	g_autofree char *dir = g_path_get_dirname(path);
	g_unlink(path);
	g_rmdir(dir);
	g_free(path);
}

static void test_config(void)
{
	uint8_t data[32];
	memset(data, 0xee, sizeof(data));
	config_read(3, 12, 8, data);
	const uint8_t expected[9] = { 3, 0, 0, 0, 0, 0, 0, 0, 0xee };
	g_assert_cmpmem(data, 9, expected, 9);
	config_read(3, UINT32_MAX, 4, data);
	g_assert_cmpuint(data[0], ==, 0);
}

struct region_case {
	const char *reason; /* NULL: fits */
	uint64_t guest, user, size, offset;
};

static const struct region_case regions[] = {
	{ NULL, 0x200000, 0x200000, 0x1000, 0 },
	{ NULL, 0x1000, 0x1000, 0x1000, 0xff000 },
	{ "no size", 0x200000, 0x200000, 0, 0 },
	{ "wraps", UINT64_MAX - 10, 0x200000, 0x1000, 0 },
	{ "wraps", 0x200000, UINT64_MAX - 10, 0x1000, 0 },
	{ "wraps", 0x200000, 0x200000, 0x1000, UINT64_MAX - 10 },
	{ "longer", 0x200000, 0x200000, 0x100001, 0 },
	{ "longer", 0x200000, 0x200000, 0x1000, 0xff001 },
	{ "overlap", 0xfff, 0x200000, 2, 0 },
	{ "overlap", 0x200000, 0, 0x1000, 0 },
};

static void test_regions(void)
{
	int fd = memfd_create("guest", 0);
	g_assert_cmpint(ftruncate(fd, 1 << 20), ==, 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
		const struct region_case *c = &regions[i];
		struct device device;
		device_init(&device, false);
		struct device_region first = { 0, 0, 0x1000, 0, dup(fd) };
		g_assert_null(device_add_region(&device, &first));
		struct device_region region = { c->guest, c->user, c->size, c->offset, dup(fd) };
		const char *reason = device_add_region(&device, &region);
		if (c->reason)
			g_assert_true(reason && strstr(reason, c->reason));
		else
			g_assert_null(reason);
		g_assert_cmpuint(device.n_regions, ==, c->reason ? 1 : 2);
		g_assert_true(device_remove_region(&device, &first));
		g_assert_false(device_remove_region(&device, &first));
		device_finish(&device);
	}
	close(fd);
}

static void test_image(void)
{
	uint8_t qcow2[112] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 3 };
	char *plain = write_file("disk.img", "no header", 9);
	char *image = write_file("disk.img", qcow2, sizeof(qcow2));
	qcow2[15] = 104; /* a backing file's name lies there */
	char *suspicious = write_file("disk.img", qcow2, sizeof(qcow2));
	char *named = write_file("disk.qcow2", qcow2, sizeof(qcow2));
	char *raw = write_file("disk.raw", qcow2, sizeof(qcow2));
	qcow2[15] = 0;
	qcow2[79] = 4; /* external data file */
	char *external = write_file("disk", qcow2, sizeof(qcow2));

	g_assert_cmpstr(image_format(plain, NULL, NULL), ==, "raw");
	g_assert_cmpstr(image_format(image, NULL, NULL), ==, "qcow2");
	g_assert_cmpstr(image_format(raw, NULL, NULL), ==, "raw");
	g_assert_cmpstr(image_format(named, NULL, NULL), ==, "qcow2");
	g_assert_null(image_format(suspicious, NULL, NULL));
	g_assert_null(image_format(external, NULL, NULL));
	g_assert_cmpstr(image_format(suspicious, "qcow2", NULL), ==, "qcow2");
	g_assert_null(image_format("/nonexistent/disk", "raw", NULL));

	char *all[] = { plain, image, suspicious, named, raw, external };
	for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
		remove_file(all[i]);
}

static void test_run_dir(void)
{
	g_assert_true(run_dir_name_ok("work-1.a_b"));
	g_assert_false(run_dir_name_ok(""));
	g_assert_false(run_dir_name_ok("../x"));
	g_assert_false(run_dir_name_ok(".x"));
	g_assert_false(run_dir_name_ok("a,b"));

	struct run_dir first, second;
	g_autoptr(GError) error = NULL;
	g_assert_true(run_dir_create(&first, "one", &error));
	struct stat st;
	g_assert_cmpint(stat(first.path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0700);
	g_assert_false(run_dir_create(&second, "one", &error));
	g_assert_nonnull(strstr(error->message, "running already"));
	g_autofree char *path = g_strdup(first.path);
	g_autofree char *file = run_dir_file(&first, "left");
	g_assert_true(g_file_set_contents(file, "x", 1, NULL));
	run_dir_remove(&first);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));

	/* What a killed one left is cleared away, the lock went with it. */
	g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
	g_assert_true(g_file_set_contents(file, "x", 1, NULL));
	g_assert_true(run_dir_create(&first, "one", NULL));
	g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
	run_dir_remove(&first);
}

static void test_listen(void)
{
	g_assert_true(listen_is_loopback("127.0.0.1"));
	g_assert_true(listen_is_loopback("::1"));
	g_assert_false(listen_is_loopback("0.0.0.0"));
	g_assert_false(listen_is_loopback("192.0.2.1"));

	g_autoptr(GError) error = NULL;
	unsigned port = 0, other = 0;
	int first = listen_tcp_range("127.0.0.1", 25900, 25999, &port, &error);
	g_assert_no_error(error);
	g_assert_cmpint(listen_tcp("127.0.0.1", port, &error), ==, -1);
	g_assert_nonnull(strstr(error->message, "in use"));
	int second = listen_tcp_range("127.0.0.1", port, 25999, &other, NULL);
	g_assert_cmpuint(other, >, port);
	close(first);
	close(second);
}

static void test_listen_unix(void)
{
	g_autoptr(GError) error = NULL;
	char *path = write_file("socket", "x", 1);
	/* Not a socket: not ours to remove. */
	g_assert_cmpint(listen_unix(path, NULL), ==, -1);
	g_unlink(path);
	int fd = listen_unix(path, &error);
	g_assert_no_error(error);
	struct stat st;
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
	g_assert_cmpint(listen_unix(path, NULL), ==, -1);
	close(fd);
	fd = listen_unix(path, &error);
	g_assert_no_error(error);
	close(fd);
	remove_file(path);
}

static void test_password(void)
{
	char *good = write_file("password", "secret\nrest", 11);
	char *empty = write_file("password", "\n", 1);
	g_autofree char *text = g_strnfill(61, 'x');
	char *lengthy = write_file("password", text, 61);
	g_autofree char *password = options_read_password(good, NULL);
	g_assert_cmpstr(password, ==, "secret");
	g_assert_null(options_read_password(empty, NULL));
	g_assert_null(options_read_password(lengthy, NULL));
	g_assert_null(options_read_password("/nonexistent", NULL));
	remove_file(good);
	remove_file(empty);
	remove_file(lengthy);
}

/* Whatever this machine's /dev/kvm is: an answer comes soon, and a reason. */
static void test_kvm(void)
{
	const char *reason = NULL;
	int64_t began_us = g_get_monotonic_time();
	bool works = kvm_works(NULL, &reason);
	g_assert_cmpint(g_get_monotonic_time() - began_us, <, 2 * G_USEC_PER_SEC);
	g_assert_nonnull(reason);
	g_test_message("KVM %s: %s", works ? "works" : "does not work", reason);
	g_assert_false(kvm_works("/nonexistent", &reason));
	g_assert_nonnull(strstr(reason, "no /dev/kvm"));
	g_assert_false(kvm_works("/dev/null", &reason));
	g_assert_nonnull(strstr(reason, "no VM"));
}

int main(int argc, char **argv)
{
	g_autofree char *runtime = g_dir_make_tmp("vitrine-parts-XXXXXX", NULL);
	g_setenv("XDG_RUNTIME_DIR", runtime, TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/server/config", test_config);
	g_test_add_func("/server/regions", test_regions);
	g_test_add_func("/server/image", test_image);
	g_test_add_func("/server/run-dir", test_run_dir);
	g_test_add_func("/server/listen/tcp", test_listen);
	g_test_add_func("/server/listen/unix", test_listen_unix);
	g_test_add_func("/server/password", test_password);
	g_test_add_func("/server/kvm", test_kvm);
	int status = g_test_run();
	g_autofree char *base = g_build_filename(runtime, "vitrine", NULL);
	g_rmdir(base);
	g_rmdir(runtime);
	return status;
}
