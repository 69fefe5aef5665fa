/* SPDX-License-Identifier: MIT */
#include "tests/climbs/climb_desktop.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/wire/guest_gpu.h"
#include "tests/wire/scene3d.h"

/* A climb takes microseconds, or as long as a connection may (climb_network.c). */
#define CLIMB_LIMIT_MS 10000
/* Who reads a link has read by then, and done what it does. */
#define READER_MS 300
/* A desktop that does not start says so by then. */
#define REFUSAL_LIMIT_MS 20000

/* ---- processes ---- */

struct process {
	pid_t pid, parent;
	char state, name[20];
};

static bool read_process(pid_t pid, struct process *process)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;
	int parent;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	char *name = strchr(text, '('), *end = strrchr(text, ')');
	if (!name || !end || sscanf(end + 1, " %c %d", &process->state, &parent) != 2)
		return false;
	*end = '\0';
	g_strlcpy(process->name, name + 1, sizeof(process->name));
	process->pid = pid;
	process->parent = parent;
	return true;
}

/* While another thread executes something the first one is a zombie, until it has its ID. */
static bool has_threads(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)pid);
	GDir *tasks = g_dir_open(path, 0, NULL);
	unsigned n = 0;
	while (tasks && g_dir_read_name(tasks))
		n++;
	if (tasks)
		g_dir_close(tasks);
	return n > 1;
}

static bool is_alive(pid_t pid)
{
	struct process process;
	if (!read_process(pid, &process) || process.state == 'X')
		return false;
	return process.state != 'Z' || has_threads(pid);
}

static GArray *list_all(void)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(struct process));
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	while (proc && (entry = readdir(proc))) {
		struct process process;
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && read_process(pid, &process) && process.state != 'Z')
			g_array_append_val(all, process);
	}
	if (proc)
		closedir(proc);
	return all;
}

static bool descends(const GArray *all, const struct process *process, pid_t from)
{
	pid_t parent = process->parent;
	for (guint steps = 0; parent > 1 && steps < all->len; steps++) {
		const struct process *next = NULL;
		if (parent == from)
			return true;
		for (guint i = 0; i < all->len && !next; i++) {
			const struct process *p = &g_array_index(all, struct process, i);
			next = p->pid == parent ? p : NULL;
		}
		parent = next ? next->parent : 0;
	}
	return false;
}

/* Lists what the keeper has started, and what that has. */
static GArray *list_below(const struct climb_desktop *desktop)
{
	GArray *all = list_all(), *below = g_array_new(FALSE, FALSE, sizeof(struct process));
	pid_t keeper = desktop->guest ? desktop->guest->backend->pid : 0;
	for (guint i = 0; i < all->len && keeper; i++) {
		struct process *process = &g_array_index(all, struct process, i);
		if (descends(all, process, keeper))
			g_array_append_val(below, *process);
	}
	g_array_unref(all);
	return below;
}

static enum climb_process kind_of(const struct process *process)
{
	if (g_str_has_prefix(process->name, "vitrine-render"))
		return CLIMB_RENDER;
	if (g_str_has_prefix(process->name, "vitrine-display"))
		return CLIMB_DISPLAY;
	if (g_str_has_prefix(process->name, "vitrine-inner"))
		return CLIMB_INNER;
	return g_str_has_prefix(process->name, "vitrine-fetcher") ? CLIMB_FETCHER : CLIMB_STARTER;
}

/* Returns where the process of that kind is remembered; looking through /proc takes its time. */
static pid_t *remembered(struct climb_desktop *desktop, enum climb_process process)
{
	return &desktop->pids[__builtin_ctz(process)];
}

pid_t climb_desktop_find(struct climb_desktop *desktop, enum climb_process process)
{
	pid_t *found = remembered(desktop, process);
	if (process == CLIMB_KEEPER)
		return desktop->guest->backend->pid;
	if (*found && is_alive(*found))
		return *found;
	*found = 0;
	GArray *below = list_below(desktop);
	for (guint i = 0; i < below->len && !*found; i++) {
		const struct process *p = &g_array_index(below, struct process, i);
		if (kind_of(p) == process)
			*found = p->pid;
	}
	g_array_unref(below);
	return *found;
}

static pid_t find_thread(pid_t pid, const char *name)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)pid);
	pid_t found = 0;
	DIR *tasks = name ? opendir(path) : NULL;
	struct dirent *entry;
	while (tasks && !found && (entry = readdir(tasks))) {
		g_autofree char *comm = g_strdup_printf("%s/%s/comm", path, entry->d_name);
		g_autofree char *text = NULL;
		if (g_file_get_contents(comm, &text, NULL, NULL) &&
			strcmp(g_strchomp(text), name) == 0)
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	if (tasks)
		closedir(tasks);
	return name ? found : pid;
}

