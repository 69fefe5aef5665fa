/* SPDX-License-Identifier: MIT */
/*
 * commands: starts the programs as people do; each mistake ends at once, with a status and a
 * reason.
 */
#include <fcntl.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/listen.h"
#include "tests/client/certificate.h"

struct mistake {
	const char *name;
	const char *program; /* the variable that names it */
	const char *arguments;
	const char *reason;
};

static const struct mistake mistakes[] = {
	{ "connect/no-viewer", "VITRINE", "connect --viewer=/nonexistent work",
		"there is no /nonexistent here (on Debian: apt install virt-viewer)" },
	{ "connect/no-desktop", "VITRINE", "connect --viewer=true no-such-desktop",
		"no desktop named \"no-such-desktop\"" },
	{ "gpu/nothing", "VITRINE_GPU", "", "give one of" },
	{ "gpu/both", "VITRINE_GPU", "--fd=0 --socket-path=/tmp/x", "give one of" },
	{ "gpu/closed-fd", "VITRINE_GPU", "--fd=77", "--fd=77 is not open" },
	{ "gpu/unknown", "VITRINE_GPU", "--fd=0 --foo", "Unknown option" },
	{ "gpu/argument", "VITRINE_GPU", "--fd=0 foo", "unexpected argument foo" },
	{ "gpu/port", "VITRINE_GPU", "--fd=0 --spice-port=70000", "not a port" },
	{ "gpu/address", "VITRINE_GPU", "--fd=0 --spice-addr=0.0.0.0 --spice-port=5999",
		"needs --password-file" },
	{ "gpu/password", "VITRINE_GPU", "--fd=0 --password-file=/nonexistent", "password-file" },
	{ "gpu/view-password-alone", "VITRINE_GPU", "--fd=0 --view-password-file=/etc/passwd",
		"needs a password" },
	{ "gpu/users-alone", "VITRINE_GPU", "--fd=0 --users-file=/etc/passwd", "needs a password" },
	{ "gpu/users-no-tls", "VITRINE_GPU",
		"--fd=0 --password-file=/etc/passwd --users-file=/etc/passwd",
		"needs --spice-tls-port" },
	{ "gpu/no-users", "VITRINE_GPU", "--fd=0 --users-file=/nonexistent",
		"--users-file=/nonexistent: No such file" },
	{ "gpu/no-user", "VITRINE_GPU", "--fd=0 --allow-user=root,no-such-user",
		"--allow-user: no user \"no-such-user\"" },
	{ "gpu/no-password-and-one", "VITRINE_GPU", "--fd=0 --no-password --password-fd=0",
		"exclude each other" },
	{ "gpu/no-credential", "VITRINE_GPU", "--fd=0 --password-credential=work",
		"systemd gave us none" },
	{ "gpu/credential-path", "VITRINE_GPU", "--fd=0 --password-credential=../work",
		"without slashes" },
	{ "gpu/node", "VITRINE_GPU", "--fd=0 --software --render-node=/dev/null", "exclude" },
	{ "gpu/no-node", "VITRINE_GPU", "--fd=0 --virgl --render-node=/dev/dri/renderD177",
		"renderD177: No such file" },
	{ "gpu/no-node-2d", "VITRINE_GPU", "--fd=0 --render-node=/dev/dri/renderD177",
		"renderD177: No such file" },
	{ "gpu/tls-alone", "VITRINE_GPU", "--fd=0 --spice-tls-port=5999", "go together" },
	{ "gpu/tls-no-file", "VITRINE_GPU",
		"--fd=0 --spice-tls-port=5999 --spice-tls-cert=/nonexistent "
		"--spice-tls-key=/dev/null",
		"--spice-tls-cert=/nonexistent: No such file" },
	{ "gpu/tls-no-pem", "VITRINE_GPU",
		"--fd=0 --spice-tls-port=5999 --spice-tls-cert=/etc/passwd "
		"--spice-tls-key=/etc/passwd",
		"--spice-tls-cert=/etc/passwd with --spice-tls-key=/etc/passwd: " },
	{ "gpu/socket", "VITRINE_GPU", "--socket-path=/nonexistent/socket", "cannot listen" },
	{ "gpu/workers", "VITRINE_GPU", "--fd=0 --worker-dir=/nonexistent", "cannot start" },
	{ "nothing", "VITRINE", "", "no command" },
	{ "unknown", "VITRINE", "fly", "no command \"fly\"" },
	{ "run/nothing", "VITRINE", "run", "give a machine" },
	{ "run/disk", "VITRINE", "run --disk=/nonexistent", "No such file" },
	{ "run/kernel", "VITRINE", "run --kernel=/nonexistent",
		"--kernel=/nonexistent: No such file" },
	{ "run/initrd", "VITRINE", "run --kernel=/dev/null --initrd=/nonexistent", "--initrd" },
	{ "run/append", "VITRINE", "run --disk=/dev/null --append=x", "need --kernel" },
	{ "run/name", "VITRINE", "run --kernel=/dev/null --name=../x", "--name" },
	{ "run/config", "VITRINE", "run --config=/nonexistent", "--config=/nonexistent: No such" },
	{ "run/memory", "VITRINE", "run --kernel=/dev/null --memory=1", "--memory=1" },
	{ "run/cpus", "VITRINE", "run --kernel=/dev/null --cpus=0", "--cpus=0" },
	{ "run/accel", "VITRINE", "run --kernel=/dev/null --accel=x", "auto, kvm, tcg" },
	{ "run/address", "VITRINE", "run --kernel=/dev/null --spice-addr=::", "password" },
	{ "run/qemu", "VITRINE", "run --kernel=/dev/null --qemu=/nonexistent", "no QEMU" },
	{ "run/no-version", "VITRINE", "run --kernel=/dev/null --qemu=/bin/true", "version" },
};

