/* SPDX-License-Identifier: MIT */
#include "tests/climbs/climb_site.h"
#include "tests/wire/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ABSTRACT_NAME "vitrine-climb-site"
/* Of a user who is not the test's: a number that nobody has. */
#define OTHER_USER 63018

static void own(const struct climb_site *site, const char *path)
{
	if (geteuid() == 0 && lchown(path, site->user, site->user) < 0)
		g_error("%s: %s", path, g_strerror(errno));
}

static void make_dir(const struct climb_site *site, char *to, const char *name)
{
	g_autofree char *path = g_build_filename(site->directory, name, NULL);
	g_assert_cmpint(mkdir(path, 0700), ==, 0);
	own(site, path);
	g_strlcpy(to, path, CLIMB_PATH);
}

static void make_file(const struct climb_site *site, char *to, const char *name)
{
	g_autofree char *path = g_build_filename(site->directory, name, NULL);
	g_assert_true(g_file_set_contents_full(
		path, "climb's secret\n", -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
	own(site, path);
	g_strlcpy(to, path, CLIMB_PATH);
}

static void make_files(struct climb_site *site)
{
	struct climb_targets *t = &site->memory->targets;
	char away[CLIMB_PATH];
	make_dir(site, t->home, "home");
	make_dir(site, t->other_dir, "other");
	make_dir(site, away, "qemu");
	/* Who reads a file again may read what lies beside it. */
	make_dir(site, away, "secrets");
	make_dir(site, away, "key");
	make_dir(site, away, "runs");
	site->run_parent = g_strdup(away);
	make_file(site, t->home_file, "home/private");
	make_file(site, t->password, "secrets/password");
	make_file(site, t->key, "key/key.pem");
	make_file(site, t->other_file, "other/desktop.conf");
	make_file(site, away, "other/to-unlink");
}

/* ---- what listens ---- */

static void add_listener(struct climb_site *site, int fd)
{
	g_assert_cmpuint(site->n_listeners, <, CLIMB_LISTENERS);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	site->listeners[site->n_listeners++] = fd;
}

static int listen_unix(struct climb_site *site, char *to, const char *name, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_autofree char *path = g_build_filename(site->directory, name, NULL);
	g_assert_cmpuint(strlen(path), <, sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	if (type == SOCK_STREAM)
		g_assert_cmpint(listen(fd, 64), ==, 0);
	own(site, path);
	g_strlcpy(to, path, CLIMB_PATH);
	add_listener(site, fd);
	return fd;
}

static void listen_abstract(struct climb_site *site)
{
	struct climb_targets *t = &site->memory->targets;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_snprintf(t->abstract_name, sizeof(t->abstract_name), ABSTRACT_NAME "-%d", (int)getpid());
	strcpy(address.sun_path + 1, t->abstract_name);
	socklen_t size =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(t->abstract_name));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, size), ==, 0);
	g_assert_cmpint(listen(fd, 64), ==, 0);
	add_listener(site, fd);
}

/* Returns the port, or 0 where the machine has no such network. */
static uint16_t listen_internet(struct climb_site *site, int family, int type, bool keep)
{
	struct sockaddr_in6 address = { .sin6_family = (sa_family_t)family };
	struct sockaddr_in *address4 = (struct sockaddr_in *)&address;
	socklen_t size = family == AF_INET ? sizeof(*address4) : sizeof(address);
	if (family == AF_INET)
		address4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		address.sin6_addr = in6addr_loopback;
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
		(type == SOCK_STREAM && listen(fd, 64) < 0)) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	getsockname(fd, (struct sockaddr *)&address, &size);
	if (keep)
		add_listener(site, fd);
	else
		close(fd);
	return ntohs(address4->sin_port);
}

static void make_sockets(struct climb_site *site)
{
	struct climb_targets *t = &site->memory->targets;
	/* The first: its connections are kept. */
	listen_unix(site, t->qmp, "qemu/qmp", SOCK_STREAM);
	listen_unix(site, t->stream, "qemu/stream", SOCK_STREAM);
	listen_unix(site, t->datagram, "qemu/datagram", SOCK_DGRAM);
	listen_abstract(site);
	t->tcp4_port = listen_internet(site, AF_INET, SOCK_STREAM, true);
	t->tcp6_port = listen_internet(site, AF_INET6, SOCK_STREAM, true);
	t->free_port = listen_internet(site, AF_INET, SOCK_STREAM, false);
	t->udp4_port = listen_internet(site, AF_INET, SOCK_DGRAM, true);
}

void climb_site_drain(struct climb_site *site)
{
	char byte[16];
	for (unsigned i = 0; i < site->n_listeners; i++) {
		int fd;
		while ((fd = accept4(site->listeners[i], NULL, NULL, SOCK_CLOEXEC)) >= 0) {
			if (i == 0)
				g_array_append_val(site->connections, fd);
			else
				close(fd);
		}
		while (recv(site->listeners[i], byte, sizeof(byte), MSG_DONTWAIT) >= 0)
			;
	}
}

void climb_site_choose_port(struct climb_site *site)
{
	site->memory->targets.spice_port = listen_internet(site, AF_INET, SOCK_STREAM, false);
}

