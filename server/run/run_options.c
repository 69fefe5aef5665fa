/* SPDX-License-Identifier: MIT */
#include "server/run/run_options.h"

#include <string.h>

#include "server/desktop/desktop_command_line.h"

static bool check_machine(const struct desktop *d, GError **error)
{
	if (!d->disk && !d->kernel)
		return desktop_fail(error, "give a machine to run: --disk=IMAGE, or --kernel=FILE");
	if (d->detach && g_strcmp0(d->serial, "stdio") == 0)
		return desktop_fail(error, "--detach and --serial=stdio exclude each other");
	if (d->cloud_init && !d->disk)
		return desktop_fail(error, "--cloud-init needs --disk");
	if (d->usb_allow && d->n_usb == 0)
		return desktop_fail(error, "--usb-allow needs --usb");
	if ((d->initrd || d->append) && !d->kernel)
		return desktop_fail(error, "--initrd and --append need --kernel");
	return true;
}

/*
 * The password is read here, since a pipe can be read once, and kept until vitrine-gpu has it
 * (run.c).
 */
static bool check_doors(struct desktop *d, GError **error)
{
	if (d->spice_unix && d->tls.port > 0)
		return desktop_fail(error, "--spice-tls-port and --spice-unix exclude each other");
	if (d->spice_unix && d->spice_port > 0)
		return desktop_fail(error, "--spice-port and --spice-unix exclude each other");
	return desktop_read_password(d, error) &&
	       (d->spice_unix || desktop_check_address(d, error));
}

/* What stands after "--" is QEMU's, whatever it looks like. */
static char **split_rest(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			char **rest = g_strdupv(argv + i + 1);
			*argc = i;
			return rest;
		}
	}
	return g_new0(char *, 1);
}

bool run_options_parse(
	struct desktop *desktop, char ***qemu_arguments, int argc, char **argv, GError **error)
{
	*qemu_arguments = split_rest(&argc, argv);
	return desktop_parse(desktop, DESKTOP_RUN, argc, argv, error) &&
	       desktop_check(desktop, error) && check_machine(desktop, error) &&
	       check_doors(desktop, error);
}
