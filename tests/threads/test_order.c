/* SPDX-License-Identifier: MIT */
/*
 * order: checks that ThreadSanitizer sees GLib's ways of putting threads in an order, and that it
 * does not see more than there is. Each way is tried by a child in which one thread changes a
 * number and hands over, and another takes and changes it, too. In time the one always comes after
 * the other, by an atomic flag that orders nothing.
 */
#include <glib-object.h>
#include <stdbool.h>
#include <string.h>

#define SOURCES 256

/* What both threads share. `number` is no atomic: that is what is looked at. */
static struct {
	int number;
	int given; /* atomic, relaxed */
	bool done;
	GMutex lock, other_lock;
	GRecMutex recursive;
	GRWLock rw_lock;
	GCond cond;
	GAsyncQueue *queue;
	GThreadPool *pool;
	GVariant *variant;
	GObject *object;
	GMainContext *context; /* no thread's default */
	gsize once;
	guint sources[SOURCES];
} shared;

static void change(void)
{
	shared.number++;
}

static void flag(void)
{
	__atomic_store_n(&shared.given, 1, __ATOMIC_RELAXED);
}

static void await_flag(void)
{
	while (!__atomic_load_n(&shared.given, __ATOMIC_RELAXED))
		g_usleep(1000);
}

static void change_locked(GMutex *lock)
{
	g_mutex_lock(lock);
	change();
	g_mutex_unlock(lock);
}

static void give_locked(void)
{
	change_locked(&shared.lock);
	flag();
}

static void take_locked(void)
{
	await_flag();
	change_locked(&shared.lock);
}

static void take_tried(void)
{
	await_flag();
	g_assert_true(g_mutex_trylock(&shared.lock));
	change();
	g_mutex_unlock(&shared.lock);
}

static void take_other_locked(void)
{
	await_flag();
	change_locked(&shared.other_lock);
}

static void give_unlocked(void)
{
	change();
	flag();
}

static void take_unlocked(void)
{
	await_flag();
	change();
}

/* The lock is free again before the number changes. */
static void give_after_lock(void)
{
	g_mutex_lock(&shared.lock);
	g_mutex_unlock(&shared.lock);
	give_unlocked();
}

/* Whoever could not have the lock has learnt nothing from who has it. */
static void give_holding(void)
{
	g_mutex_lock(&shared.lock);
	give_unlocked();
}

static void take_refused(void)
{
	await_flag();
	g_assert_false(g_mutex_trylock(&shared.lock));
	change();
}

static void give_recursive(void)
{
	g_rec_mutex_lock(&shared.recursive);
	g_rec_mutex_lock(&shared.recursive);
	change();
	g_rec_mutex_unlock(&shared.recursive);
	g_rec_mutex_unlock(&shared.recursive);
	flag();
}

static void take_recursive(void)
{
	await_flag();
	g_rec_mutex_lock(&shared.recursive);
	change();
	g_rec_mutex_unlock(&shared.recursive);
}

static void give_as_writer(void)
{
	g_rw_lock_writer_lock(&shared.rw_lock);
	change();
	g_rw_lock_writer_unlock(&shared.rw_lock);
	flag();
}

static void take_as_writer(void)
{
	await_flag();
	g_rw_lock_writer_lock(&shared.rw_lock);
	change();
	g_rw_lock_writer_unlock(&shared.rw_lock);
}

static void change_as_reader(void)
{
	g_rw_lock_reader_lock(&shared.rw_lock);
	change();
	g_rw_lock_reader_unlock(&shared.rw_lock);
}

static void give_as_reader(void)
{
	change_as_reader();
	flag();
}

static void take_as_reader(void)
{
	await_flag();
	change_as_reader();
}

static void give_signal(void)
{
	g_mutex_lock(&shared.lock);
	change();
	shared.done = true;
	g_cond_signal(&shared.cond);
	g_mutex_unlock(&shared.lock);
}

static void take_signal(void)
{
	g_mutex_lock(&shared.lock);
	while (!shared.done)
		g_cond_wait(&shared.cond, &shared.lock);
	change();
	g_mutex_unlock(&shared.lock);
}

static void take_signal_in_time(void)
{
	g_mutex_lock(&shared.lock);
	while (!shared.done)
		g_cond_wait_until(&shared.cond, &shared.lock, g_get_monotonic_time() + 1000);
	change();
	g_mutex_unlock(&shared.lock);
}

static void give_pushed(void)
{
	change();
	g_async_queue_push(shared.queue, &shared);
}

static void take_popped(void)
{
	g_assert_true(g_async_queue_pop(shared.queue) == &shared);
	change();
}