static void leave(struct climb_site *site)
{
	if (site->visitor >= 0)
		close(site->visitor);
	site->visitor = -1;
}

bool climb_site_visit(struct climb_site *site)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(site->memory->targets.spice_port) };
	leave(site);
	site->visitor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return connect(site->visitor, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* ---- the rest ---- */

static struct climb_targets *heard_targets;

static void on_heard(int signal_number)
{
	__atomic_add_fetch(&heard_targets->heard, 1, __ATOMIC_RELEASE);
}

/* A process of the same user, as QEMU is. */
static pid_t start_qemu(uid_t user, struct climb_targets *targets)
{
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid > 0)
		return pid;
	setpgid(0, 0);
	if (geteuid() == 0 && (setresgid(user, user, user) < 0 || setresuid(user, user, user) < 0))
		_exit(125);
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "climb-qemu");
	heard_targets = targets;
	signal(CLIMB_HEARD_SIGNAL, on_heard);
	for (;;)
		pause();
}

/* Newer kernels let only root do it. */
static bool may_filter(uid_t user)
{
	int status;
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
		const struct sock_fprog filter = { 1, &pass };
		if (geteuid() == 0 && setresuid(user, user, user) < 0)
			_exit(125);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		_exit(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return status == 0;
}

/* Makes the folder where the desktop's shaders would lie, in which workers may write. */
static char *make_shared(const struct climb_site *site)
{
	static const char *const names[] = { "shared", "vitrine", "shaders", CLIMB_NAME };
	char *path = g_strdup(site->directory);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *above = path;
		path = g_build_filename(above, names[i], NULL);
		g_assert_cmpint(mkdir(path, 0777), ==, 0);
		g_assert_cmpint(chmod(path, 0777), ==, 0);
	}
	return path;
}

static void map_memory(struct climb_site *site)
{
	g_autofree char *shared = make_shared(site);
	site->memory_path = g_build_filename(shared, "memory", NULL);
	int fd = open(site->memory_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	g_assert_cmpint(fd, >=, 0);
	/* Whoever the workers are, they write into it. */
	g_assert_cmpint(fchmod(fd, 0666), ==, 0);
	g_assert_cmpint(ftruncate(fd, sizeof(struct planted_memory)), ==, 0);
	site->memory = mmap(
		NULL, sizeof(struct planted_memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	g_assert_true(site->memory != MAP_FAILED);
	close(fd);
}

static void copy_preload(struct climb_site *site, const char *planted)
{
	char *contents;
	gsize size;
	g_assert_true(g_file_get_contents(planted, &contents, &size, NULL));
	/* Alone in its folder: a process may read where its libraries lie. */
	g_autofree char *folder = g_build_filename(site->directory, "library", NULL);
	g_assert_cmpint(mkdir(folder, 0755), ==, 0);
	site->preload = g_build_filename(folder, "planted.so", NULL);
	g_assert_true(g_file_set_contents_full(
		site->preload, contents, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
	g_free(contents);
}

/*
 * Root's climbs mount things, the machine's root folder among them. Whatever is left of that stays
 * with us, and ends with us.
 */
static void keep_mounts_to_ourselves(void)
{
	if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0)
		g_assert_cmpint(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), ==, 0);
}

void climb_site_unmount(struct climb_site *site)
{
	while (umount2(site->memory->targets.other_dir, MNT_DETACH) == 0)
		;
}

struct climb_site *climb_site_create(uid_t user, const char *planted)
{
	struct climb_site *site = g_new0(struct climb_site, 1);
	g_autoptr(GError) error = NULL;
	keep_mounts_to_ourselves();
	site->user = user;
	site->directory = g_dir_make_tmp("vitrine-climbs-XXXXXX", &error);
	g_assert_no_error(error);
	g_assert_cmpint(chmod(site->directory, 0755), ==, 0);
	site->connections = g_array_new(FALSE, FALSE, sizeof(int));
	site->visitor = -1;
	site->filters = may_filter(user);
	map_memory(site);
	copy_preload(site, planted);
	make_files(site);
	make_sockets(site);
	site->qemu = start_qemu(user, &site->memory->targets);
	site->memory->targets.qemu = site->qemu;
	site->memory->targets.other_user = OTHER_USER;
	return site;
}

char *climb_site_make_run_dir(struct climb_site *site)
{
	static unsigned number;
	char name[32], path[CLIMB_PATH];
	g_snprintf(name, sizeof(name), "runs/%u", number++);
	make_dir(site, path, name);
	return g_strdup(path);
}

void climb_site_destroy(struct climb_site *site)
{
	kill(site->qemu, SIGKILL);
	waitpid(site->qemu, NULL, 0);
	for (unsigned i = 0; i < site->n_listeners; i++)
		close(site->listeners[i]);
	leave(site);
	for (guint i = 0; i < site->connections->len; i++)
		close(g_array_index(site->connections, int, i));
	g_array_unref(site->connections);
	/* What is mounted there would be removed with the folder. */
	climb_site_unmount(site);
	munmap(site->memory, sizeof(struct planted_memory));
	wire_remove_directory(site->directory);
	g_free(site->memory_path);
	g_free(site->preload);
	g_free(site->run_parent);
	g_free(site->directory);
	g_free(site);
}
