/* SPDX-License-Identifier: MIT */
/*
 * glib_order tells ThreadSanitizer which of GLib's calls put threads in an order. GLib is built
 * without it, and its mutexes are futexes, so without this every value behind a GMutex would look
 * like a race. It is a library that programs of the build with ThreadSanitizer are linked with
 * before GLib: each function here is found in GLib's place by our programs, by GIO, GStreamer and
 * spice-server, says what it does, and calls GLib's own.
 *
 * It says no more than what GLib promises: a lock is held between lock and unlock; what was done
 * before a push, an attach, a wake or a leave is seen after the pop, in the dispatch or after the
 * enter that follows it.
 *
 * GLib's own data are not looked at. ThreadSanitizer sees only where they are allocated and freed,
 * which functions of GLib do unseen here. Whom a source notifies meanwhile is seen. A finalize of a
 * kind of sources is not: ours have none.
 */
#include <dlfcn.h>
#include <glib-unix.h>
#include <glib.h>
#include <sanitizer/tsan_interface.h>

#define EXPORT __attribute__((visibility("default")))

/* `real` is GLib's function of the name. Constructors of libraries may call it before ours has run.
 */
#define FIND_REAL(name)                                                                            \
	static __typeof__(name) *found;                                                            \
	__typeof__(name) *real = __atomic_load_n(&found, __ATOMIC_RELAXED);                        \
	if (!real)                                                                                 \
	__atomic_store_n(&found, real = (__typeof__(real))find_next(#name), __ATOMIC_RELAXED)

static void *find_next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		g_error("glib_order: GLib has no %s", name);
	return found;
}

/* Neither reads nor writes are looked at, whatever its name says; locks are. */
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

/* How many calls of this thread are unseen: one in the other. */
static __thread unsigned n_unseen;

#define UNSEEN(call)                                                                               \
	do {                                                                                       \
		AnnotateIgnoreWritesBegin(__FILE__, __LINE__);                                     \
		n_unseen++;                                                                        \
		call;                                                                              \
		n_unseen--;                                                                        \
		AnnotateIgnoreWritesEnd(__FILE__, __LINE__);                                       \
	} while (0)

static void notify_seen(GDestroyNotify notify, gpointer data)
{
	unsigned n = n_unseen;
	n_unseen = 0;
	for (unsigned i = 0; i < n; i++)
		AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
	notify(data);
	for (unsigned i = 0; i < n; i++)
		AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
	n_unseen = n;
}

/* Locks. */

#define READ_LOCK __tsan_mutex_read_lock
#define REENTRANT (__tsan_mutex_read_reentrant | __tsan_mutex_write_reentrant)

#define WRAP_INIT(name, type, flags)                                                               \
	EXPORT void name(type *lock)                                                               \
	{                                                                                          \
		FIND_REAL(name);                                                                   \
		UNSEEN(real(lock));                                                                \
		__tsan_mutex_create(lock, flags);                                                  \
	}

#define WRAP_CLEAR(name, type)                                                                     \
	EXPORT void name(type *lock)                                                               \
	{                                                                                          \
		FIND_REAL(name);                                                                   \
		__tsan_mutex_destroy(lock, 0);                                                     \
		UNSEEN(real(lock));                                                                \
	}

#define WRAP_LOCK(name, type, flags)                                                               \
	EXPORT void name(type *lock)                                                               \
	{                                                                                          \
		FIND_REAL(name);                                                                   \
		__tsan_mutex_pre_lock(lock, flags);                                                \
		real(lock);                                                                        \
		__tsan_mutex_post_lock(lock, flags, 1);                                            \
	}

#define WRAP_TRYLOCK(name, type, flags)                                                            \
	EXPORT gboolean name(type *lock)                                                           \
	{                                                                                          \
		FIND_REAL(name);                                                                   \
		__tsan_mutex_pre_lock(lock, (flags) | __tsan_mutex_try_lock);                      \
		gboolean locked = real(lock);                                                      \
		__tsan_mutex_post_lock(lock,                                                       \
			(flags) | __tsan_mutex_try_lock |                                          \
				(locked ? 0 : __tsan_mutex_try_lock_failed),                       \
			1);                                                                        \
		return locked;                                                                     \
	}

#define WRAP_UNLOCK(name, type, flags)                                                             \
	EXPORT void name(type *lock)                                                               \
	{                                                                                          \
		FIND_REAL(name);                                                                   \
		__tsan_mutex_pre_unlock(lock, flags);                                              \
		real(lock);                                                                        \
		__tsan_mutex_post_unlock(lock, flags);                                             \
	}

WRAP_INIT(g_mutex_init, GMutex, 0)
WRAP_CLEAR(g_mutex_clear, GMutex)
WRAP_LOCK(g_mutex_lock, GMutex, 0)
WRAP_TRYLOCK(g_mutex_trylock, GMutex, 0)
WRAP_UNLOCK(g_mutex_unlock, GMutex, 0)

WRAP_INIT(g_rec_mutex_init, GRecMutex, REENTRANT)
WRAP_CLEAR(g_rec_mutex_clear, GRecMutex)
WRAP_LOCK(g_rec_mutex_lock, GRecMutex, REENTRANT)
WRAP_TRYLOCK(g_rec_mutex_trylock, GRecMutex, REENTRANT)
WRAP_UNLOCK(g_rec_mutex_unlock, GRecMutex, REENTRANT)

WRAP_INIT(g_rw_lock_init, GRWLock, 0)
WRAP_CLEAR(g_rw_lock_clear, GRWLock)
WRAP_LOCK(g_rw_lock_writer_lock, GRWLock, 0)
WRAP_TRYLOCK(g_rw_lock_writer_trylock, GRWLock, 0)
WRAP_UNLOCK(g_rw_lock_writer_unlock, GRWLock, 0)
WRAP_LOCK(g_rw_lock_reader_lock, GRWLock, READ_LOCK)
WRAP_TRYLOCK(g_rw_lock_reader_trylock, GRWLock, READ_LOCK)
WRAP_UNLOCK(g_rw_lock_reader_unlock, GRWLock, READ_LOCK)

/* Who waits for a condition has given the mutex away meanwhile. */

EXPORT void g_cond_wait(GCond *cond, GMutex *mutex)
{
	FIND_REAL(g_cond_wait);
	__tsan_mutex_pre_unlock(mutex, 0);
	__tsan_mutex_post_unlock(mutex, 0);
	real(cond, mutex);
	__tsan_mutex_pre_lock(mutex, 0);
	__tsan_mutex_post_lock(mutex, 0, 1);
}

EXPORT gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
	FIND_REAL(g_cond_wait_until);
	__tsan_mutex_pre_unlock(mutex, 0);
	__tsan_mutex_post_unlock(mutex, 0);
	gboolean woken = real(cond, mutex, end_time);
	__tsan_mutex_pre_lock(mutex, 0);
	__tsan_mutex_post_lock(mutex, 0, 1);
	return woken;
}

