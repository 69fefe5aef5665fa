/* SPDX-License-Identifier: MIT */
#include "server/command/screenshot_command.h"

#include <gio/gunixfdlist.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/shm.h"
#include "protocol/screenshot_request.h"
#include "server/command/control_client.h"
#include "server/command/png_file.h"
#include "server/command/ticket_client.h"

/* Display takes no longer (protocol/screenshot_request.h). */
#define PICTURE_MS (SCREENSHOT_ANSWER_MS + 2000)

/* Who made the picture may be taken over: sizes and memory are looked at first. */
static enum exit_code save(const char *name, const char *file, int fd, guint width, guint height)
{
	g_autoptr(GError) error = NULL;
	uint64_t size_bytes = (uint64_t)width * height * 4;
	bool sane = width > 0 && height > 0 && width <= G_MAXUINT16 && height <= G_MAXUINT16 &&
		    size_bytes <= SCREENSHOT_BYTES_MAX;
	uint8_t *pixels = sane ? shm_map(fd, size_bytes, false) : NULL;
	if (!pixels) {
		g_warning("%s: the picture is not understood", name);
		return EXIT_CODE_FAILED;
	}
	bool written = png_file_write(file, pixels, width, height, &error);
	shm_unmap(pixels, size_bytes);
	if (written)
		printf("%s: %ux%u\n", file, width, height);
	else
		g_warning("%s", error->message);
	return written && fflush(stdout) == 0 ? EXIT_CODE_DONE : EXIT_CODE_FAILED;
}

static enum exit_code take(const char *name, const char *file, guint head)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) index = NULL;
	g_autoptr(GUnixFDList) fds = NULL;
	guint width = 0, height = 0;
	g_autoptr(VitrineDesktop1) desktop = control_client_connect(name, &error);
	if (!desktop)
		return control_client_failed(name, error);
	g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(desktop), PICTURE_MS);
	if (!vitrine_desktop1_call_screenshot_sync(
		    desktop, head, NULL, &index, &width, &height, &fds, NULL, &error))
		return control_client_failed(name, error);
	int fd = fds ? g_unix_fd_list_get(fds, g_variant_get_handle(index), &error) : -1;
	if (fd < 0) {
		g_warning("%s: no picture came with the answer", name);
		return EXIT_CODE_FAILED;
	}
	enum exit_code code = save(name, file, fd, width, height);
	close(fd);
	return code;
}

int screenshot_main(int argc, char **argv)
{
	int head = 0;
	const GOptionEntry entries[] = {
		{ "head", 0, 0, G_OPTION_ARG_INT, &head,
			"Which of the guest's monitors, from 0 (default)", "N" },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("NAME FILE.png");
	g_autoptr(GError) error = NULL;
	g_option_context_set_summary(
		context, "Writes what a client would see now, without the pointer, into a file.");
	g_option_context_add_main_entries(context, entries, NULL);
	bool parsed = g_option_context_parse(context, &argc, &argv, &error);
	if (!parsed || argc != 3 || head < 0) {
		g_warning("%s", error ? error->message : "give a desktop's name and a file's");
		return EXIT_CODE_USAGE;
	}
	g_autofree char *name = ticket_client_find(argv[1]);
	return name ? take(name, argv[2], (guint)head) : EXIT_CODE_NO_DESKTOP;
}
