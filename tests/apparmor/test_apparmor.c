/* SPDX-License-Identifier: MIT */
/*
 * apparmor: a desktop under the profiles of server/apparmor, and climbs out of each of them. It
 * runs as root in the DRM test VM, whose kernel has AppArmor; in-vm loads the profiles before.
 *
 * The desktop has the three real processes, a GPU, TLS, a password and a stock client. It must show
 * its picture, replace a renderer and end as it does without profiles, and the kernel must have
 * denied nothing meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/apparmor/profile_climbs.h"
#include "tests/bench/processes.h"
#include "tests/client/certificate.h"
#include "tests/client/client.h"
#include "tests/wire/virgl_encode.h"
#include "tests/wire/wire.h"

#define SIDE 256
#define PICTURE 1
#define PAINTER 60
#define PATIENCE_MS 120000
#define NODES "/dev/dri"
#define NODE NODES "/renderD128"
#define NODE_GROUP 4711 /* nobody's */

/* ---- what the kernel denies ---- */

static int kernel_log = -1;

/* Reads what the kernel has said since the last call; returns how many lines are denials. */
static unsigned read_denials(void)
{
	char line[8192];
	ssize_t n;
	unsigned n_denials = 0;
	while ((n = read(kernel_log, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[MAX(n, 0)] = '\0';
		if (!strstr(line, "apparmor=\"DENIED\""))
			continue;
		n_denials++;
		*strchrnul(line, '\n') = '\0';
		g_test_message("%s", strchrnul(line, ';'));
	}
	return n_denials;
}

static void expect_no_denial(const char *when)
{
	unsigned n = read_denials();
	if (n > 0)
		g_error("%s: %u denials", when, n);
}

static void expect_profile(pid_t pid, const char *profile)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/attr/apparmor/current", (int)pid);
	g_autofree char *want = g_strdup_printf("%s (enforce)", profile);
	g_autofree char *label = NULL;
	g_assert_true(g_file_get_contents(path, &label, NULL, NULL));
	g_assert_cmpstr(g_strchomp(label), ==, want);
}

/* ---- a desktop ---- */

struct site {
	struct guest *guest;
	char *directory, *certificate, *uri;
	uint32_t n_pictures;
};

static unsigned free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, size), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &size), ==, 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* Secrets lie where the profiles' tunables say, socket files where a site has added a place. */
static char *make_secrets(struct site *site)
{
	char *directory = g_build_filename(g_get_home_dir(), "secrets", NULL);
	g_autofree char *password = g_build_filename(directory, "password", NULL);
	g_autofree char *key = g_build_filename(directory, "key", NULL);
	g_assert_cmpint(g_mkdir_with_parents(directory, 0700), ==, 0);
	g_assert_true(g_file_set_contents(password, "secret", -1, NULL));
	site->certificate = g_build_filename(directory, "certificate", NULL);
	certificate_write(site->certificate, key);
	return directory;
}

static void site_start(struct site *site, const char *how, const char *walls)
{
	*site = (struct site){ .directory = backend_directory_create() };
	unsigned port = free_port();
	g_autofree char *secrets = make_secrets(site);
	g_autofree char *tls = g_strdup_printf("--spice-tls-port=%u", port);
	g_autofree char *certificate = g_strdup_printf("--spice-tls-cert=%s", site->certificate);
	g_autofree char *key = g_strdup_printf("--spice-tls-key=%s/key", secrets);
	g_autofree char *password = g_strdup_printf("--password-file=%s/password", secrets);
	g_autofree char *near = g_strdup_printf("--spice-unix=%s/spice", site->directory);
	g_autofree char *figures = g_strdup_printf("--stats-socket=%s/stats", site->directory);
	const char *arguments[] = { tls, certificate, key, password, near, figures, "--virgl",
		"--spare=none", how, walls, NULL };
	const struct guest_options options = { .program = g_getenv("VITRINE_GPU"),
		.arguments = arguments,
		.directory = site->directory,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.virgl = true,
		.timeout_ms = PATIENCE_MS };
	site->uri = g_strdup_printf("spice://127.0.0.1?tls-port=%u", port);
	site->guest = guest_create(&options);
}

