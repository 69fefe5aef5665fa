/* SPDX-License-Identifier: MIT */
#include "tests/client/bridge.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

static bool has_module(const char *python, const char *module)
{
	g_autofree char *import = g_strdup_printf("import %s", module);
	g_autoptr(GSubprocess) process = g_subprocess_new(
		G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, python, "-c", import, NULL);
	return process && g_subprocess_wait_check(process, NULL, NULL);
}

const char *bridge_find_python(const char *module)
{
	static const char *const pythons[] = { "python3", "/usr/bin/python3" };
	for (unsigned i = 0; i < G_N_ELEMENTS(pythons); i++) {
		if (has_module(pythons[i], module))
			return pythons[i];
	}
	return NULL;
}

static void die_with_the_test(gpointer user)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void bridge_run(
	struct bridge *bridge, const char *python, const char *script, const char *const *words)
{
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
	g_autoptr(GPtrArray) command = g_ptr_array_new();
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(command, (char *)python);
	g_ptr_array_add(command, (char *)script);
	for (; *words; words++)
		g_ptr_array_add(command, (char *)*words);
	g_ptr_array_add(command, NULL);
	g_subprocess_launcher_set_child_setup(launcher, die_with_the_test, NULL, NULL);
	bridge->process =
		g_subprocess_launcher_spawnv(launcher, (const char *const *)command->pdata, &error);
	g_assert_no_error(error);
	bridge->output = g_data_input_stream_new(g_subprocess_get_stdout_pipe(bridge->process));
	bridge->address = NULL;
}

char *bridge_read_line(struct bridge *bridge)
{
	g_autoptr(GError) error = NULL;
	char *line = g_data_input_stream_read_line(bridge->output, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_nonnull(line);
	return line;
}

void bridge_start(struct bridge *bridge, const struct fake_desktop *desktop, const char *library)
{
	g_autofree char *port = g_strdup_printf("%u", fake_desktop_port(desktop));
	const char *certificate = fake_desktop_certificate(desktop);
	const char *words[] = { port, library ? library : "own", certificate, NULL };

	bridge_run(bridge, library ? bridge_find_python(library) : "python3",
		g_getenv("WEBSOCKET_BRIDGE"), words);
	g_autofree char *line = bridge_read_line(bridge);
	bridge->address = g_strdup_printf("spice://127.0.0.1:%s", line);
}

pid_t bridge_pid(const struct bridge *bridge)
{
	const char *pid = g_subprocess_get_identifier(bridge->process);

	return pid ? (pid_t)strtol(pid, NULL, 10) : 0;
}

void bridge_stop(struct bridge *bridge)
{
	g_output_stream_close(g_subprocess_get_stdin_pipe(bridge->process), NULL, NULL);
	g_subprocess_wait(bridge->process, NULL, NULL);
	g_assert_true(g_subprocess_get_successful(bridge->process));
	g_object_unref(bridge->output);
	g_object_unref(bridge->process);
	g_free(bridge->address);
}
