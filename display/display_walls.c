/* SPDX-License-Identifier: MIT */
#include "display/display_walls.h"

#include <errno.h>
#include <glib.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/confine/path_list.h"
#include "display/relay/inner_maker.h"

/* Clients take some each, and heads, frames and encoders. */
#define DISPLAY_FDS_MAX 65536
/* Sixteen heads of 4K, of which pixels are kept, with an encoder each, take less. */
#define DATA_MAX_BYTES (UINT64_C(8) << 30)
/* It makes no large files; what it maps of render's is made there. */
#define DISPLAY_FILE_BYTES_MAX (UINT64_C(4) << 30)
/* Encoders take some for each processor, each head and each client. */
#define DISPLAY_THREADS_MAX 1024
#define SOCKET_TYPE_MASK 0xf /* SOCK_TYPE_MASK of linux/net.h: without SOCK_CLOEXEC and such */

static const struct confine_path paths[] = {
	{ "/usr", CONFINE_READ, "libraries, GStreamer's plugins, drivers of encoders" },
	{ "/lib", CONFINE_READ, "the same, where it is no link into /usr" },
	{ "/lib64", CONFINE_READ, "the same" },
	{ "/etc/ld.so.cache", CONFINE_READ, "where libraries are, when a plugin is loaded" },
	{ "/etc/localtime", CONFINE_READ, "times in the log" },
	{ "/etc/gnutls", CONFINE_READ, "GnuTLS: which ciphers the administrator wants" },
	{ "/etc/crypto-policies", CONFINE_READ, "the same, elsewhere than on Debian" },
	{ "/etc/ssl/openssl.cnf", CONFINE_READ,
		"OpenSSL, which makes RSA keys for log-ins, ours and spice-server's" },
	{ "/dev/urandom", CONFINE_READ, "random numbers of libraries older than getrandom()" },
	{ "/dev/null", CONFINE_DEVICE, "libraries open it in descriptors' places" },
	{ "/sys/devices/system/cpu", CONFINE_READ, "how many threads encoders make" },
	{ "/proc/self", CONFINE_READ, "its own maps and figures" },
	{ "/proc/cpuinfo", CONFINE_READ, "encoders ask what the CPU can do" },
	{ "/proc/meminfo", CONFINE_READ, "the same for memory" },
};

static const struct confine_path gpu_paths[] = {
	{ "/dev/dri", CONFINE_LIST, "the list of GPUs; nodes have rows of their own" },
	{ "/sys/class/drm", CONFINE_READ, "GStreamer's VA plugin looks for GPUs by libudev" },
	{ "/sys/bus", CONFINE_READ, "the same" },
	{ "/run/udev", CONFINE_READ, "the same" },
	{ "/etc/libva.conf", CONFINE_READ, "which driver VA-API is to load" },
	{ "/etc/drirc", CONFINE_READ, "Mesa's VA drivers: the administrator's settings" },
	{ "/dev/nvidiactl", CONFINE_DEVICE, "NVENC: NVIDIA's control node" },
	{ "/dev/nvidia0", CONFINE_DEVICE, "NVENC: the GPU" },
	{ "/dev/nvidia-uvm", CONFINE_DEVICE, "NVENC: CUDA's memory" },
	{ "/proc/driver/nvidia", CONFINE_READ, "NVENC: what is there" },
	{ "/proc/devices", CONFINE_READ, "NVENC: numbers of its nodes" },
	{ "/proc/modules", CONFINE_READ, "NVENC: whether the driver is loaded" },
};

/* Variables of the dynamic linker, GStreamer and libva that name places of libraries and plugins.
 */
static const char *const variables[] = { "LD_LIBRARY_PATH", "GST_PLUGIN_PATH",
	"GST_PLUGIN_PATH_1_0", "GST_PLUGIN_SYSTEM_PATH", "GST_PLUGIN_SYSTEM_PATH_1_0",
	"LIBVA_DRIVERS_PATH", "LIBGL_DRIVERS_PATH" };

#define ARGUMENT(number, bits, wanted)                                                             \
	{                                                                                          \
		.compare = CONFINE_EQUAL, .argument = (number), .mask = (bits), .value = (wanted)  \
	}
#define INT UINT64_C(0xffffffff)
/* Others bring programs of BPF, modules of the kernel and its tables of routes into reach. */
#define SOCKET_OPTION(level, option, why)                                                          \
	{                                                                                          \
		"setsockopt", why,                                                                 \
		{                                                                                  \
			ARGUMENT(1, INT, (level)), ARGUMENT(2, INT, (option))                      \
		}                                                                                  \
	}