/* Handing over. */

/* Who finds the location set has read it by an atomic of its own, which is seen. */
EXPORT void(g_once_init_leave)(volatile void *location, gsize result)
{
	FIND_REAL(g_once_init_leave);
	__tsan_release((void *)location);
	real(location, result);
}

EXPORT gboolean(g_once_init_enter)(volatile void *location)
{
	FIND_REAL(g_once_init_enter);
	gboolean first = real(location);
	__tsan_acquire((void *)location);
	return first;
}

/*
 * Whoever gives a reference back has done so before the last one frees. GObject's library is loaded
 * where somebody calls these.
 */
EXPORT void g_object_unref(gpointer object);
EXPORT void g_object_unref(gpointer object)
{
	FIND_REAL(g_object_unref);
	if (object) {
		__tsan_release(object);
		__tsan_acquire(object);
	}
	real(object);
}

EXPORT void g_variant_unref(GVariant *variant)
{
	FIND_REAL(g_variant_unref);
	__tsan_release(variant);
	__tsan_acquire(variant);
	real(variant);
}

EXPORT void g_async_queue_push(GAsyncQueue *queue, gpointer data)
{
	FIND_REAL(g_async_queue_push);
	__tsan_release(queue);
	UNSEEN(real(queue, data));
}

EXPORT gpointer g_async_queue_pop(GAsyncQueue *queue)
{
	FIND_REAL(g_async_queue_pop);
	gpointer data;
	UNSEEN(data = real(queue));
	__tsan_acquire(queue);
	return data;
}

EXPORT gpointer g_async_queue_try_pop(GAsyncQueue *queue)
{
	FIND_REAL(g_async_queue_try_pop);
	gpointer data;
	UNSEEN(data = real(queue));
	__tsan_acquire(queue);
	return data;
}

EXPORT gpointer g_async_queue_timeout_pop(GAsyncQueue *queue, guint64 timeout_us)
{
	FIND_REAL(g_async_queue_timeout_pop);
	gpointer data;
	UNSEEN(data = real(queue, timeout_us));
	__tsan_acquire(queue);
	return data;
}

/* Pools. A pool's user data are replaced by these, which stay, since its threads may outlive it. */
struct pool_work {
	GFunc function;
	gpointer user_data;
};

static void take_pushed(gpointer data, gpointer user_data)
{
	struct pool_work *work = user_data;
	__tsan_acquire(work);
	work->function(data, work->user_data);
}

