/* SPDX-License-Identifier: MIT */
/*
 * options: the keeper's command line, by the conventions for vhost-user backend programs (QEMU
 * docs/interop/vhost-user.rst, "Backend program conventions") plus where people connect.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/keeper_link.h"
#include "server/desktop/tls_options.h"

struct options {
	/* Exactly one of the two, unless print_capabilities. */
	char *socket_path;
	int vhost_fd; /* -1: none */
	bool print_capabilities;

	bool virgl;
	bool software;
	char *encoder; /* of video, see vitrine-gpu(1); NULL: display chooses */
	bool video_444;
	char *render_node;
	bool no_pacing;

	char *spice_addr;
	unsigned spice_port; /* 0: no TCP */
	char *spice_unix;
	int spice_fd; /* an inherited listening TCP socket; -1: none */
	struct tls_options tls;
	char *password; /* from --password-file; NULL: none */

	char *clock; /* display's --clock; NULL: its default */

	char *name; /* never NULL */
	char *qmp_path;
	char *stats_socket; /* NULL: none */
	char *worker_dir;   /* never NULL */
};

/*
 * Reads the command line, checks everything that can be checked without side effects. Once in a
 * process; finish what it filled in whether it succeeds or not.
 */
bool options_parse(struct options *options, int *argc, char ***argv, GError **error);
void options_finish(struct options *options);

/* Reads a ticket from the first line of a file: 1 to KEEPER_TICKET_MAX bytes. Caller frees. */
char *options_read_password(const char *path, GError **error);