static char *run(const char *program, const char *arguments, int *status)
{
	g_autofree char *line = g_strdup_printf("%s %s", g_getenv(program), arguments);
	g_autofree char *output = NULL;
	char *errors = NULL;
	g_autoptr(GError) error = NULL;
	g_spawn_command_line_sync(line, &output, &errors, status, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(output, ==, "");
	return errors;
}

static void test_mistake(const void *data)
{
	const struct mistake *m = data;
	int status;
	g_autofree char *errors = run(m->program, m->arguments, &status);
	g_assert_false(g_spawn_check_wait_status(status, NULL));
	if (!strstr(errors, m->reason))
		g_error("\"%s\" is not in: %s", m->reason, errors);
}

/* A certificate with another's key is refused. */
static void test_wrong_key(void)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-commands-XXXXXX", NULL);
	char *paths[4];
	int status;
	for (unsigned i = 0; i < 4; i++)
		paths[i] = g_strdup_printf("%s/%u.pem", folder, i);
	certificate_write(paths[0], paths[1]);
	certificate_write(paths[2], paths[3]);
	g_autofree char *arguments = g_strdup_printf(
		"--fd=0 --spice-tls-port=5999 --spice-tls-cert=%s --spice-tls-key=%s", paths[0],
		paths[3]);
	g_autofree char *errors = run("VITRINE_GPU", arguments, &status);
	g_assert_false(g_spawn_check_wait_status(status, NULL));
	g_assert_nonnull(strstr(errors, paths[0]));
	g_assert_nonnull(strstr(errors, paths[3]));
	for (unsigned i = 0; i < 4; i++)
		unlink(paths[i]);
	rmdir(folder);
	for (unsigned i = 0; i < 4; i++)
		g_free(paths[i]);
}

static void test_port_taken(void)
{
	unsigned port;
	int status, fd = listen_tcp_range("127.0.0.1", 26900, 26999, &port, NULL);
	g_assert_cmpint(fd, >=, 0);
	g_autofree char *arguments = g_strdup_printf("--fd=0 --spice-port=%u", port);
	g_autofree char *errors = run("VITRINE_GPU", arguments, &status);
	g_assert_false(g_spawn_check_wait_status(status, NULL));
	g_assert_nonnull(strstr(errors, "Address already in use"));
	close(fd);
}

/* The output is what QEMU's docs/interop/vhost-user.json calls VHostUserBackendCapabilitiesGPU. */
static void test_capabilities(void)
{
	g_autofree char *line = g_strdup_printf("%s --print-capabilities", g_getenv("VITRINE_GPU"));
	g_autofree char *output = NULL;
	g_autoptr(GError) error = NULL;
	int status;
	g_spawn_command_line_sync(line, &output, NULL, &status, &error);
	g_assert_no_error(error);
	g_assert_true(g_spawn_check_wait_status(status, NULL));
	g_autoptr(JsonNode) root = json_from_string(output, &error);
	g_assert_no_error(error);
	JsonObject *object = json_node_get_object(root);
	g_assert_cmpuint(json_object_get_size(object), ==, 2);
	g_assert_cmpstr(json_object_get_string_member(object, "type"), ==, "gpu");
	JsonArray *features = json_object_get_array_member(object, "features");
	for (unsigned i = 0; i < json_array_get_length(features); i++) {
		const char *feature = json_array_get_string_element(features, i);
		g_assert_true(g_str_equal(feature, "render-node") || g_str_equal(feature, "virgl"));
	}
}

/* Where no context can be made, virgl is not claimed. */
static void test_capabilities_without_gl(void)
{
	g_autofree char *line = g_strdup_printf(
		"env __EGL_VENDOR_LIBRARY_DIRS=/nonexistent %s --print-capabilities",
		g_getenv("VITRINE_GPU"));
	g_autofree char *output = NULL;
	int status;
	g_assert_true(g_spawn_command_line_sync(line, &output, NULL, &status, NULL));
	g_assert_true(g_spawn_check_wait_status(status, NULL));
	g_assert_nonnull(strstr(output, "\"render-node\""));
	g_assert_null(strstr(output, "virgl"));
}

