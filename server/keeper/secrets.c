/* SPDX-License-Identifier: MIT */
#include "server/keeper/secrets.h"

#include <string.h>

#include "common/fd.h"
#include "server/desktop/limits.h"
#include "server/desktop/password.h"

enum secrets_file {
	SECRETS_FILE_PASSWORD,
	SECRETS_FILE_VIEW_PASSWORD,
	SECRETS_FILE_USERS,
	SECRETS_FILE_CERTIFICATE,
	SECRETS_FILE_KEY,
};

void secrets_plan(struct fetcher_plan *plan, const struct desktop *desktop)
{
	*plan = (struct fetcher_plan){
		.monitor = desktop->qmp_path,
		.files = { [SECRETS_FILE_PASSWORD] = desktop->password_file,
			[SECRETS_FILE_VIEW_PASSWORD] = desktop->view_password_file,
			[SECRETS_FILE_USERS] = desktop->users_file,
			[SECRETS_FILE_CERTIFICATE] = desktop->tls.certificate,
			[SECRETS_FILE_KEY] = desktop->tls.key },
		.file_max_bytes = DESKTOP_TLS_FILE_MAX_BYTES,
		.confined = desktop->confine != CONFINE_OFF,
	};
}

/* Gives a descriptor, or -1 with `error` set. */
static int copy(struct fetcher *fetcher, enum secrets_file file, const char *path, GError **error)
{
	int fd = fetcher_copy_file(fetcher, file);
	if (fd == -EINVAL)
		desktop_fail(error, "%s: not a regular file", path);
	else if (fd < 0)
		desktop_fail(error, "%s: %s", path, g_strerror(-fd));
	return fd < 0 ? -1 : fd;
}

static bool read_password(struct fetcher *fetcher, enum secrets_file file, const char *path,
	struct viewer *viewer, GError **error)
{
	int fd = copy(fetcher, file, path, error);
	char *password = fd >= 0 ? password_read_fd(fd, path, error) : NULL;
	fd_close(&fd);
	if (!password)
		return false;
	if (file == SECRETS_FILE_PASSWORD)
		viewer_set_password(viewer, password);
	else
		viewer_set_view_password(viewer, password);
	explicit_bzero(password, strlen(password));
	g_free(password);
	return true;
}

static bool read_users(
	struct fetcher *fetcher, const char *path, struct viewer *viewer, GError **error)
{
	struct users users;
	int fd = copy(fetcher, SECRETS_FILE_USERS, path, error);
	bool taken = fd >= 0 && users_read_fd(fd, path, &users, error);
	fd_close(&fd);
	if (!taken)
		return false;
	viewer_set_users(viewer, &users);
	users_finish(&users);
	return true;
}

static bool read_pair(struct fetcher *fetcher, const struct tls_options *tls, struct viewer *viewer,
	GError **error)
{
	int fds[2];
	fds[0] = copy(fetcher, SECRETS_FILE_CERTIFICATE, tls->certificate, error);
	fds[1] = fds[0] < 0 ? -1 : copy(fetcher, SECRETS_FILE_KEY, tls->key, error);
	if (fds[1] >= 0 && tls_pair_check(fds, error)) {
		viewer_set_certificate(viewer, fds[0], fds[1]);
		return true;
	}
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return false;
}

static void tell(const char *what, bool taken, const GError *error)
{
	if (taken)
		g_message("SIGHUP: the %s was read again", what);
	else
		g_warning("SIGHUP: the %s stays as it was: %s", what, error->message);
}

void secrets_read_again(
	struct fetcher *fetcher, const struct desktop *desktop, struct viewer *viewer)
{
	if (desktop->password_file) {
		g_autoptr(GError) error = NULL;
		bool taken = read_password(
			fetcher, SECRETS_FILE_PASSWORD, desktop->password_file, viewer, &error);
		tell("password", taken, error);
	} else if (desktop->password) {
		g_message("SIGHUP: the password stays as it was: it came from no file");
	}
	if (desktop->view_password_file) {
		g_autoptr(GError) error = NULL;
		bool taken = read_password(fetcher, SECRETS_FILE_VIEW_PASSWORD,
			desktop->view_password_file, viewer, &error);
		tell("password of those who look on", taken, error);
	}
	if (desktop->users_file) {
		g_autoptr(GError) error = NULL;
		bool taken = read_users(fetcher, desktop->users_file, viewer, &error);
		tell("list of users", taken, error);
	}
	viewer_say_passwords(viewer);
	if (desktop->tls.port > 0) {
		g_autoptr(GError) error = NULL;
		bool taken = read_pair(fetcher, &desktop->tls, viewer, &error);
		tell("certificate", taken, error);
	}
}