static struct pool_work *create_pool_work(GFunc function, gpointer user_data)
{
	struct pool_work *work = g_new(struct pool_work, 1);
	*work = (struct pool_work){ function, user_data };
	return work;
}

EXPORT GThreadPool *g_thread_pool_new(
	GFunc function, gpointer user_data, int max_threads, gboolean exclusive, GError **error)
{
	FIND_REAL(g_thread_pool_new);
	return real(
		take_pushed, create_pool_work(function, user_data), max_threads, exclusive, error);
}

EXPORT GThreadPool *g_thread_pool_new_full(GFunc function, gpointer user_data,
	GDestroyNotify free_item, int max_threads, gboolean exclusive, GError **error)
{
	FIND_REAL(g_thread_pool_new_full);
	return real(take_pushed, create_pool_work(function, user_data), free_item, max_threads,
		exclusive, error);
}

EXPORT gboolean g_thread_pool_push(GThreadPool *pool, gpointer data, GError **error)
{
	FIND_REAL(g_thread_pool_push);
	__tsan_release(pool->user_data);
	gboolean pushed;
	UNSEEN(pushed = real(pool, data, error));
	return pushed;
}

/* GTask does these when it is cancelled, or has more to do than threads. */

EXPORT gboolean g_thread_pool_move_to_front(GThreadPool *pool, gpointer data)
{
	FIND_REAL(g_thread_pool_move_to_front);
	gboolean moved;
	UNSEEN(moved = real(pool, data));
	return moved;
}

EXPORT gboolean g_thread_pool_set_max_threads(GThreadPool *pool, int max_threads, GError **error)
{
	FIND_REAL(g_thread_pool_set_max_threads);
	gboolean set;
	UNSEEN(set = real(pool, max_threads, error));
	return set;
}

/*
 * What a source calls. GLib does the same with data of its own, but one cannot see there whom it
 * notifies. ThreadSanitizer's view of this memory is of no use: a loop looks at it before the
 * dispatch that says what it has been given.
 */
struct callback {
	int n_references;
	GSourceFunc function;
	gpointer data;
	GDestroyNotify notify;
};
#define NOT_LOOKED_AT __attribute__((no_sanitize("thread")))

NOT_LOOKED_AT static void callback_ref(gpointer data)
{
	struct callback *callback = data;
	__atomic_add_fetch(&callback->n_references, 1, __ATOMIC_ACQ_REL);
}

