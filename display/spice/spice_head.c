/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_head.h"

#include <errno.h>
#include <spice.h>
#include <string.h>
#include <sys/mman.h>

#include "display/line/send_budget.h"
#include "display/painting/painter.h"
#include "display/painting/image_ids.h"
#include "display/spice/spice_gl.h"
#include "display/spice/spice_resource.h"
#include "protocol/flight_events.h"
#include "protocol/heartbeat_writer.h"
#include "protocol/stats_clients.h"

/* There is one memory slot, in the one group that get_init_info() speaks of. */
#define SLOT_GROUP 0
#define SLOT 0
#define COLOUR_BEFORE_FIRST_PICTURE 0x00202020u
/*
 * spice-server looks for streams among drawables whose operation is OP_PUT and nothing else
 * (drawable_can_stream in its display-channel.cpp). A copy has no brush: that it is inverted
 * changes nothing but that. So what is to stay lossless does.
 */
#define STILL_ROP (SPICE_ROPD_OP_PUT | SPICE_ROPD_INVERS_BRUSH)
/* A surface of more bytes than this begins black: zero pages that nobody writes cost no memory. */
#define COLOURED_BYTES_MAX (4u << 20)

struct spice_head {
	QXLInstance instance;
	struct head *head;
	struct painter *painter; /* the worker's, as are budget and ids */
	struct send_budget budget;
	struct image_ids ids;
	struct spice_cursor *cursor;
	struct spice_gl *gl;
	spice_head_wanted wanted;
	void *user;

	/* Only the main loop uses these, unless they say otherwise. */
	GThread *main_thread; /* the one that made this */
	uint32_t width, height;
	uint32_t *surface;
	size_t surface_bytes;
	bool complained; /* that there was no memory for the last one */
	union {          /* read by the worker after spice_qxl_monitors_config_async */
		QXLMonitorsConfig config;
		char bytes[sizeof(QXLMonitorsConfig) + sizeof(QXLHead)];
	} monitors;

	bool followed; /* the worker's: its loop beats (protocol/heartbeat_writer.h) */
	bool looker; /* only looks on: it has no beat, and no client of its passes (relay/pass.h) */

	int wake_due; /* atomic: an idle source will wake the worker */
	int starved;  /* atomic: it will also tell spice-server to free drawables */
	int ticking;  /* atomic: the worker wants ticks */
	guint ticks;  /* main loop: the source that ticks, 0: off */
};

struct drawable {
	struct spice_resource resource;
	struct spice_head *owner;
	struct bitmap bitmap;
	QXLDrawable drawable;
	QXLImage image;
};

static struct spice_head *spice_head_of(QXLInstance *instance)
{
	return SPICE_CONTAINEROF(instance, struct spice_head, instance);
}

/*
 * The worker must not wake itself, see spice_head.h: the main loop says for it what it and the
 * relay's thread have to say.
 */

static gboolean on_tick(gpointer user)
{
	struct spice_head *owner = user;
	if (!g_atomic_int_get(&owner->ticking) || !owner->surface) {
		owner->ticks = 0;
		return G_SOURCE_REMOVE;
	}
	spice_qxl_wakeup(&owner->instance);
	return G_SOURCE_CONTINUE;
}

static gboolean on_wake_due(gpointer user)
{
	struct spice_head *owner = user;
	g_atomic_int_set(&owner->wake_due, 0);
	if (!owner->surface)
		return G_SOURCE_REMOVE;
	if (g_atomic_int_get(&owner->ticking) && !owner->ticks)
		owner->ticks = g_timeout_add(PAINTER_TICK_MS, on_tick, owner);
	if (g_atomic_int_compare_and_exchange(&owner->starved, 1, 0))
		spice_qxl_oom(&owner->instance);
	spice_qxl_wakeup(&owner->instance);
	return G_SOURCE_REMOVE;
}

static void wake_through_main(struct spice_head *owner)
{
	if (g_atomic_int_compare_and_exchange(&owner->wake_due, 0, 1))
		g_idle_add_full(G_PRIORITY_DEFAULT, on_wake_due, owner, NULL);
}

static void update_ticks(struct spice_head *owner)
{
	int wanted = painter_wants_ticks(owner->painter);
	if (g_atomic_int_compare_and_exchange(&owner->ticking, !wanted, wanted) && wanted)
		wake_through_main(owner);
}

