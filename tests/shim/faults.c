/* SPDX-License-Identifier: MIT */
#include "tests/shim/faults.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

pthread_mutex_t shim_lock = PTHREAD_MUTEX_INITIALIZER;

static struct faults faults;
static struct shim_control own_control, *control = &own_control;
static int log_fd = -1;

void *shim_next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);
	if (!function) {
		fprintf(stderr, "shim: there is no %s\n", name);
		abort();
	}
	return function;
}

/* ---- the list ---- */

/* What is set to `value`, or for START_* to `number`, in each node that the name does not leave
 * out. */
static const struct {
	const char *text;
	size_t offset;
	enum shim_start start;
} node_words[] = {
	{ "start=crash", offsetof(struct faults, start), START_CRASH },
	{ "start=hang", offsetof(struct faults, start), START_HANG },
	{ "start=fail", offsetof(struct faults, start), START_FAIL },
	{ "rights=none", offsetof(struct faults, no_rights), START_OK },
};

static const struct {
	const char *text;
	size_t offset;
} flags[] = {
	{ "once", offsetof(struct faults, once) },
	{ "shared", offsetof(struct faults, shared) },
	{ "stalls", offsetof(struct faults, stalls) },
	{ "export=fail", offsetof(struct faults, export_fails) },
	{ "export=none", offsetof(struct faults, export_is_none) },
	{ "import=fail", offsetof(struct faults, import_fails) },
	{ "map=null", offsetof(struct faults, map_is_null) },
	{ "pixels=wrong", offsetof(struct faults, pixels_are_wrong) },
	{ "linear=external", offsetof(struct faults, linear_is_external) },
	{ "bug", offsetof(struct faults, bug) },
};

static const struct {
	const char *text;
	size_t offset;
} numbers[] = {
	{ "reset=", offsetof(struct faults, reset) },
	{ "reset-innocent=", offsetof(struct faults, reset_innocent) },
	{ "reset-always=", offsetof(struct faults, reset_always) },
	{ "busy=", offsetof(struct faults, busy_ms) },
	{ "late=", offsetof(struct faults, late_ms) },
	{ "endless=", offsetof(struct faults, endless) },
	{ "gone=", offsetof(struct faults, gone) },
};

#define N_OF(table) (sizeof(table) / sizeof((table)[0]))
#define AT(offset, type) (*(type *)((char *)&faults + (offset)))

static bool set_node_word(const char *word)
{
	const char *at = strchr(word, '@');
	size_t length = at ? (size_t)(at - word) : strlen(word);
	for (size_t i = 0; i < N_OF(node_words); i++) {
		if (strlen(node_words[i].text) != length ||
			strncmp(word, node_words[i].text, length) != 0)
			continue;
		for (int node = 0; node < SHIM_NODES_MAX; node++) {
			if (at && atoi(at + 1) != SHIM_MINOR_FIRST + node)
				continue;
			if (node_words[i].start == START_OK)
				faults.no_rights[node] = true;
			else
				faults.start[node] = node_words[i].start;
		}
		return true;
	}
	return false;
}

/* A renderer that is told to draw with the CPU has no card whose GL could be old. */
static bool is_for_cpu(void)
{
	char arguments[4096];
	FILE *file = fopen("/proc/self/cmdline", "re");
	size_t n = file ? fread(arguments, 1, sizeof(arguments) - 1, file) : 0;
	if (file)
		fclose(file);
	arguments[n] = '\0';
	for (size_t at = 0; at < n; at += strlen(arguments + at) + 1) {
		if (strcmp(arguments + at, "--software") == 0)
			return true;
	}
	return false;
}

static bool set_word(const char *word)
{
	for (size_t i = 0; i < N_OF(flags); i++) {
		if (strcmp(word, flags[i].text) == 0)
			return AT(flags[i].offset, bool) = true;
	}
	for (size_t i = 0; i < N_OF(numbers); i++) {
		size_t length = strlen(numbers[i].text);
		if (strncmp(word, numbers[i].text, length) == 0) {
			AT(numbers[i].offset, uint32_t) =
				(uint32_t)strtoul(word + length, NULL, 10);
			return true;
		}
	}
	/* drawing.c looks for this one itself. */
	if (strcmp(word, "untold") == 0)
		return true;
	/* Mesa does these two itself, and would for the CPU. */
	if (strncmp(word, "gl=", 3) == 0)
		return is_for_cpu() || setenv("MESA_GL_VERSION_OVERRIDE", word + 3, 1) == 0;
	if (strcmp(word, "no-egl-image") == 0)
		return is_for_cpu() ||
		       setenv("MESA_EXTENSION_OVERRIDE", "-GL_OES_EGL_image", 1) == 0;
	return set_node_word(word);
}

static void read_faults(void)
{
	const struct shim_chip *chip = shim_chip_find(getenv("VITRINE_SHIM_GPU"));
	const char *nodes = getenv("VITRINE_SHIM_NODES"), *list = getenv("VITRINE_SHIM_FAULTS");
	faults = (struct faults){ .driver = chip ? chip->driver : SHIM_NO_DRIVER, .n_nodes = 1 };
	faults.reset = faults.reset_innocent = faults.reset_always = SHIM_NEVER;
	faults.endless = faults.gone = SHIM_NEVER;
	if (nodes && atoi(nodes) >= 1 && atoi(nodes) <= SHIM_NODES_MAX)
		faults.n_nodes = (unsigned)atoi(nodes);
	char *words = strdup(list ? list : ""), *rest = words, *word;
	while ((word = strsep(&rest, ","))) {
		if (*word && !set_word(word)) {
			fprintf(stderr, "shim: there is no failure %s\n", word);
			abort();
		}
	}
	free(words);
}

/* ---- the files ---- */

/* They are opened here, before the renderer has put up its walls. */
static void open_files(void)
{
	int (*next_open)(const char *, int, ...) =
		(int (*)(const char *, int, ...))shim_next("open");
	const char *log = getenv("VITRINE_SHIM_LOG"), *shared = getenv("VITRINE_SHIM_CONTROL");
	if (log)
		log_fd = next_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int fd = shared ? next_open(shared, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		return;
	void *memory = MAP_FAILED;
	if (ftruncate(fd, sizeof(*control)) == 0)
		memory = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory != MAP_FAILED)
		control = memory;
	close(fd);
}

__attribute__((constructor)) static void faults_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT, files_once = PTHREAD_ONCE_INIT;
	pthread_once(&once, read_faults);
	pthread_once(&files_once, open_files);
}

const struct faults *faults_get(void)
{
	return &faults;
}

struct shim_control *faults_control(void)
{
	return control;
}

void faults_log(const char *format, ...)
{
	char line[256];
	if (log_fd < 0)
		return;
	int n = snprintf(line, sizeof(line), "%d ", (int)getpid());
	va_list arguments;
	va_start(arguments, format);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, format, arguments);
	va_end(arguments);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n] = '\n';
	/* A log that is full or gone is the test's affair. */
	if (write(log_fd, line, (size_t)n + 1) < 0)
		return;
}
