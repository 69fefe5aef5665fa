/* SPDX-License-Identifier: MIT */
/*
 * stats: checks figures as readers see them: from memory that may hold anything to rates,
 * percentiles, JSON and text.
 */
#include <json-glib/json-glib.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/shm.h"
#include "common/listen.h"
#include "server/stats/stats_json.h"
#include "server/stats/stats_report.h"
#include "server/stats/stats_table.h"
#include "tests/unit/server/rig.h"

/* ---- memory ---- */

static struct stats *make_memory(enum stats_worker worker, int *fd)
{
	*fd = shm_create("test", sizeof(struct stats));
	struct stats *map = shm_map(*fd, sizeof(struct stats), true);
	g_assert_nonnull(map);
	map->magic = STATS_MAGIC;
	map->version = STATS_VERSION;
	map->size_bytes = sizeof(*map);
	map->worker = worker;
	return map;
}

static void refuse_copy(int fd)
{
	g_autoptr(GError) error = NULL;
	g_autofree struct stats *copy = g_new(struct stats, 1);
	g_assert_false(stats_snapshot_copy(fd, STATS_RENDER, copy, &error));
	g_assert_nonnull(strstr(error->message, "vitrine-render"));
}

static void test_memory_is_checked(void)
{
	int fd, short_fd = shm_create("short", 4096), bare = memfd_create("bare", MFD_CLOEXEC);
	struct stats *map = make_memory(STATS_RENDER, &fd);
	g_autofree struct stats *copy = g_new(struct stats, 1);
	g_assert_cmpint(ftruncate(bare, sizeof(*map)), ==, 0);
	refuse_copy(short_fd);
	refuse_copy(bare);
	uint64_t *fields[] = { &map->magic, &map->version, &map->size_bytes, &map->worker };
	for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
		uint64_t was = *fields[i];
		*fields[i] = was + 1;
		refuse_copy(fd);
		*fields[i] = was;
	}
	map->heads[3].counts[STATS_FRAMES_SENT] = 7;
	g_assert_true(stats_snapshot_copy(fd, STATS_RENDER, copy, NULL));
	g_assert_cmpuint(copy->heads[3].counts[STATS_FRAMES_SENT], ==, 7);
	shm_unmap(map, sizeof(*map));
	close(fd);
	close(short_fd);
	close(bare);
}

static void test_text_is_printable(void)
{
	uint64_t words[2] = { UINT64_MAX, UINT64_MAX };
	char text[sizeof(words)];
	stats_snapshot_text(words, sizeof(words), text);
	g_assert_cmpstr(text, ==, "???????????????");
	memcpy(words, "x264\033[2J\n\0enc", 14);
	stats_snapshot_text(words, sizeof(words), text);
	g_assert_cmpstr(text, ==, "x264?[2J?");
}

/* ---- reports ---- */

static struct stats_snapshot *make_snapshot(int64_t time_us)
{
	struct stats_snapshot *s = g_new0(struct stats_snapshot, 1);
	g_strlcpy(s->name, "work", sizeof(s->name));
	s->time_us = time_us;
	for (unsigned i = 0; i < STATS_PROCESSES; i++)
		s->processes[i] =
			(struct stats_process_times){ .pid = 10 + (int)i, .start_ticks = 5 };
	s->render.heads[1].gauges[STATS_ON] = 1;
	s->render.heads[1].gauges[STATS_WIDTH] = 1920;
	return s;
}