static void release_drawable(struct spice_resource *resource)
{
	struct drawable *drawable = (struct drawable *)resource;
	if (painter_release(drawable->owner->painter, &drawable->bitmap))
		wake_through_main(drawable->owner);
	g_free(drawable);
}

static void fill_image(struct image_ids *ids, QXLImage *image, const struct bitmap *bitmap)
{
	static gint unique;
	uint64_t id;
	QXL_SET_IMAGE_ID(image, QXL_IMAGE_GROUP_DRIVER_DONT_CACHE, g_atomic_int_add(&unique, 1));
	if (image_ids_find(ids, bitmap, &id)) {
		image->descriptor.id = id;
		image->descriptor.flags = QXL_IMAGE_CACHE;
	}
	image->descriptor.type = SPICE_IMAGE_TYPE_BITMAP;
	image->descriptor.width = image->bitmap.x = bitmap->rect.width;
	image->descriptor.height = image->bitmap.y = bitmap->rect.height;
	image->bitmap.format = SPICE_BITMAP_FMT_32BIT;
	image->bitmap.flags = QXL_BITMAP_DIRECT | QXL_BITMAP_TOP_DOWN;
	image->bitmap.stride = bitmap->stride_bytes;
	image->bitmap.data = (uintptr_t)bitmap->pixels;
}

static void fill_pixels(
	struct image_ids *ids, QXLDrawable *drawable, QXLImage *image, const struct bitmap *bitmap)
{
	drawable->type = QXL_DRAW_COPY;
	drawable->u.copy.rop_descriptor = bitmap->moving ? SPICE_ROPD_OP_PUT : STILL_ROP;
	drawable->u.copy.src_bitmap = (uintptr_t)image;
	drawable->u.copy.src_area.right = (int32_t)bitmap->rect.width;
	drawable->u.copy.src_area.bottom = (int32_t)bitmap->rect.height;
	fill_image(ids, image, bitmap);
}

static void fill_black(
	struct image_ids *ids, QXLDrawable *drawable, QXLImage *image, const struct bitmap *bitmap)
{
	drawable->type = QXL_DRAW_BLACKNESS;
}

static void fill_scroll(
	struct image_ids *ids, QXLDrawable *drawable, QXLImage *image, const struct bitmap *bitmap)
{
	drawable->type = QXL_COPY_BITS;
	drawable->u.copy_bits.src_pos.x = (int32_t)bitmap->from_x;
	drawable->u.copy_bits.src_pos.y = (int32_t)bitmap->from_y;
}

static void (*const fill_kind[])(
	struct image_ids *, QXLDrawable *, QXLImage *, const struct bitmap *) = {
	[BITMAP_PIXELS] = fill_pixels,
	[BITMAP_BLACK] = fill_black,
	[BITMAP_SCROLL] = fill_scroll,
};

static void fill_drawable(
	struct image_ids *ids, QXLDrawable *drawable, QXLImage *image, const struct bitmap *bitmap)
{
	const struct rect *rect = &bitmap->rect;
	drawable->effect = QXL_EFFECT_OPAQUE;
	drawable->bbox = (QXLRect){
		.left = (int32_t)rect->x,
		.top = (int32_t)rect->y,
		.right = (int32_t)(rect->x + rect->width),
		.bottom = (int32_t)(rect->y + rect->height),
	};
	drawable->clip.type = SPICE_CLIP_TYPE_NONE;
	for (unsigned i = 0; i < G_N_ELEMENTS(drawable->surfaces_dest); i++)
		drawable->surfaces_dest[i] = -1;
	fill_kind[bitmap->kind](ids, drawable, image, bitmap);
}

static void give(struct spice_head *owner, const struct bitmap *bitmap, QXLCommandExt *ext)
{
	struct drawable *drawable = g_new0(struct drawable, 1);
	drawable->resource.release = release_drawable;
	drawable->owner = owner;
	drawable->bitmap = *bitmap;
	drawable->drawable.release_info.id = (uintptr_t)&drawable->resource;
	fill_drawable(&owner->ids, &drawable->drawable, &drawable->image, bitmap);
	send_budget_spend(&owner->budget, g_get_monotonic_time(), bitmap->estimated_bytes);
	*ext = (QXLCommandExt){
		.cmd.type = QXL_CMD_DRAW,
		.cmd.data = (uintptr_t)&drawable->drawable,
		.group_id = SLOT_GROUP,
	};
}