/* Reads one of status' numbers; -1 when there is none. */
static long long read_status(const char *status, const char *name, int base)
{
	g_autofree char *key = g_strconcat("\n", name, ":", NULL);
	const char *at = strstr(status, key);
	return at ? g_ascii_strtoll(at + strlen(key), NULL, base) : -1;
}

/* Returns what is wrong with a thread, or NULL. */
static char *judge_thread(const char *path)
{
	g_autofree char *file = g_strconcat(path, "/status", NULL);
	g_autofree char *status = NULL;
	/* It may have ended. */
	if (!g_file_get_contents(file, &status, NULL, NULL))
		return NULL;
	if (read_status(status, "NoNewPrivs", 10) == 1 && read_status(status, "Seccomp", 10) == 2 &&
		read_status(status, "CapPrm", 16) == 0 && read_status(status, "CapEff", 16) == 0)
		return NULL;
	return g_strdup_printf("%s: NoNewPrivs %lld, Seccomp %lld, CapPrm %llx", path,
		read_status(status, "NoNewPrivs", 10), read_status(status, "Seccomp", 10),
		read_status(status, "CapPrm", 16));
}

unsigned climb_desktop_check_threads(
	struct climb_desktop *desktop, enum climb_process process, unsigned *n_threads)
{
	pid_t pid = climb_desktop_find(desktop, process);
	g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)pid);
	unsigned n_open = 0;
	GDir *tasks = pid ? g_dir_open(path, 0, NULL) : NULL;
	const char *name;
	*n_threads = 0;
	while (tasks && (name = g_dir_read_name(tasks))) {
		g_autofree char *thread = g_build_filename(path, name, NULL);
		g_autofree char *fault = judge_thread(thread);
		++*n_threads;
		n_open += fault != NULL;
		if (fault)
			g_print("# %s\n", fault);
	}
	if (tasks)
		g_dir_close(tasks);
	return n_open;
}

/* ---- its life ---- */

void climb_desktop_init(
	struct climb_desktop *desktop, struct climb_site *site, const struct climb_variant *variant)
{
	*desktop = (struct climb_desktop){ .site = site, .variant = variant };
	memset(site->memory->cells, 0, sizeof(site->memory->cells));
}

static const char *variable(const char *name)
{
	const char *value = g_getenv(name);
	if (!value)
		g_error("%s is not set: run by meson", name);
	return value;
}

static void add(GPtrArray *arguments, const char *option, const char *value)
{
	g_ptr_array_add(arguments, g_strdup_printf("--%s=%s", option, value));
}

static GPtrArray *make_arguments(const struct climb_desktop *desktop, const char *run_dir)
{
	GPtrArray *a = g_ptr_array_new_with_free_func(g_free);
	const struct climb_site *site = desktop->site;
	const struct climb_targets *t = &site->memory->targets;
	g_autofree char *user = g_strdup_printf("%u", (unsigned)site->user);
	g_autofree char *home = g_strconcat("HOME=", t->home, NULL);
	g_autofree char *memory = g_strconcat(PLANTED_VARIABLE "=", site->memory_path, NULL);
	g_autofree char *preload = g_strconcat("LD_PRELOAD=", site->preload, NULL);
	/* Workers, too, are to open that memory when they begin, and may write here. */
	g_autofree char *cache =
		g_strconcat("MESA_SHADER_CACHE_DIR=", site->directory, "/shared", NULL);
	g_autofree char *spice = g_build_filename(run_dir, "spice", NULL);
	g_autofree char *stats = g_build_filename(run_dir, "stats", NULL);
	if (desktop->variant->without)
		add(a, "without", desktop->variant->without);
	if (site->user != geteuid())
		add(a, "user", user);
	add(a, "set", home);
	add(a, "set", memory);
	add(a, "set", preload);
	add(a, "set", cache);
	g_ptr_array_add(a, g_strdup("--"));
	g_ptr_array_add(a, g_strdup(variable("VITRINE_GPU")));
	g_ptr_array_add(a, g_strdup("--virgl"));
	/* Each climb is to be tried once. */
	g_ptr_array_add(a, g_strdup("--spare=none"));
	g_ptr_array_add(a, g_strdup("--software"));
	g_ptr_array_add(a, g_strdup("--name=" CLIMB_NAME));
	g_autofree char *port = g_strdup_printf("%u", t->spice_port);
	add(a, "spice-unix", spice);
	add(a, "spice-port", port);
	add(a, "stats-socket", stats);
	add(a, "password-file", t->password);
	add(a, "qmp", t->qmp);
	if (desktop->variant->confine)
		add(a, "confine", desktop->variant->confine);
	g_ptr_array_add(a, NULL);
	return a;
}