/* A script says that it is a QEMU of Debian 12's version, which is too old. */
static void test_old_qemu(void)
{
	g_autofree char *dir = g_dir_make_tmp("vitrine-commands-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "qemu", NULL);
	g_assert_true(g_file_set_contents_full(path,
		"#!/bin/sh\necho QEMU emulator version 7.2.9 '(Debian)'\n", -1,
		G_FILE_SET_CONTENTS_NONE, 0700, NULL));
	g_autofree char *arguments =
		g_strdup_printf("run --kernel=/dev/null --accel=tcg --qemu=%s", path);
	int status;
	g_autofree char *errors = run("VITRINE", arguments, &status);
	g_assert_false(g_spawn_check_wait_status(status, NULL));
	g_assert_nonnull(strstr(errors, "bookworm-backports"));
	remove(path);
	remove(dir);
}

static void set_variable(const char *name, const char *value)
{
	if (value)
		g_setenv(name, value, TRUE);
	else
		g_unsetenv(name);
}

/* A desktop whose `vitrine run` stands still has its socket, and nobody answers there. */
static void test_silent(void)
{
	g_autofree char *base = g_dir_make_tmp("vitrine-commands-XXXXXX", NULL);
	g_autofree char *folders = g_build_filename(base, "vitrine", NULL);
	g_autofree char *folder = g_build_filename(folders, "work", NULL);
	g_autofree char *path = g_build_filename(folder, "control", NULL);
	g_autofree char *before = g_strdup(g_getenv("XDG_RUNTIME_DIR"));
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int status, listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
	int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(flock(lock, LOCK_EX), ==, 0);
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(listener, 8), ==, 0);
	g_setenv("XDG_RUNTIME_DIR", base, TRUE);
	g_autofree char *errors = run("VITRINE", "pause work", &status);
	g_assert_true(WIFEXITED(status));
	g_assert_cmpint(WEXITSTATUS(status), ==, 5);
	g_assert_nonnull(strstr(errors, "work: it does not answer"));
	set_variable("XDG_RUNTIME_DIR", before);
	close(lock);
	close(listener);
	unlink(path);
	rmdir(folder);
	rmdir(folders);
	rmdir(base);
}

static void expect_flight(const char *words)
{
	int status;
	g_autofree char *errors = run("VITRINE", "flight", &status);
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	if (!strstr(errors, words))
		g_error("\"%s\" is not in: %s", words, errors);
}

/* A desktop need not be named where there is one. */
static void test_flight_unnamed(void)
{
	static const char *const variables[] = { "XDG_RUNTIME_DIR", "XDG_STATE_HOME" };
	g_autofree char *base = g_dir_make_tmp("vitrine-commands-XXXXXX", NULL);
	g_autofree char *one = g_build_filename(base, "vitrine", "flights", "one", NULL);
	g_autofree char *two = g_build_filename(base, "vitrine", "flights", "two", NULL);
	char *before[G_N_ELEMENTS(variables)];
	for (unsigned i = 0; i < G_N_ELEMENTS(variables); i++) {
		before[i] = g_strdup(g_getenv(variables[i]));
		g_setenv(variables[i], base, TRUE);
	}
	expect_flight("no desktop is known");
	g_assert_cmpint(g_mkdir_with_parents(one, 0700), ==, 0);
	expect_flight("nothing is known of such a desktop");
	g_assert_cmpint(g_mkdir_with_parents(two, 0700), ==, 0);
	expect_flight("several desktops are known: name one of one, two");
	for (unsigned i = 0; i < G_N_ELEMENTS(variables); i++) {
		set_variable(variables[i], before[i]);
		g_free(before[i]);
	}
	rmdir(one);
	for (char *path = two; strlen(path) > strlen(base); *strrchr(path, '/') = '\0')
		rmdir(path);
	rmdir(base);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		g_autofree char *path = g_strdup_printf("/commands/%s", mistakes[i].name);
		g_test_add_data_func(path, &mistakes[i], test_mistake);
	}
	g_test_add_func("/commands/wrong-key", test_wrong_key);
	g_test_add_func("/commands/port-taken", test_port_taken);
	g_test_add_func("/commands/capabilities", test_capabilities);
	g_test_add_func("/commands/capabilities-without-gl", test_capabilities_without_gl);
	g_test_add_func("/commands/old-qemu", test_old_qemu);
	g_test_add_func("/commands/silent", test_silent);
	g_test_add_func("/commands/flight-unnamed", test_flight_unnamed);
	return g_test_run();
}