/* While nobody looks nobody has a cache: spice-server frees a client's with its channel. */
static void clear_unwatched(struct spice_head *owner)
{
	g_mutex_lock(&owner->head->lock);
	bool watched = owner->head->watched;
	g_mutex_unlock(&owner->head->lock);
	if (!watched && owner->ids.n > 0)
		image_ids_clear(&owner->ids);
}

static enum bitmap_result take(struct spice_head *owner, struct bitmap *bitmap)
{
	bool again;
	int64_t now_us = g_get_monotonic_time();
	struct send_limits limits = {
		.budget_bytes = send_budget_get(&owner->budget, now_us, &again),
		.small_bytes = send_budget_get_small(&owner->budget),
		.lossless_bps = send_budget_lossless_bps(&owner->budget),
	};
	if (again)
		wake_through_main(owner);
	return painter_take(owner->painter, now_us, &limits, bitmap);
}

static spice_head_quiet on_quiet; /* atomic; NULL: nobody asks */

void spice_head_set_quiet(spice_head_quiet quiet)
{
	g_atomic_pointer_set(&on_quiet, quiet);
}

static void tell_quiet(const struct spice_head *owner)
{
	spice_head_quiet quiet = g_atomic_pointer_get(&on_quiet);
	if (quiet && !owner->looker)
		quiet(owner->head->number);
}

/* The worker's loop is spice-server's own; it is known only from inside what it dispatches. */
static void follow_worker(struct spice_head *owner)
{
	GSource *source = owner->followed ? NULL : g_main_current_source();
	if (!source)
		return;
	owner->followed = true;
	line_set_of_thread(owner->budget.line);
	flight_begin_thread(owner->looker ? "looker" : "spice");
	if (owner->looker)
		return;
	heartbeat_follow(g_source_get_context(source), HEARTBEAT_SPICE + owner->head->number);
}

static int get_command(QXLInstance *instance, QXLCommandExt *ext)
{
	struct spice_head *owner = spice_head_of(instance);
	struct bitmap bitmap;
	g_assert(g_thread_self() != owner->main_thread);
	follow_worker(owner);
	tell_quiet(owner);
	stats_set_thread_head(owner->head->number);
	clear_unwatched(owner);
	enum bitmap_result result = take(owner, &bitmap);
	update_ticks(owner);
	if (result == BITMAP_TAKEN) {
		give(owner, &bitmap, ext);
		return 1;
	}
	if (result == BITMAP_STARVED) {
		g_atomic_int_set(&owner->starved, 1);
		wake_through_main(owner);
	}
	return 0;
}

static int get_cursor_command(QXLInstance *instance, QXLCommandExt *ext)
{
	return spice_cursor_take(spice_head_of(instance)->cursor, ext);
}

static void release_resource(QXLInstance *instance, QXLReleaseInfoExt info)
{
	struct spice_resource *resource = (struct spice_resource *)(uintptr_t)info.info->id;
	resource->release(resource);
}

/*
 * Answers 1, that we need no notification: whatever is added or released later comes with a wakeup.
 */
static int req_notification(QXLInstance *instance)
{
	return 1;
}

static void attached_worker(QXLInstance *instance)
{
}

static void set_compression_level(QXLInstance *instance, int level)
{
}

static void get_init_info(QXLInstance *instance, QXLDevInitInfo *info)
{
	*info = (QXLDevInitInfo){
		.num_memslots_groups = 1,
		.num_memslots = 1,
		.memslot_gen_bits = 0,
		.memslot_id_bits = 1,
		.n_surfaces = 1,
	};
}

static void notify_update(QXLInstance *instance, uint32_t update_id)
{
}

/*
 * Answers 0, that nothing was freed beyond what release_resource got; spice-server then frees some.
 */
static int flush_resources(QXLInstance *instance)
{
	return 0;
}

static void async_complete(QXLInstance *instance, uint64_t cookie)
{
	spice_gl_completed(spice_head_of(instance)->gl, cookie);
}

static void update_area_complete(
	QXLInstance *instance, uint32_t surface, QXLRect *updated, uint32_t n_updated)
{
}

static void set_client_capabilities(
	QXLInstance *instance, uint8_t present, uint8_t caps[SPICE_CAPABILITIES_SIZE])
{
}