NOT_LOOKED_AT static void callback_unref(gpointer data)
{
	struct callback *callback = data;
	__tsan_release(callback);
	if (__atomic_sub_fetch(&callback->n_references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	__tsan_acquire(callback);
	notify_seen(callback->notify, callback->data);
	UNSEEN(g_free(callback));
}

NOT_LOOKED_AT static void callback_get(
	gpointer data, GSource *source, GSourceFunc *function, gpointer *function_data)
{
	struct callback *callback = data;
	*function = callback->function;
	*function_data = callback->data;
}

NOT_LOOKED_AT static struct callback *callback_create(
	GSourceFunc function, gpointer data, GDestroyNotify notify)
{
	struct callback *callback;
	UNSEEN(callback = g_new(struct callback, 1));
	*callback = (struct callback){ 1, function, data, notify };
	return callback;
}

EXPORT void g_source_set_callback(
	GSource *source, GSourceFunc function, gpointer data, GDestroyNotify notify)
{
	static GSourceCallbackFuncs funcs = { callback_ref, callback_unref, callback_get };
	FIND_REAL(g_source_set_callback);
	if (notify)
		g_source_set_callback_indirect(
			source, callback_create(function, data, notify), &funcs);
	else
		real(source, function, data, NULL);
}

/*
 * Loops. A context's lock is taken by whoever attaches or wakes a source, and by the loop before it
 * dispatches. The loop itself is inside GLib, so the dispatch functions of GLib's kinds of sources
 * say so in its place.
 */

static void say_given(GMainContext *context)
{
	__tsan_release(context ? context : g_main_context_default());
}

EXPORT guint g_source_attach(GSource *source, GMainContext *context)
{
	FIND_REAL(g_source_attach);
	say_given(context);
	guint id;
	UNSEEN(id = real(source, context));
	return id;
}

EXPORT void g_source_set_ready_time(GSource *source, gint64 ready_time)
{
	FIND_REAL(g_source_set_ready_time);
	GMainContext *context = g_source_get_context(source);
	if (context)
		say_given(context);
	UNSEEN(real(source, ready_time));
}

/*
 * A context has all of its sources in a table, which it makes larger and smaller under its lock,
 * whichever thread takes one away. The loop that does it by itself is seen.
 */

EXPORT void g_source_destroy(GSource *source)
{
	FIND_REAL(g_source_destroy);
	UNSEEN(real(source));
}

EXPORT void g_source_unref(GSource *source)
{
	FIND_REAL(g_source_unref);
	UNSEEN(real(source));
}

EXPORT gboolean g_source_remove(guint id)
{
	FIND_REAL(g_source_remove);
	gboolean removed;
	UNSEEN(removed = real(id));
	return removed;
}

static guint add(
	GSource *source, int priority, GSourceFunc function, gpointer data, GDestroyNotify notify)
{
	g_source_set_priority(source, priority);
	g_source_set_callback(source, function, data, notify);
	guint id = g_source_attach(source, NULL);
	g_source_unref(source);
	return id;
}

EXPORT guint g_idle_add_full(
	int priority, GSourceFunc function, gpointer data, GDestroyNotify notify)
{
	GSource *source;
	UNSEEN(source = g_idle_source_new());
	return add(source, priority, function, data, notify);
}

EXPORT guint g_idle_add(GSourceFunc function, gpointer data)
{
	return g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, function, data, NULL);
}

EXPORT guint g_timeout_add_full(
	int priority, guint interval_ms, GSourceFunc function, gpointer data, GDestroyNotify notify)
{
	GSource *source;
	UNSEEN(source = g_timeout_source_new(interval_ms));
	return add(source, priority, function, data, notify);
}

EXPORT guint g_timeout_add(guint interval_ms, GSourceFunc function, gpointer data)
{
	return g_timeout_add_full(G_PRIORITY_DEFAULT, interval_ms, function, data, NULL);
}

/*
 * Gives what GLib documents: a context that this thread owns, or may take as its own default, calls
 * the function at once; another gets a source. Which of these it is is found here, since the call
 * must be seen, and GLib's making of the source must not.
 */
EXPORT void g_main_context_invoke_full(GMainContext *context, int priority, GSourceFunc function,
	gpointer data, GDestroyNotify notify)
{
	FIND_REAL(g_main_context_invoke_full);
	GMainContext *own = g_main_context_get_thread_default();
	GMainContext *wanted = context ? context : g_main_context_default();
	if (g_main_context_is_owner(wanted)) {
		real(wanted, priority, function, data, notify);
	} else if (wanted == (own ? own : g_main_context_default()) &&
		   g_main_context_acquire(wanted)) {
		real(wanted, priority, function, data, notify);
		g_main_context_release(wanted);
	} else {
		GSource *source = g_idle_source_new();
		g_source_set_priority(source, priority);
		g_source_set_callback(source, function, data, notify);
		g_source_attach(source, wanted);
		g_source_unref(source);
	}
}

EXPORT void g_main_context_invoke(GMainContext *context, GSourceFunc function, gpointer data)
{
	g_main_context_invoke_full(context, G_PRIORITY_DEFAULT, function, data, NULL);
}

static gboolean (*dispatch_idle)(GSource *, GSourceFunc, gpointer);
static gboolean (*dispatch_timeout)(GSource *, GSourceFunc, gpointer);
static gboolean (*dispatch_unix_fd)(GSource *, GSourceFunc, gpointer);

static gboolean take_idle(GSource *source, GSourceFunc function, gpointer data)
{
	__tsan_acquire(g_source_get_context(source));
	return dispatch_idle(source, function, data);
}

static gboolean take_timeout(GSource *source, GSourceFunc function, gpointer data)
{
	__tsan_acquire(g_source_get_context(source));
	return dispatch_timeout(source, function, data);
}

static gboolean take_unix_fd(GSource *source, GSourceFunc function, gpointer data)
{
	__tsan_acquire(g_source_get_context(source));
	return dispatch_unix_fd(source, function, data);
}

static void __attribute__((constructor)) look_into_loops(void)
{
	dispatch_idle = g_idle_funcs.dispatch;
	dispatch_timeout = g_timeout_funcs.dispatch;
	dispatch_unix_fd = g_unix_fd_source_funcs.dispatch;
	g_idle_funcs.dispatch = take_idle;
	g_timeout_funcs.dispatch = take_timeout;
	g_unix_fd_source_funcs.dispatch = take_unix_fd;
}

/*
 * GLib makes its recursive locks when it first needs them, and shows them by an atomic. A lock that
 * callers have is made unseen above. One is inside GLib, of what it knows of variants' types: that
 * one is made before there are threads, and then is a lock of pthreads, which is seen.
 */
static void __attribute__((constructor)) make_lock_of_types(void)
{
	g_variant_unref(g_variant_ref_sink(g_variant_new("(y)", 0)));
}