static void test_rates(void)
{
	g_autofree struct stats_snapshot *before = make_snapshot(1000000);
	g_autofree struct stats_snapshot *now = make_snapshot(3000000);
	before->render.heads[1].counts[STATS_FRAMES_FLUSHED] = 100;
	now->render.heads[1].counts[STATS_FRAMES_FLUSHED] = 220;
	/* Each figure is taken only from the process that owns it. */
	now->display.heads[1].counts[STATS_FRAMES_FLUSHED] = 999;
	now->render.heads[1].counts[STATS_FLUSHED_PIXELS] = 1000;
	now->display.heads[1].counts[STATS_SENT_PIXELS] = 250;
	before->display.heads[1].counts[STATS_DRAWABLES] = 50;
	now->display.heads[1].counts[STATS_DRAWABLES] = 20; /* went back */
	now->processes[STATS_PROCESS_RENDER].cpu_us = 500000;
	now->processes[STATS_PROCESS_QEMU].pid = 99; /* another one */
	g_autofree struct stats_report *r = stats_report_make(before, now);
	g_assert_cmpstr(r->name, ==, "work");
	g_assert_cmpuint(r->n_heads, ==, 1);
	g_assert_cmpuint(r->heads[0].number, ==, 1);
	g_assert_cmpuint(r->heads[0].gauges[STATS_WIDTH], ==, 1920);
	g_assert_cmpuint(r->heads[0].counts[STATS_FRAMES_FLUSHED], ==, 220);
	g_assert_cmpfloat_with_epsilon(r->heads[0].rates[STATS_FRAMES_FLUSHED], 60, 1e-9);
	g_assert_cmpfloat(r->heads[0].rates[STATS_DRAWABLES], ==, 0);
	g_assert_cmpfloat_with_epsilon(r->heads[0].sent_percent, 25, 1e-9);
	g_assert_cmpfloat_with_epsilon(r->processes[STATS_PROCESS_RENDER].cpu_percent, 25, 1e-9);
	g_assert_cmpfloat(r->processes[STATS_PROCESS_QEMU].cpu_percent, ==, -1);
	g_assert_cmpfloat(r->processes[STATS_PROCESS_KEEPER].cpu_percent, ==, 0);

	/*
	 * There is no interval with one snapshot only, or when the earlier one is of another
	 * desktop of the same name.
	 */
	g_autofree struct stats_report *alone = stats_report_make(NULL, now);
	before->processes[STATS_PROCESS_KEEPER].start_ticks = 4;
	g_autofree struct stats_report *other = stats_report_make(before, now);
	g_assert_cmpfloat(alone->interval_s, ==, 0);
	g_assert_cmpfloat(other->interval_s, ==, 0);
	g_assert_cmpfloat(other->heads[0].rates[STATS_FRAMES_FLUSHED], ==, 0);
	g_assert_cmpuint(other->heads[0].counts[STATS_FRAMES_FLUSHED], ==, 220);
}

static void test_clients(void)
{
	g_autofree struct stats_snapshot *before = make_snapshot(1000000);
	g_autofree struct stats_snapshot *now = make_snapshot(2000000);
	struct stats_client *was = &before->display.clients[2], *is = &now->display.clients[2];
	was->connected = is->connected = 1;
	memcpy(was->address, "192.168.1.2", 11);
	memcpy(is->address, "192.168.1.2", 11);
	was->counts[STATS_CLIENT_SENT_BYTES] = 1000;
	is->counts[STATS_CLIENT_SENT_BYTES] = 5000;
	is->gauges[STATS_CLIENT_ROUND_TRIP_US] = 1500;
	g_autofree struct stats_report *r = stats_report_make(before, now);
	g_assert_cmpuint(r->n_clients, ==, 1);
	g_assert_cmpstr(r->clients[0].address, ==, "192.168.1.2");
	g_assert_cmpfloat_with_epsilon(r->clients[0].rates[STATS_CLIENT_SENT_BYTES], 4000, 1e-9);
	g_assert_cmpuint(r->clients[0].gauges[STATS_CLIENT_ROUND_TRIP_US], ==, 1500);
	/* Somebody else in the same place counts as having sent nothing before. */
	memcpy(is->address, "192.168.1.3", 11);
	g_autofree struct stats_report *other = stats_report_make(before, now);
	g_assert_cmpfloat(other->clients[0].rates[STATS_CLIENT_SENT_BYTES], ==, 0);
}

/* Compares percentiles with the exact ones of known times, within a bucket's width. */
static void test_percentiles(void)
{
	g_autofree struct stats_snapshot *now = make_snapshot(1);
	struct stats_histogram *h = &now->display.heads[1].stages[STATS_FLUSH_TO_WIRE];
	for (uint64_t us = 1; us <= 10000; us++) {
		h->buckets[stats_bucket_of(us)]++;
		h->sum_us += us;
	}
	g_autofree struct stats_report *r = stats_report_make(NULL, now);
	const struct stats_times *t = &r->heads[0].stages[STATS_FLUSH_TO_WIRE];
	g_assert_cmpuint(t->n, ==, 10000);
	g_assert_cmpuint(t->sum_us, ==, 50005000);
	g_assert_cmpfloat_with_epsilon(t->p50_us, 5000, 5000 / 8.0);
	g_assert_cmpfloat_with_epsilon(t->p95_us, 9500, 9500 / 8.0);
	g_assert_cmpfloat_with_epsilon(t->p99_us, 9900, 9900 / 8.0);
	g_assert_cmpfloat(t->p50_us, <, t->p95_us);

	/* Only what came between two snapshots counts. */
	g_autofree struct stats_snapshot *before = g_memdup2(now, sizeof(*now));
	now->time_us += G_USEC_PER_SEC;
	h->buckets[stats_bucket_of(200)] += 5;
	g_autofree struct stats_report *later = stats_report_make(before, now);
	t = &later->heads[0].stages[STATS_FLUSH_TO_WIRE];
	g_assert_cmpuint(t->n, ==, 5);
	g_assert_cmpfloat_with_epsilon(t->p99_us, 200, 200 / 8.0);
	/* A stage without times has percentiles of 0. */
	g_assert_cmpfloat(later->heads[0].stages[STATS_FLUSH_TO_PICTURE].p95_us, ==, 0);
}

