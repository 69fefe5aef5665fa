/* SPDX-License-Identifier: MIT */
#include "server/desktop/desktop.h"

#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/confine/confine.h"
#include "common/fd.h"
#include "common/listen.h"
#include "protocol/worker_options.h"
#include "server/desktop/desktop_options.h"
#include "server/desktop/password.h"

bool desktop_fail(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
	return false;
}

/*
 * The program's own options come last, because a member may be another program's option with
 * another default.
 */
void desktop_init(struct desktop *desktop, enum desktop_program program)
{
	g_assert(program < DESKTOP_PROGRAMS);
	*desktop = (struct desktop){ 0 };
	for (unsigned own = 0; own < 2; own++) {
		for (unsigned i = 0; i < desktop_n_options; i++) {
			const struct desktop_option *o = &desktop_options[i];
			enum desktop_program other =
				desktop_option_is_of(o, DESKTOP_RUN) ? DESKTOP_RUN : DESKTOP_GPU;
			if (desktop_option_is_of(o, program) == own)
				desktop_option_set_initial(o, desktop, own ? program : other);
		}
	}
}

void desktop_finish(struct desktop *desktop)
{
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *o = &desktop_options[i];
		if (o->type == DESKTOP_TEXT || o->type == DESKTOP_PATH)
			g_clear_pointer((char **)((char *)desktop + o->offset), g_free);
	}
	desktop_forget_password(desktop);
}

/* systemd gives a service's user a folder of its credentials (systemd.exec(5), CREDENTIALS). */
static bool find_credential(struct desktop *desktop, GError **error)
{
	const char *folder = g_getenv("CREDENTIALS_DIRECTORY");
	const char *name = desktop->password_credential;
	if (!name)
		return true;
	if (desktop->password_file)
		return desktop_fail(
			error, "--password-file and --password-credential exclude each other");
	if (!folder)
		return desktop_fail(error,
			"--password-credential=%s: systemd gave us none ($CREDENTIALS_DIRECTORY)",
			name);
	desktop->password_file = g_build_filename(folder, name, NULL);
	g_clear_pointer(&desktop->password_credential, g_free);
	return true;
}

static bool find_user(const char *text, uid_t *uid)
{
	guint64 number;
	if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32 - 1, &number, NULL)) {
		*uid = (uid_t)number;
		return true;
	}
	const struct passwd *user = getpwnam(text);
	if (user)
		*uid = user->pw_uid;
	return user != NULL;
}

int desktop_read_users(const char *text, uid_t users[DESKTOP_USERS_MAX], GError **error)
{
	g_auto(GStrv) words = g_strsplit(text ? text : "", ",", -1);
	unsigned n = g_strv_length(words);
	if (n > DESKTOP_USERS_MAX) {
		desktop_fail(error, "--allow-user: more than %d users", DESKTOP_USERS_MAX);
		return -1;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!find_user(words[i], &users[i])) {
			desktop_fail(error, "--allow-user: no user \"%s\"", words[i]);
			return -1;
		}
	}
	return (int)n;
}

static bool check_users(const struct desktop *desktop, GError **error)
{
	uid_t users[DESKTOP_USERS_MAX];
	bool has_password = desktop->password_file || desktop->password_fd >= 0;
	if (has_password && desktop->no_password)
		return desktop_fail(error, "--no-password and a password exclude each other");
	if (desktop->view_password_file && !has_password)
		return desktop_fail(
			error, "--view-password-file needs a password for those who may do more");
	if (desktop->users_file && !has_password)
		return desktop_fail(
			error, "--users-file needs a password for those who give no name");
	if (desktop->users_file && desktop->tls.port == 0)
		return desktop_fail(error, "--users-file needs --spice-tls-port: clients give a "
					   "name in TLS alone");
	return desktop_read_users(desktop->allow_user, users, error) >= 0;
}

bool desktop_read_resolution(const char *text, unsigned *width, unsigned *height)
{
	char *end;
	if (!g_ascii_isdigit(text[0]))
		return false;
	guint64 w = g_ascii_strtoull(text, &end, 10);
	if (*end != 'x' || !g_ascii_isdigit(end[1]))
		return false;
	guint64 h = g_ascii_strtoull(end + 1, &end, 10);
	if (*end || w < DESKTOP_SIDE_MIN || w > DESKTOP_SIDE_MAX || h < DESKTOP_SIDE_MIN ||
		h > DESKTOP_SIDE_MAX)
		return false;
	*width = (unsigned)w;
	*height = (unsigned)h;
	return true;
}

static bool check_clipboard(const struct desktop *desktop, GError **error)
{
	g_autofree char *reason = worker_clipboard_parse(desktop->clipboard_types, NULL);
	return !reason ||
	       desktop_fail(error, "--clipboard-types=%s: %s", desktop->clipboard_types, reason);
}

bool desktop_check(struct desktop *desktop, GError **error)
{
	if (desktop->software && desktop->render_node)
		return desktop_fail(error, "--software and --render-node exclude each other");
	return find_credential(desktop, error) && check_users(desktop, error) &&
	       check_clipboard(desktop, error) && tls_options_check(&desktop->tls, error);
}

/* Both programs read it, so that a pipe would be empty for the second one. */
static bool read_view_password(struct desktop *desktop, GError **error)
{
	const char *path = desktop->view_password_file;
	if (!path)
		return true;
	if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return desktop_fail(error, "--view-password-file=%s: not a plain file", path);
	desktop->view_password = password_read(path, "view-password-file", error);
	if (desktop->view_password && g_str_equal(desktop->view_password, desktop->password))
		return desktop_fail(error,
			"--view-password-file=%s: it has the password of those who may do more",
			path);
	return desktop->view_password != NULL;
}

static bool read_users(struct desktop *desktop, GError **error)
{
	return !desktop->users_file || users_read(desktop->users_file, &desktop->users, error);
}

bool desktop_read_password(struct desktop *desktop, GError **error)
{
	g_assert(!desktop->password);
	if (desktop->password_fd < 0 && !desktop->password_file)
		return true;
	if (desktop->confine != CONFINE_OFF)
		prctl(PR_SET_DUMPABLE, 0);
	if (desktop->password_fd >= 0) {
		g_autofree char *what = g_strdup_printf("--password-fd=%d", desktop->password_fd);
		desktop->password = password_read_fd(desktop->password_fd, what, error);
		fd_close(&desktop->password_fd);
	} else {
		desktop->password = password_read(desktop->password_file, "password-file", error);
	}
	return desktop->password != NULL && read_view_password(desktop, error) &&
	       read_users(desktop, error);
}

static void forget(char **password)
{
	if (*password)
		explicit_bzero(*password, strlen(*password));
	g_clear_pointer(password, g_free);
}

void desktop_forget_password(struct desktop *desktop)
{
	forget(&desktop->password);
	forget(&desktop->view_password);
	users_finish(&desktop->users);
}

bool desktop_check_address(const struct desktop *desktop, GError **error)
{
	if (desktop->password || listen_is_loopback(desktop->spice_addr))
		return true;
	return desktop_fail(error,
		"--spice-addr=%s is not a loopback address: that needs --password-file",
		desktop->spice_addr);
}