static void give_after_push(void)
{
	g_async_queue_push(shared.queue, &shared);
	give_unlocked();
}

static void take_popped_late(void)
{
	await_flag();
	take_popped();
}

static void do_pooled(gpointer data, gpointer user_data)
{
	g_assert_true(data == &shared && user_data == &shared.pool);
	change();
	g_mutex_lock(&shared.lock);
	shared.done = true;
	g_mutex_unlock(&shared.lock);
}

/* Here the pool's thread takes, and the main one only waits for it. */
static void give_to_pool(void)
{
	change();
	shared.pool = g_thread_pool_new(do_pooled, &shared.pool, 1, FALSE, NULL);
	g_thread_pool_push(shared.pool, &shared, NULL);
}

static void give_to_pool_before(void)
{
	shared.pool = g_thread_pool_new(do_pooled, &shared.pool, 1, FALSE, NULL);
	g_thread_pool_push(shared.pool, &shared, NULL);
	change();
}

static void await_done(void)
{
	for (bool done = false; !done; g_usleep(1000)) {
		g_mutex_lock(&shared.lock);
		done = shared.done;
		g_mutex_unlock(&shared.lock);
	}
}

static void give_once(void)
{
	g_assert_true(g_once_init_enter(&shared.once));
	change();
	g_once_init_leave(&shared.once, 1);
	flag();
}

static void take_once(void)
{
	await_flag();
	g_assert_false(g_once_init_enter(&shared.once));
	change();
}

static void on_last_reference(gpointer data)
{
	change();
}

static GVariant *variant_create(void)
{
	return g_variant_ref_sink(
		g_variant_new_from_data(G_VARIANT_TYPE_BYTE, "", 1, TRUE, on_last_reference, NULL));
}

/* Each has a reference, and whoever has the last one frees. */
static void give_variant(void)
{
	change();
	g_variant_unref(shared.variant);
	flag();
}

static void take_variant(void)
{
	await_flag();
	g_variant_unref(shared.variant);
}

static void give_object(void)
{
	change();
	g_object_unref(shared.object);
	flag();
}

static void take_object(void)
{
	await_flag();
	g_object_unref(shared.object);
}

static void give_after_unref(void)
{
	g_object_unref(shared.object);
	give_unlocked();
}

static gboolean on_source(gpointer data)
{
	change();
	shared.done = true;
	return G_SOURCE_REMOVE;
}

static void attach_idle(void)
{
	g_autoptr(GSource) source = g_idle_source_new();
	g_source_set_callback(source, on_source, NULL, NULL);
	g_source_attach(source, NULL);
}

static void give_idle(void)
{
	change();
	attach_idle();
	flag();
}

static void give_idle_added(void)
{
	change();
	g_idle_add(on_source, NULL);
	flag();
}

static void give_timeout_added(void)
{
	change();
	g_timeout_add(1, on_source, NULL);
	flag();
}

static void give_after_attach(void)
{
	attach_idle();
	give_unlocked();
}

static void dispatch(GMainContext *context)
{
	await_flag();
	while (!shared.done)
		g_main_context_iteration(context, TRUE);
}

static void take_dispatched(void)
{
	dispatch(NULL);
}

static void give_invoked(void)
{
	change();
	g_main_context_invoke(shared.context, on_source, NULL);
	flag();
}

/* What the function is called with is made on the one thread and freed on the other. */
static void give_invoked_with_data(void)
{
	change();
	g_main_context_invoke_full(
		shared.context, G_PRIORITY_DEFAULT, on_source, g_new0(int, 1), g_free);
	flag();
}

static void give_after_invoke(void)
{
	g_main_context_invoke(shared.context, on_source, NULL);
	give_unlocked();
}

static void take_invoked(void)
{
	dispatch(shared.context);
}

/*
 * The table of sources is made smaller by each thread: all of its sources are there when the one
 * begins, and none when the other has ended.
 */
static void add_source(unsigned i, GDestroyNotify notify)
{
	guint id = g_timeout_add_full(G_PRIORITY_DEFAULT, 1000000, on_source, NULL, notify);
	__atomic_store_n(&shared.sources[i], id, __ATOMIC_RELAXED);
}

static void remove_sources(unsigned begin, unsigned end)
{
	for (unsigned i = begin; i < end; i++)
		g_source_remove(__atomic_load_n(&shared.sources[i], __ATOMIC_RELAXED));
}

static void count(void)
{
	__atomic_add_fetch(&shared.number, 1, __ATOMIC_RELAXED);
}