/* ---- text ---- */

static JsonObject *parse(const char *json, JsonParser *parser)
{
	g_autoptr(GError) error = NULL;
	json_parser_load_from_data(parser, json, -1, &error);
	g_assert_no_error(error);
	return json_node_get_object(json_parser_get_root(parser));
}

static void assert_counts(
	JsonObject *desktop, const char *object, const char *name, gint64 total, double rate)
{
	JsonObject *counts = json_object_get_object_member(desktop, object);
	JsonObject *totals = json_object_get_object_member(counts, "totals");
	JsonObject *rates = json_object_get_object_member(counts, "per_second");
	g_assert_cmpint(json_object_get_int_member(totals, name), ==, total);
	g_assert_cmpfloat_with_epsilon(json_object_get_double_member(rates, name), rate, 1e-9);
}

static void test_json(void)
{
	g_autofree struct stats_snapshot *before = make_snapshot(1000000);
	g_autofree struct stats_snapshot *now = make_snapshot(2000000);
	now->render.heads[1].counts[STATS_FRAMES_FLUSHED] = 30;
	now->display.heads[1].stages[STATS_FLUSH_TO_WIRE].buckets[20] = 4;
	memcpy(now->display.heads[1].encoder, "lz4", 4);
	now->display.clients[0].connected = 1;
	before->display.door[STATS_PASSWORDS_WRONG] = 1;
	now->display.door[STATS_PASSWORDS_WRONG] = 8;
	before->render.guest[STATS_COMMANDS_REFUSED] = 2;
	now->render.guest[STATS_COMMANDS_REFUSED] = 5;
	g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(reports, stats_report_make(before, now));
	g_autofree char *text = stats_json_write(reports);
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *root = parse(text, parser);
	g_assert_cmpint(json_object_get_int_member(root, "version"), ==, STATS_JSON_VERSION);
	JsonArray *desktops = json_object_get_array_member(root, "desktops");
	JsonObject *desktop = json_array_get_object_element(desktops, 0);
	g_assert_cmpstr(json_object_get_string_member(desktop, "name"), ==, "work");
	assert_counts(desktop, "guest", "commands_refused", 5, 3);
	assert_counts(desktop, "door", "passwords_wrong", 8, 7);
	JsonObject *head =
		json_array_get_object_element(json_object_get_array_member(desktop, "heads"), 0);
	g_assert_cmpint(json_object_get_int_member(head, "head"), ==, 1);
	g_assert_cmpstr(json_object_get_string_member(head, "encoder"), ==, "lz4");
	g_assert_cmpint(json_object_get_int_member(
				json_object_get_object_member(head, "totals"), "frames_flushed"),
		==, 30);
	g_assert_cmpfloat_with_epsilon(
		json_object_get_double_member(
			json_object_get_object_member(head, "per_second"), "frames_flushed"),
		30, 1e-9);
	JsonObject *stage = json_object_get_object_member(
		json_object_get_object_member(head, "stages"), "flush_to_wire_us");
	g_assert_cmpint(json_object_get_int_member(stage, "count"), ==, 4);
	JsonArray *bucket =
		json_array_get_array_element(json_object_get_array_member(stage, "buckets_us"), 0);
	g_assert_cmpint(
		json_array_get_int_element(bucket, 0), ==, (gint64)stats_bucket_start_us(20));
	g_assert_cmpint(
		json_array_get_int_element(bucket, 1), ==, (gint64)stats_bucket_start_us(21));
	g_assert_cmpint(json_array_get_int_element(bucket, 2), ==, 4);
	g_assert_true(json_object_get_null_member(head, "changed_percent"));
	g_assert_cmpuint(
		json_array_get_length(json_object_get_array_member(desktop, "clients")), ==, 1);
	g_assert_cmpuint(json_array_get_length(json_object_get_array_member(desktop, "processes")),
		==, STATS_PROCESSES);
}