void climb_desktop_start(struct climb_desktop *desktop)
{
	if (desktop->guest)
		return;
	char *run_dir = climb_site_make_run_dir(desktop->site);
	climb_site_choose_port(desktop->site);
	g_strlcpy(desktop->site->memory->targets.run_dir, run_dir, CLIMB_PATH);
	GPtrArray *arguments = make_arguments(desktop, run_dir);
	struct guest_options options = {
		.program = variable("KERNEL_WITHOUT"),
		.arguments = (const char *const *)arguments->pdata,
		.directory = run_dir,
		.virgl = true,
		.timeout_ms = 20000,
	};
	desktop->guest = guest_create(&options);
	g_ptr_array_unref(arguments);
	/* Each thread has begun when a picture was drawn. */
	g_assert_true(scene3d_run(desktop->guest, 10, 1));
	climb_site_drain(desktop->site);
	desktop->n_starts++;
}

int climb_desktop_try(struct climb_desktop *desktop, char **log)
{
	char *run_dir = climb_site_make_run_dir(desktop->site);
	climb_site_choose_port(desktop->site);
	GPtrArray *arguments = make_arguments(desktop, run_dir);
	struct backend *backend = backend_start(
		variable("KERNEL_WITHOUT"), (const char *const *)arguments->pdata, run_dir);
	bool ended = backend_wait_exit(backend, REFUSAL_LIMIT_MS);
	int status =
		ended && WIFEXITED(backend->wait_status) ? WEXITSTATUS(backend->wait_status) : -1;
	*log = backend_read_log(backend);
	g_ptr_array_unref(arguments);
	backend_destroy(backend);
	return status;
}

/* It may be anything by now, so it is not asked. */
void climb_desktop_stop(struct climb_desktop *desktop)
{
	if (!desktop->guest)
		return;
	GArray *below = list_below(desktop);
	kill(desktop->guest->backend->pid, SIGKILL);
	for (guint i = 0; i < below->len; i++)
		kill(g_array_index(below, struct process, i).pid, SIGKILL);
	g_array_unref(below);
	guest_destroy(desktop->guest);
	desktop->guest = NULL;
	desktop->spent = false;
	memset(desktop->pids, 0, sizeof(desktop->pids));
}

void climb_desktop_finish(struct climb_desktop *desktop)
{
	climb_desktop_stop(desktop);
}

char *climb_desktop_read_log(const struct climb_desktop *desktop)
{
	return backend_read_log(desktop->guest->backend);
}

/* ---- one climb ---- */

static bool send_order(pid_t pid, pid_t thread, unsigned cell)
{
	siginfo_t info = { .si_signo = PLANTED_SIGNAL, .si_code = SI_QUEUE };
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = (int)cell;
	return syscall(SYS_rt_tgsigqueueinfo, pid, thread, PLANTED_SIGNAL, &info) == 0;
}

static struct climb_outcome await(
	struct planted_cell *cell, const struct process *before, const struct climb *climb)
{
	struct process now;
	pid_t pid = before->pid;
	gint64 end = g_get_monotonic_time() + (gint64)CLIMB_LIMIT_MS * 1000;
	unsigned pause_us = 20;
	while (__atomic_load_n(&cell->state, __ATOMIC_ACQUIRE) != PLANTED_DONE) {
		if (!is_alive(pid))
			return (struct climb_outcome){ CLIMB_DIED, 0 };
		if ((climb->flags & CLIMB_EXECUTES) && read_process(pid, &now) &&
			strcmp(now.name, before->name) != 0)
			return (struct climb_outcome){ CLIMB_UP, 0 };
		if (g_get_monotonic_time() > end)
			return (struct climb_outcome){ CLIMB_HUNG, 0 };
		g_usleep(pause_us);
		pause_us = MIN(pause_us * 2, 5000);
	}
	return (struct climb_outcome){ cell->error ? CLIMB_HELD : CLIMB_UP, cell->error };
}

static void set_targets(struct climb_desktop *desktop, const struct climb_place *place, pid_t pid)
{
	struct climb_targets *t = &desktop->site->memory->targets;
	t->self = pid;
	__atomic_store_n(&t->heard, 0, __ATOMIC_RELEASE);
	t->keeper = climb_desktop_find(
		desktop, place->process == CLIMB_KEEPER ? CLIMB_STARTER : CLIMB_KEEPER);
	t->sibling = climb_desktop_find(
		desktop, place->process == CLIMB_RENDER ? CLIMB_DISPLAY : CLIMB_RENDER);
}