static void give_smaller_table(void)
{
	for (unsigned i = 0; i < SOURCES; i++)
		add_source(i, NULL);
	remove_sources(SOURCES / 8, SOURCES);
	count();
	flag();
}

static void take_smaller_table(void)
{
	await_flag();
	remove_sources(0, SOURCES / 8);
	count();
}

/* Who removes a source notifies whoever gave it. What that one does is looked at. */
static void give_notified(void)
{
	add_source(0, on_last_reference);
	give_unlocked();
}

static void take_notified(void)
{
	await_flag();
	remove_sources(0, 1);
}

/* GLib has a table of the types of variants that there are. */
static void make_variant(void)
{
	g_variant_unref(g_variant_ref_sink(g_variant_new("(yys)", 1, 2, "")));
	count();
}

static void give_variant_type(void)
{
	make_variant();
	flag();
}

static void take_variant_type(void)
{
	await_flag();
	make_variant();
}

/* Nobody runs the default context, so that the function is called here. What it does is looked at.
 */
static void invoke_here(void)
{
	g_main_context_invoke(NULL, on_source, NULL);
	flag();
}

static const struct way {
	const char *name;
	void (*give)(void), (*take)(void);
	bool is_race;
} ways[] = {
	{ "mutex", give_locked, take_locked, false },
	{ "mutex-tried", give_locked, take_tried, false },
	{ "recursive-mutex", give_recursive, take_recursive, false },
	{ "writers", give_as_writer, take_as_writer, false },
	{ "condition", give_signal, take_signal, false },
	{ "condition-in-time", give_signal, take_signal_in_time, false },
	{ "queue", give_pushed, take_popped, false },
	{ "pool", give_to_pool, await_done, false },
	{ "once", give_once, take_once, false },
	{ "variant", give_variant, take_variant, false },
	{ "object", give_object, take_object, false },
	{ "idle-source", give_idle, take_dispatched, false },
	{ "idle", give_idle_added, take_dispatched, false },
	{ "timeout", give_timeout_added, take_dispatched, false },
	{ "invoke", give_invoked, take_invoked, false },
	{ "sources-removed", give_smaller_table, take_smaller_table, false },
	{ "variant-type", give_variant_type, take_variant_type, false },
	{ "invoke-with-data", give_invoked_with_data, take_invoked, false },
	{ "nothing", give_unlocked, take_unlocked, true },
	{ "one-without-mutex", give_locked, take_unlocked, true },
	{ "two-mutexes", give_locked, take_other_locked, true },
	{ "mutex-before", give_after_lock, take_locked, true },
	{ "mutex-refused", give_holding, take_refused, true },
	{ "readers", give_as_reader, take_as_reader, true },
	{ "pushed-before", give_after_push, take_popped_late, true },
	{ "pool-before", give_to_pool_before, await_done, true },
	{ "object-before", give_after_unref, take_object, true },
	{ "attached-before", give_after_attach, take_dispatched, true },
	{ "invoked-before", give_after_invoke, take_invoked, true },
	{ "notified", give_notified, take_notified, true },
	{ "invoked-here", invoke_here, take_unlocked, true },
};

static gpointer run_giver(gpointer data)
{
	const struct way *way = data;
	way->give();
	return NULL;
}

static void try_way(const struct way *way)
{
	g_mutex_init(&shared.lock);
	shared.queue = g_async_queue_new();
	shared.context = g_main_context_new();
	shared.variant = g_variant_ref(variant_create());
	shared.object = g_object_ref(g_object_new(G_TYPE_OBJECT, NULL));
	g_object_set_data_full(shared.object, "number", &shared.number, on_last_reference);
	GThread *giver = g_thread_new("giver", run_giver, (gpointer)way);
	way->take();
	g_thread_join(giver);
	g_assert_cmpint(shared.number, ==, 2);
	g_async_queue_unref(shared.queue);
	g_main_context_unref(shared.context);
}

static void test_way(gconstpointer data)
{
	const struct way *way = data;
	if (g_test_subprocess()) {
		try_way(way);
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	if (way->is_race) {
		g_test_trap_assert_failed();
		g_test_trap_assert_stderr("*WARNING: ThreadSanitizer: data race*");
	} else {
		g_test_trap_assert_passed();
		g_test_trap_assert_stderr_unmatched("*ThreadSanitizer*");
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Children's reports are for this program alone. */
	g_setenv("TSAN_OPTIONS", "exitcode=66:log_path=stderr", TRUE);
	for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autofree char *path = g_strconcat(
			"/order/", ways[i].is_race ? "race/" : "silent/", ways[i].name, NULL);
		g_test_add_data_func(path, &ways[i], test_way);
	}
	return g_test_run();
}