static void fill_with_noise(GRand *rand, struct stats *stats)
{
	uint64_t *words = (uint64_t *)stats;
	for (size_t i = 0; i < sizeof(*stats) / sizeof(*words); i++)
		words[i] = g_rand_int_range(rand, 0, 3) == 0 ?
				   UINT64_MAX :
				   (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

/* A worker that was taken over may write anything: nonsense is then shown, but in order. */
static void test_nonsense_is_only_nonsense(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(4711);
	for (unsigned round = 0; round < 20; round++) {
		g_autofree struct stats_snapshot *before = make_snapshot(1000000);
		g_autofree struct stats_snapshot *now = make_snapshot(1000001 + round);
		fill_with_noise(rand, &before->render);
		fill_with_noise(rand, &before->display);
		fill_with_noise(rand, &now->render);
		fill_with_noise(rand, &now->display);
		g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(reports, stats_report_make(before, now));
		const struct stats_report *r = g_ptr_array_index(reports, 0);
		for (unsigned i = 0; i < r->n_heads; i++)
			g_assert_true(isfinite(r->heads[i].stages[0].p99_us));
		g_autofree char *json = stats_json_write(reports);
		g_autoptr(JsonParser) parser = json_parser_new();
		parse(json, parser);
		g_autoptr(GString) text = g_string_new(NULL);
		stats_table_add(text, r, true);
		g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
		g_assert_cmpuint(g_strv_length(lines), ==, r->n_heads + 1);
		for (unsigned i = 0; lines[i]; i++)
			g_assert_cmpuint(strlen(lines[i]), <, 300);
		for (const char *c = text->str; *c; c++)
			g_assert_true(g_ascii_isprint(*c) || *c == '\n');
		stats_table_add_list(text, r);
	}
}

static void test_table(void)
{
	g_autofree struct stats_snapshot *before = make_snapshot(1000000);
	g_autofree struct stats_snapshot *now = make_snapshot(2000000);
	now->render.heads[1].counts[STATS_FRAMES_FLUSHED] = 60;
	now->render.heads[1].counts[STATS_FRAMES_SENT] = 50;
	now->display.heads[1].counts[STATS_FRAMES_SUPERSEDED] = 4;
	now->render.heads[1].gauges[STATS_HEIGHT] = 1080;
	g_autofree struct stats_report *r = stats_report_make(before, now);
	g_autoptr(GString) text = g_string_new(NULL);
	stats_table_add(text, r, true);
	g_assert_true(g_str_has_prefix(
		text->str, "work              1 1920x1080   60.0   46.0   4.0    - -"));
	/* A desktop whose heads are off still has its line. */
	now->render.heads[1].gauges[STATS_ON] = 0;
	g_autofree struct stats_report *off = stats_report_make(before, now);
	g_string_truncate(text, 0);
	stats_table_add(text, off, false);
	g_assert_true(g_str_has_prefix(text->str, "work              - off "));
}

/* ---- the keeper's socket ---- */

static struct stats_snapshot *take(const char *path)
{
	g_autoptr(GError) error = NULL;
	struct stats_snapshot *snapshot = stats_snapshot_take(path, NULL, &error);
	g_assert_no_error(error);
	return snapshot;
}

static void test_keeper(void)
{
	g_autofree char *dir = g_dir_make_tmp("vitrine-stats-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "stats", NULL);
	g_autofree char *option = g_strdup_printf("--stats-socket=%s", path);
	const char *const arguments[] = { option, "--name=work", "--render-node=/x/card", NULL };
	struct rig *rig = rig_create(arguments);
	rig_wait_log(rig, "STATS", 2);
	struct stat st;
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0600);

	g_autofree struct stats_snapshot *first = take(path);
	g_assert_cmpstr(first->name, ==, "work");
	g_assert_cmpint(first->processes[STATS_PROCESS_KEEPER].pid, ==, rig->pid);
	g_assert_cmpint(first->processes[STATS_PROCESS_RENDER].pid, ==, rig_renderer(rig));
	g_assert_cmpuint(first->processes[STATS_PROCESS_KEEPER].start_ticks, >, 0);
	g_assert_cmpuint(first->render.heads[0].counts[STATS_FRAMES_FLUSHED], ==, 1);
	g_assert_cmpuint(first->display.heads[0].counts[STATS_DRAWABLES], ==, 1);
	g_assert_cmpuint(first->render_starts, ==, 1);
	g_assert_cmpstr(first->gpu, ==, "/x/card");
	g_assert_cmpstr(first->gpu_why, ==, "as --render-node asks for");
	for (unsigned i = STATS_PROCESS_RENDER; i <= STATS_PROCESS_DISPLAY; i++) {
		g_autofree char *walls = confine_describe(&first->walls[i]);
		g_assert_cmpstr(walls, ==, "holds seccomp; lacks landlock (none?)");
	}
	g_assert_cmphex(first->inner_walls.held, ==, 1u << CONFINE_LIMITS);

	/* The successor goes on counting. */
	g_assert_cmpint(kill(rig_renderer(rig), SIGKILL), ==, 0);
	rig_wait_log(rig, "STATS", 3);
	g_autofree struct stats_snapshot *second = take(path);
	g_assert_cmpuint(second->render.heads[0].counts[STATS_FRAMES_FLUSHED], ==, 2);
	g_assert_cmpuint(second->display.heads[0].counts[STATS_DRAWABLES], ==, 1);
	g_assert_cmpuint(second->render_starts, ==, 2);
	g_assert_cmpint(second->processes[STATS_PROCESS_RENDER].pid, !=,
		first->processes[STATS_PROCESS_RENDER].pid);
	rig_destroy(rig);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	g_assert_cmpint(rmdir(dir), ==, 0);
}

/* Readers cannot write into what they are given. */
static bool take_descriptors(void *user, const void *message, int *fds, unsigned n_fds)
{
	for (unsigned i = 0; i < n_fds; i++) {
		void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
		g_assert_true(map == MAP_FAILED);
	}
	*(unsigned *)user = n_fds;
	return true;
}

static void test_descriptors_are_read_only(void)
{
	static const struct link_handler table[] = { { STATS_MESSAGE_ANSWER, "ANSWER",
		sizeof(struct stats_answer), 2, 2, take_descriptors } };
	g_autofree char *dir = g_dir_make_tmp("vitrine-stats-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "stats", NULL);
	g_autofree char *option = g_strdup_printf("--stats-socket=%s", path);
	const char *const arguments[] = { option, NULL };
	struct rig *rig = rig_create(arguments);
	rig_wait_log(rig, "STATS", 2);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
	g_assert_true(link_wait_readable(fd, 5000));
	unsigned n = 0;
	g_assert_cmpint(link_dispatch(fd, "keeper", table, 1, &n), ==, 1);
	g_assert_cmpuint(n, ==, 2);
	close(fd);
	/* Readers who ask and leave, or never read, do not disturb the others. */
	for (unsigned i = 0; i < 50; i++) {
		int hasty = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		g_assert_cmpint(connect(hasty, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
		close(hasty);
	}
	g_autofree struct stats_snapshot *after = take(path);
	rig_destroy(rig);
	g_assert_cmpint(rmdir(dir), ==, 0);
}

static void test_nobody_answers(void)
{
	g_autofree char *dir = g_dir_make_tmp("vitrine-stats-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "stats", NULL);
	g_autoptr(GError) missing = NULL, silent = NULL;
	g_assert_null(stats_snapshot_take(path, NULL, &missing));
	g_assert_nonnull(missing);
	int listener = listen_unix_packets(path, NULL);
	g_assert_cmpint(listener, >=, 0);
	g_assert_null(stats_snapshot_take(path, NULL, &silent));
	g_assert_nonnull(strstr(silent->message, "no answer"));
	close(listener);
	unlink(path);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stats/memory-is-checked", test_memory_is_checked);
	g_test_add_func("/stats/text-is-printable", test_text_is_printable);
	g_test_add_func("/stats/rates", test_rates);
	g_test_add_func("/stats/clients", test_clients);
	g_test_add_func("/stats/percentiles", test_percentiles);
	g_test_add_func("/stats/json", test_json);
	g_test_add_func("/stats/nonsense", test_nonsense_is_only_nonsense);
	g_test_add_func("/stats/table", test_table);
	g_test_add_func("/stats/keeper", test_keeper);
	g_test_add_func("/stats/read-only", test_descriptors_are_read_only);
	g_test_add_func("/stats/nobody-answers", test_nobody_answers);
	return g_test_run();
}