static void fill_modes(
	struct frame_head_mode *modes, unsigned n_modes, const VDAgentMonitorsConfig *config)
{
	/* Sizes in millimetres follow the monitors when the flag says so. */
	const VDAgentMonitorMM *sizes =
		(const VDAgentMonitorMM *)&config->monitors[config->num_of_monitors];
	bool has_sizes = config->flags & VD_AGENT_CONFIG_MONITORS_FLAG_PHYSICAL_SIZE;
	uint32_t next_x = 0;
	for (unsigned i = 0; i < n_modes; i++) {
		const VDAgentMonConfig *monitor = &config->monitors[i];
		bool placed = config->flags & VD_AGENT_CONFIG_MONITORS_FLAG_USE_POS;
		modes[i] = (struct frame_head_mode){
			.enabled = monitor->width > 0 && monitor->height > 0,
			.x = placed ? (uint32_t)MAX(monitor->x, 0) : next_x,
			.y = placed ? (uint32_t)MAX(monitor->y, 0) : 0,
			.width = MIN(monitor->width, FRAME_SIZE_MAX),
			.height = MIN(monitor->height, FRAME_SIZE_MAX),
			.width_mm = has_sizes ? sizes[i].width : 0,
			.height_mm = has_sizes ? sizes[i].height : 0,
		};
		next_x += modes[i].width;
	}
}

/*
 * Is called on the main loop. spice-server has checked the message's length against its number of
 * monitors. NULL asks whether the device takes such messages; all devices get each one.
 */
static int client_monitors_config(QXLInstance *instance, VDAgentMonitorsConfig *config)
{
	struct spice_head *owner = spice_head_of(instance);
	struct frame_head_mode modes[FRAME_HEADS_MAX];
	if (!config || owner->head->number != 0)
		return 1;
	unsigned n_modes = MIN(config->num_of_monitors, FRAME_HEADS_MAX);
	fill_modes(modes, n_modes, config);
	if (n_modes > 0 && owner->wanted)
		owner->wanted(owner->user, modes, n_modes);
	return 1;
}

static const QXLInterface qxl_interface = {
	.base = {
		.type = SPICE_INTERFACE_QXL,
		.description = "vitrine head",
		.major_version = SPICE_INTERFACE_QXL_MAJOR,
		.minor_version = SPICE_INTERFACE_QXL_MINOR,
	},
	.attached_worker = attached_worker,
	.set_compression_level = set_compression_level,
	.get_init_info = get_init_info,
	.get_command = get_command,
	.req_cmd_notification = req_notification,
	.release_resource = release_resource,
	.get_cursor_command = get_cursor_command,
	.req_cursor_notification = req_notification,
	.notify_update = notify_update,
	.flush_resources = flush_resources,
	.async_complete = async_complete,
	.update_area_complete = update_area_complete,
	.set_client_capabilities = set_client_capabilities,
	.client_monitors_config = client_monitors_config,
};

/* The relay's thread calls it. */
static void on_line_drained(void *user)
{
	wake_through_main(user);
}

/* The functions below run on the main loop. */

struct spice_head *spice_head_create(SpiceServer *server, struct head *head, struct line *line,
	spice_head_wanted wanted, void *user)
{
	struct spice_head *owner = g_new0(struct spice_head, 1);
	owner->looker = !wanted;
	owner->main_thread = g_thread_self();
	owner->head = head;
	owner->painter = painter_create(head);
	owner->ids.head = head->number;
	owner->budget = (struct send_budget){ .line = line, .head = head->number };
	owner->wanted = wanted;
	owner->user = user;
	owner->cursor = spice_cursor_create();
	owner->gl = spice_gl_create(&owner->instance);
	owner->instance.base.sif = &qxl_interface.base;
	owner->instance.id = (int)head->number;
	if (spice_server_add_interface(server, &owner->instance.base) != 0) {
		g_warning("head %u: spice-server takes no more devices", head->number);
		spice_gl_destroy(owner->gl);
		spice_cursor_destroy(owner->cursor);
		painter_destroy(owner->painter);
		g_free(owner);
		return NULL;
	}
	if (line)
		line_set_wake(line, head->number, on_line_drained, owner);
	QXLDevMemSlot slot = {
		.slot_group_id = SLOT_GROUP,
		.slot_id = SLOT,
		.virt_start = 0,
		.virt_end = UINTPTR_MAX,
	};
	spice_qxl_add_memslot(&owner->instance, &slot);
	/* This starts all devices; those that run already take no notice. */
	spice_server_vm_start(server);
	return owner;
}