/* What got through may have led nowhere. */
static struct climb_outcome confirm(const struct climb_desktop *desktop, const struct climb *climb,
	struct climb_outcome outcome)
{
	const struct climb_targets *t = &desktop->site->memory->targets;
	if (!climb->confirm || outcome.verdict == CLIMB_HELD)
		return outcome;
	if (climb->flags & CLIMB_MAY_END) {
		for (unsigned ms = 0; ms < READER_MS && is_alive(t->self); ms += 10)
			g_usleep(10000);
		outcome.verdict = CLIMB_UP;
	}
	if (!climb->confirm(t))
		outcome = (struct climb_outcome){ CLIMB_HELD, 0 };
	return outcome;
}

/* A desktop that has just begun may lack the thread, or a link, for a moment. */
#define BEGIN_MS 5000
#define BEGIN_PAUSE_MS 10

static pid_t await_thread(
	struct climb_desktop *desktop, const struct climb_place *place, pid_t *pid)
{
	for (unsigned ms = 0;; ms += BEGIN_PAUSE_MS) {
		*pid = climb_desktop_find(desktop, place->process);
		pid_t thread = *pid ? find_thread(*pid, place->thread) : 0;
		if (thread || ms >= BEGIN_MS)
			return thread;
		g_usleep(BEGIN_PAUSE_MS * 1000);
	}
}

/* What a climb before has made of the listener may hear nobody any more. */
static void start_for(struct climb_desktop *desktop, const struct climb *climb)
{
	climb_desktop_start(desktop);
	if (!(climb->flags & CLIMB_VISITED) || climb_site_visit(desktop->site))
		return;
	climb_desktop_stop(desktop);
	climb_desktop_start(desktop);
	g_assert_true(climb_site_visit(desktop->site));
}

static struct climb_outcome climb_once(struct climb_desktop *desktop,
	const struct climb_place *place, unsigned group, unsigned row)
{
	const struct climb *climb = &climb_groups[group]->climbs[row];
	if (desktop->spent && !(climb->flags & CLIMB_SPENDS))
		climb_desktop_stop(desktop);
	start_for(desktop, climb);
	pid_t pid;
	pid_t thread = await_thread(desktop, place, &pid);
	if (!thread)
		return (struct climb_outcome){ CLIMB_NOT_TRIED, 0 };
	set_targets(desktop, place, pid);
	unsigned number = desktop->n_climbs++ % PLANTED_CELLS;
	struct planted_cell *cell = &desktop->site->memory->cells[number];
	*cell = (struct planted_cell){ .group = group, .row = row, .state = PLANTED_ASKED };
	/* A worker that executes something loses its link, for which the keeper would kill it. */
	pid_t keeper = desktop->guest->backend->pid;
	struct process before = { .pid = pid };
	read_process(pid, &before);
	if ((climb->flags & CLIMB_EXECUTES) && place->process != CLIMB_KEEPER)
		kill(keeper, SIGSTOP);
	if (!send_order(pid, thread, number))
		g_error("%s: no signal to %d: %s", place->name, (int)thread, g_strerror(errno));
	struct climb_outcome outcome = confirm(desktop, climb, await(cell, &before, climb));
	/* There was no link to break. */
	if ((climb->flags & CLIMB_MAY_END) && outcome.error == EBADF)
		outcome.verdict = CLIMB_NOT_TRIED;
	kill(keeper, SIGCONT);
	climb_site_drain(desktop->site);
	climb_site_unmount(desktop->site);
	desktop->spent |= outcome.verdict == CLIMB_UP && (climb->flags & CLIMB_SPENDS);
	if ((outcome.verdict == CLIMB_UP && (climb->flags & CLIMB_EXECUTES)) ||
		outcome.verdict == CLIMB_HUNG || (climb->flags & CLIMB_MAY_END) || !is_alive(pid))
		climb_desktop_stop(desktop);
	return outcome;
}

struct climb_outcome climb_desktop_climb(struct climb_desktop *desktop,
	const struct climb_place *place, unsigned group, unsigned row)
{
	bool needs_link = climb_groups[group]->climbs[row].flags & CLIMB_MAY_END;
	for (unsigned ms = 0;; ms += 10 * BEGIN_PAUSE_MS) {
		struct climb_outcome outcome = climb_once(desktop, place, group, row);
		if (outcome.verdict != CLIMB_NOT_TRIED || !needs_link || ms >= BEGIN_MS)
			return outcome;
		g_usleep(10 * BEGIN_PAUSE_MS * 1000);
	}
}