static void site_end(struct site *site)
{
	guest_destroy(site->guest);
	g_free(site->certificate);
	g_free(site->uri);
}

/* A picture of one colour, drawn by the GPU. */
static uint32_t show(struct site *site)
{
	const guest_rect all = { 0, 0, SIDE, SIDE };
	uint32_t color = ++site->n_pictures * 0x432110 % 0xffffff;
	const float rgba[4] = { (float)(color >> 16 & 255) / 255, (float)(color >> 8 & 255) / 255,
		(float)(color & 255) / 255, 1 };
	struct virgl_stream stream = { 0 };
	virgl_create_surface(&stream, 1, PICTURE, VIRGL_FORMAT_B8G8R8X8);
	virgl_set_framebuffer(&stream, 1);
	virgl_clear(&stream, rgba);
	wire_ok(guest_gpu_ctx_create(site->guest, PAINTER, "session"));
	wire_ok(guest_gpu_ctx_attach(site->guest, PAINTER, PICTURE));
	wire_ok(guest_gpu_submit(site->guest, PAINTER, stream.words, virgl_stream_bytes(&stream)));
	wire_ok(guest_gpu_flush(site->guest, PICTURE, all));
	wire_ok(guest_gpu_ctx_destroy(site->guest, PAINTER));
	virgl_stream_finish(&stream);
	return color;
}

static void prepare_picture(struct site *site)
{
	const guest_rect all = { 0, 0, SIDE, SIDE };
	const struct virtio_gpu_resource_create_3d create = { .resource_id = PICTURE,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8X8,
		.bind = VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SCANOUT,
		.width = SIDE,
		.height = SIDE,
		.depth = 1,
		.array_size = 1 };
	wire_ok(guest_gpu_create_3d(site->guest, &create));
	wire_ok(guest_gpu_set_scanout(site->guest, 0, PICTURE, all));
}

/* A client has limits of time that a busy VM does not keep: it comes again. */
static void expect_picture(struct site *site, struct client *client)
{
	uint32_t color = show(site);
	gint64 end = g_get_monotonic_time() + PATIENCE_MS * 1000;
	bool seen = false;
	while (!seen && g_get_monotonic_time() < end) {
		if (!client_is_connected(client))
			g_free(client_ask(client, "reconnect"));
		g_autofree char *answer = client_ask(
			client, "wait-pixel %d %d %06x 10000 0", SIDE / 2, SIDE / 2, color);
		seen = answer_is_ok(answer);
	}
	g_assert_true(seen);
}

/* ---- tests ---- */

static pid_t wait_worker(const struct site *site, const char *name, pid_t other_than)
{
	pid_t pid = backend_wait_child(site->guest->backend, name, other_than, PATIENCE_MS);
	g_assert_cmpint(pid, >, 0);
	expect_profile(pid, name);
	return pid;
}

static void begin(struct site *site, struct client **client, const char *how, const char *walls)
{
	read_denials();
	site_start(site, how, walls);
	wait_worker(site, "vitrine-render", 0);
	wait_worker(site, "vitrine-display", 0);
	expect_profile(site->guest->backend->pid, "vitrine-keeper");
	prepare_picture(site);
	client_trust(site->certificate);
	*client = client_new(site->uri, "secret");
	expect_picture(site, *client);
	expect_no_denial("a picture");
}

/* The profiles alone: nothing else is there that refuses something before they are asked. */
static void test_gpu(void)
{
	struct site site;
	struct client *client;
	begin(&site, &client, "--render-node=" NODE, "--confine=off");
	pid_t old = wait_worker(&site, "vitrine-render", 0);
	kill(old, SIGKILL);
	wait_worker(&site, "vitrine-render", old);
	expect_picture(&site, client);
	client_free(client);
	site_end(&site);
	expect_no_denial("another renderer, and the end");
}