static const struct confine_call calls[] = {
	{ "accept4 accept", "clients, on the sockets that it was handed, which listen already" },
	{ "socketpair", "spice-server's threads; a datagram socket could be sent elsewhere",
		{ ARGUMENT(0, INT, AF_UNIX), ARGUMENT(1, SOCKET_TYPE_MASK, SOCK_STREAM) } },
	SOCKET_OPTION(SOL_SOCKET, SO_SNDBUF, "how much the relay lets wait"),
	SOCKET_OPTION(SOL_SOCKET, SO_RCVBUF, "the same"),
	SOCKET_OPTION(SOL_SOCKET, SO_RCVLOWAT, "a greeting is waited for as a whole"),
	SOCKET_OPTION(SOL_SOCKET, SO_KEEPALIVE, "clients that went away unheard"),
	SOCKET_OPTION(SOL_SOCKET, SO_PRIORITY, "spice-server: sound goes first"),
	SOCKET_OPTION(IPPROTO_IP, IP_TOS, "the same"),
	SOCKET_OPTION(IPPROTO_TCP, TCP_NODELAY, "what is small is sent at once"),
	SOCKET_OPTION(IPPROTO_TCP, TCP_CORK, "what belongs together goes together"),
	SOCKET_OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT, "no more waits than is sent soon"),
	SOCKET_OPTION(IPPROTO_TCP, TCP_KEEPIDLE, "clients that went away unheard"),
	SOCKET_OPTION(IPPROTO_TCP, TCP_KEEPINTVL, "the same"),
	SOCKET_OPTION(IPPROTO_TCP, TCP_KEEPCNT, "the same"),
	SOCKET_OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT, "the same"),
	SOCKET_OPTION(IPPROTO_TCP, TCP_CONGESTION, "BBR makes pictures stand still"),
	{ "ioctl", "how much waits in a socket to be sent", { ARGUMENT(1, INT, TIOCOUTQ) } },
	{ "ioctl", "how much of it was not sent yet", { ARGUMENT(1, INT, SIOCOUTQNSD) } },
};

static const struct confine_limit limits[] = {
	{ RLIMIT_CORE, 0, "a dump would hold pictures, keys and the password" },
	{ RLIMIT_NOFILE, DISPLAY_FDS_MAX, "a process that is taken over cannot take them all" },
	{ RLIMIT_DATA, DATA_MAX_BYTES, "nor the machine's memory" },
	{ RLIMIT_FSIZE, DISPLAY_FILE_BYTES_MAX, "nor all memory by one file of it" },
	{ RLIMIT_NPROC, DISPLAY_THREADS_MAX, "nor all threads", .needs_namespaces = true },
};

/* ---- rules ---- */

static struct path_list *make_paths(const struct display_walls *walls)
{
	struct path_list *list = path_list_create();
	path_list_add_table(list, paths, G_N_ELEMENTS(paths));
	for (unsigned i = 0; i < G_N_ELEMENTS(variables); i++)
		path_list_add_variable(list, variables[i]);
	path_list_add_libraries(list);
	g_autofree char *plugins =
		g_build_filename(g_get_user_data_dir(), "gstreamer-1.0", "plugins", NULL);
	path_list_add(list, plugins, CONFINE_READ, "the user's own plugins of GStreamer");
	if (walls->render_node) {
		path_list_add_table(list, gpu_paths, G_N_ELEMENTS(gpu_paths));
		path_list_add_gpu(list, walls->render_node);
	}
	return list;
}

static struct confine_rules make_rules(const struct display_walls *walls)
{
	struct confine_rules rules = {
		.process = "vitrine-display",
		.calls = { confine_calls_common, confine_calls_code, confine_calls_forbid,
			{ calls, G_N_ELEMENTS(calls) } },
		.limits = limits,
		.n_limits = G_N_ELEMENTS(limits),
	};
	if (walls->render_node) {
		rules.calls[4] = confine_calls_gpu;
		rules.calls[5] = confine_calls_nvidia;
	}
	if (walls->render_node && access("/dev/nvidia-uvm", F_OK) == 0)
		rules.calls[6] = confine_calls_cuda;
	return rules;
}

/* ---- who makes the inner connections ---- */