void spice_head_destroy(struct spice_head *owner)
{
	if (!owner)
		return;
	if (owner->budget.line)
		line_set_wake(owner->budget.line, owner->head->number, NULL, NULL);
	while (g_source_remove_by_user_data(owner))
		continue;
	if (owner->surface)
		munmap(owner->surface, owner->surface_bytes);
	spice_gl_destroy(owner->gl);
	spice_cursor_destroy(owner->cursor);
	image_ids_clear(&owner->ids);
	painter_destroy(owner->painter);
	g_free(owner);
}

static bool map_surface(struct spice_head *owner, uint32_t width, uint32_t height)
{
	size_t size_bytes = (size_t)width * height * RECT_PIXEL_BYTES;
	void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		if (!owner->complained)
			g_warning("head %u: no memory for %ux%u: %s", owner->head->number, width,
				height, g_strerror(errno));
		owner->complained = true;
		return false;
	}
	owner->complained = false;
	owner->surface = memory;
	owner->surface_bytes = size_bytes;
	owner->width = width;
	owner->height = height;
	return true;
}

static void fill_surface(struct spice_head *owner, const struct frame *frame)
{
	size_t row_pixels = owner->width;
	for (uint32_t row = 0; frame && row < owner->height; row++)
		memcpy(owner->surface + row * row_pixels,
			frame->pixels + (size_t)row * frame->stride_bytes,
			row_pixels * RECT_PIXEL_BYTES);
	if (frame || owner->surface_bytes > COLOURED_BYTES_MAX)
		return;
	for (size_t i = 0; i < row_pixels * owner->height; i++)
		owner->surface[i] = COLOUR_BEFORE_FIRST_PICTURE;
}

/* While there is no surface the size is 0x0: a client then hears of no monitor. */
static void send_monitors(struct spice_head *owner)
{
	QXLMonitorsConfig *config = &owner->monitors.config;
	config->count = config->max_allowed = 1;
	config->heads[0] = (QXLHead){ .width = owner->width, .height = owner->height };
	spice_qxl_monitors_config_async(&owner->instance, (uintptr_t)config, SLOT_GROUP, 0);
}

bool spice_head_resize(
	struct spice_head *owner, uint32_t width, uint32_t height, const struct frame *frame)
{
	g_assert(width > 0 && height > 0 && width <= FRAME_SIZE_MAX && height <= FRAME_SIZE_MAX);
	g_assert(!frame || (frame->pixels && frame->width == width && frame->height == height));
	/* A surface begins with a new cursor, and clients want the one before gone. */
	if (!owner->surface)
		spice_qxl_reset_cursor(&owner->instance);
	spice_head_unplug(owner);
	if (!map_surface(owner, width, height))
		return false;
	fill_surface(owner, frame);
	QXLDevSurfaceCreate create = {
		.width = width,
		.height = height,
		.stride = (int32_t)(width * RECT_PIXEL_BYTES),
		.format = SPICE_SURFACE_FMT_32_xRGB,
		.mouse_mode = 1,
		.flags = QXL_SURF_FLAG_KEEP_DATA,
		.mem = (uintptr_t)owner->surface,
		.group_id = SLOT_GROUP,
	};
	spice_qxl_create_primary_surface(&owner->instance, 0, &create);
	send_monitors(owner);
	spice_cursor_refresh(owner->cursor);
	spice_head_wake(owner);
	return true;
}

void spice_head_unplug(struct spice_head *owner)
{
	g_assert(g_thread_self() == owner->main_thread);
	if (!owner->surface)
		return;
	spice_qxl_destroy_primary_surface(&owner->instance, 0);
	munmap(owner->surface, owner->surface_bytes);
	owner->surface = NULL;
	owner->width = owner->height = 0;
}

void spice_head_wake(struct spice_head *owner)
{
	g_assert(g_thread_self() == owner->main_thread);
	if (owner->surface)
		spice_qxl_wakeup(&owner->instance);
}

void spice_head_new_viewer(struct spice_head *owner)
{
	spice_cursor_refresh(owner->cursor);
	spice_head_wake(owner);
}

/*
 * Without a surface spice-server says nothing on a new channel. The relay waits for a word, because
 * before it the channel may not end (relay/opening.c).
 */
void spice_head_new_display(struct spice_head *owner)
{
	if (!owner->surface)
		send_monitors(owner);
}

struct spice_gl *spice_head_gl(struct spice_head *owner)
{
	return owner->gl;
}

struct spice_cursor *spice_head_cursor(struct spice_head *owner)
{
	return owner->cursor;
}