/* Nodes as udev leaves them, or as the kernel makes them. */
static void give_nodes_to(gid_t group)
{
	g_autoptr(GDir) dir = g_dir_open(NODES, 0, NULL);
	g_assert_nonnull(dir);
	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *node = g_build_filename(NODES, name, NULL);
		if (!g_str_has_prefix(name, "renderD"))
			continue;
		g_assert_no_errno(chown(node, 0, group));
		g_assert_no_errno(chmod(node, group ? 0660 : 0600));
	}
}

static char *read_status(pid_t pid, const char *field)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	char *value = strstr(text, field);
	g_assert_nonnull(value);
	return g_strndup(value, strcspn(value, "\n"));
}

/* Servants execute nothing, so they have the keeper's program and names of their own. */
static pid_t find_servant(const struct site *site, const char *name)
{
	pid_t pid = process_find_child(site->guest->backend->pid, name);
	if (pid == 0)
		g_error("there is no %s among the keeper's children", name);
	return pid;
}

static void expect_capabilities(pid_t pid, uint32_t wanted)
{
	g_autofree char *capabilities = read_status(pid, "CapPrm:");
	g_autofree char *want = g_strdup_printf("CapPrm:\t%016x", wanted);
	g_assert_cmpstr(capabilities, ==, want);
	expect_profile(pid, "vitrine-gpu");
}

/*
 * The profile lets the starter keep what namespaces take, and the fetcher, since this desktop has a
 * password, the right to read it again; no more than that. Starter and workers are in namespaces
 * and have the users that they should have.
 */
static void expect_apart(const struct site *site, pid_t worker, bool has_users)
{
	const uint32_t for_users = 1u << CAP_SETUID | 1u << CAP_SETGID;
	pid_t starter = find_servant(site, "vitrine-starter");
	expect_capabilities(starter, has_users ? for_users : 1u << CAP_SETFCAP);
	expect_capabilities(find_servant(site, "vitrine-fetcher"), 1u << CAP_DAC_READ_SEARCH);
	g_autofree char *starters = read_status(starter, "Uid:");
	g_assert_cmpint(g_str_has_prefix(starters, "Uid:\t0\t"), ==, !has_users);
	g_autofree char *user = read_status(worker, "Uid:");
	g_assert_cmpint(g_str_has_prefix(user, "Uid:\t0\t"), ==, !has_users);
	g_autofree char *link = g_strdup_printf("/proc/%d/ns/user", (int)worker);
	g_autofree char *theirs = g_file_read_link(link, NULL);
	g_autofree char *ours = g_file_read_link("/proc/self/ns/user", NULL);
	g_assert_cmpstr(theirs, !=, ours);
}

/* All walls. The kernel ends the workers of a keeper that has no time for it. */
static void run_apart(gid_t group, const char *how)
{
	struct site site;
	struct client *client;
	give_nodes_to(group);
	begin(&site, &client, how, "--confine=auto");
	pid_t renderer = wait_worker(&site, "vitrine-render", 0);
	pid_t display = wait_worker(&site, "vitrine-display", 0);
	expect_apart(&site, renderer, group != 0);
	expect_apart(&site, display, group != 0);
	kill(site.guest->backend->pid, SIGKILL);
	gint64 end = g_get_monotonic_time() + PATIENCE_MS * 1000;
	while ((kill(renderer, 0) == 0 || kill(display, 0) == 0) && g_get_monotonic_time() < end)
		g_usleep(20000);
	g_assert_cmpint(kill(renderer, 0), ==, -1);
	g_assert_cmpint(kill(display, 0), ==, -1);
	client_free(client);
	site_end(&site);
	expect_no_denial("the death signal");
}

/* Without udev a node is root's alone, and so are workers. */
static void test_root_node(void)
{
	run_apart(0, "--software");
}

static void test_group_node(void)
{
	run_apart(NODE_GROUP, "--render-node=" NODE);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (!g_getenv("VITRINE_DRM_VM") || kernel_log < 0)
		return wire_skip_all("runs in tests/drm/vm");
	g_test_add_func("/apparmor/gpu", test_gpu);
	g_test_add_func("/apparmor/root-node", test_root_node);
	g_test_add_func("/apparmor/group-node", test_group_node);
	profile_climbs_add();
	table_climbs_add();
	return g_test_run();
}