static const struct confine_call inner_calls[] = {
	{ "socket", "a connection's first end (display/relay/loopback.h): TCP",
		{ ARGUMENT(0, INT, AF_INET), ARGUMENT(1, SOCKET_TYPE_MASK, SOCK_STREAM),
			ARGUMENT(2, INT, 0) } },
	{ "connect", "the same; it has no socket of another network than the namespace's" },
	{ "accept4", "the other end" },
	SOCKET_OPTION(SOL_SOCKET, SO_SNDBUF, "how much the relay lets wait"),
	SOCKET_OPTION(SOL_SOCKET, SO_RCVBUF, "the same"),
	SOCKET_OPTION(SOL_SOCKET, SO_SNDTIMEO, "how long it may take"),
	SOCKET_OPTION(IPPROTO_TCP, TCP_NODELAY, "what is small is sent at once"),
};

/* What all others need, and it does not. */
static const struct confine_call inner_refused[] = {
	{ "recvmsg recvmmsg", "display, which may be taken over, hands it no sockets" },
	{ "clone", "it makes no threads" },
	{ "open openat memfd_create", "it opens nothing" },
};

/* Display begins with as many descriptors; the kernel counts those under way by this limit, too. */
static const struct confine_limit inner_limits[] = {
	{ RLIMIT_CORE, 0, "as display's" },
	{ RLIMIT_NOFILE, DISPLAY_FDS_MAX, "the same" },
	{ RLIMIT_DATA, DATA_MAX_BYTES, "the same" },
	{ RLIMIT_FSIZE, DISPLAY_FILE_BYTES_MAX, "the same; the log may be a file" },
};

bool display_walls_confine_inner(void *user, uint16_t port, struct confine_state *state)
{
	const struct display_walls *walls = user;
	g_autoptr(GError) error = NULL;
	const struct confine_rules rules = {
		.process = "vitrine-inner",
		.calls = { confine_calls_common, { inner_calls, G_N_ELEMENTS(inner_calls) } },
		.refused_early = { inner_refused, G_N_ELEMENTS(inner_refused) },
		.limits = inner_limits,
		.n_limits = G_N_ELEMENTS(inner_limits),
		.connect_ports = &port,
		.n_connect_ports = 1,
	};
	if (walls->mode != CONFINE_OFF)
		confine_note_environment(state);
	if (!confine_apply(&rules, walls->mode, state, &error)) {
		g_warning("%s", error->message);
		return false;
	}
	confine_log(state, walls->mode);
	return true;
}

/* ---- putting them up ---- */

bool display_walls_begin(struct display_walls *walls)
{
	g_autoptr(GError) error = NULL;
	struct confine_rules rules = make_rules(walls);
	if (walls->mode != CONFINE_OFF)
		confine_note_environment(&walls->state);
	struct path_list *list = make_paths(walls);
	path_list_give(list, &rules);
	bool ok = confine_threads(&rules, walls->mode, &walls->state, &error);
	path_list_destroy(list);
	if (!ok)
		g_warning("%s", error->message);
	return ok;
}

bool display_walls_finish(struct display_walls *walls)
{
	g_autoptr(GError) error = NULL;
	struct confine_rules rules = make_rules(walls);
	if (!inner_maker_is_ready(&walls->inner))
		return false;
	if (!confine_apply(&rules, walls->mode, &walls->state, &error)) {
		g_warning("%s", error->message);
		return false;
	}
	confine_log(&walls->state, walls->mode);
	return true;
}

/*
 * What only the search for encoders needed. Executable memory stays: Orc, which GStreamer's
 * converters are compiled with, makes code when a stream starts, and ends the process without. An
 * ioctl's type stands in its second byte.
 */
static const struct confine_call search_rows[] = {
	{ "ioctl", "DRM", { ARGUMENT(1, 0xff00, 'd' << 8) } },
	{ "ioctl", "dma-buf", { ARGUMENT(1, 0xff00, 'b' << 8) } },
	{ "ioctl", "NVIDIA", { ARGUMENT(1, 0xff00, 'F' << 8) } },
	{ "ioctl", "NVIDIA's modes", { ARGUMENT(1, 0xff00, 'm' << 8) } },
	{ "ioctl", "CUDA's memory", { ARGUMENT(1, 0xffffff00, 0) } },
	{ "ioctl", "the same", { ARGUMENT(1, 0xfffffffc, 0x30000000) } },
};

void display_walls_narrow(const struct display_walls *walls, bool hardware)
{
	const struct confine_calls search = { search_rows, G_N_ELEMENTS(search_rows) };
	g_autoptr(GError) error = NULL;
	if (!hardware && !confine_forbid(&walls->state, "vitrine-display", &search, &error))
		g_warning("%s", error->message);
}
