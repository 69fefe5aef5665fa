/* SPDX-License-Identifier: MIT */
#include "tests/wire/guest.h"

#include <glib.h>
#include <linux/virtio_gpu.h>

static void make_queues(struct guest *guest)
{
	guest->control = guest_queue_create(
		guest->memory, 0, GUEST_CONTROL_SIZE, guest->shape, guest->event_idx);
	guest->cursor = guest_queue_create(
		guest->memory, 1, GUEST_CURSOR_SIZE, guest->shape, guest->event_idx);
}

struct guest *guest_create_machine(const struct guest_options *options)
{
	struct guest *guest = g_new0(struct guest, 1);
	guest->timeout_ms = options->timeout_ms ? options->timeout_ms : 10000;
	guest->shape = options->shape.name ? options->shape : GUEST_SHAPE_DIRECT;
	guest->event_idx = options->event_idx;
	guest->virgl = options->virgl;
	guest->on_update = options->on_update;
	guest->on_update_user = options->on_update_user;
	guest->memory = guest_memory_create(
		options->layout, options->memory_bytes ? options->memory_bytes : 192u << 20);
	make_queues(guest);
	guest->backend = backend_start(options->program, options->arguments,
		options->directory ? options->directory : backend_directory_create());
	front_end_init(&guest->fe, guest->backend->socket, guest->timeout_ms);
	/* The program starts its workers before it answers, so the first wait is the longest. */
	guest->fe.timeout_ms = MAX(guest->timeout_ms, 20000);
	front_end_negotiate(&guest->fe,
		options->protocol_features ? options->protocol_features : GUEST_PROTOCOL_FEATURES);
	guest->fe.timeout_ms = guest->timeout_ms;
	/*
	 * vhost_virtqueue_init() of QEMU sets the call descriptors this early, so that no interrupt
	 * is lost.
	 */
	front_end_ring_call(&guest->fe, 0, guest->control->call_fd);
	front_end_ring_call(&guest->fe, 1, guest->cursor->call_fd);
	return guest;
}

struct guest *guest_create(const struct guest_options *options)
{
	struct guest *guest = guest_create_machine(options);
	guest_driver_start(guest);
	return guest;
}

void guest_destroy(struct guest *guest)
{
	if (!guest)
		return;
	backend_destroy(guest->backend);
	gpu_socket_destroy(guest->gpu);
	guest_queue_destroy(guest->control);
	guest_queue_destroy(guest->cursor);
	guest_memory_destroy(guest->memory);
	g_free(guest);
}

static uint64_t choose_features(const struct guest *guest)
{
	uint64_t wanted = FRONT_END_F_EDID | FRONT_END_F_VERSION_1 | FRONT_END_F_PROTOCOL;
	if (guest->shape.indirect)
		wanted |= FRONT_END_F_INDIRECT;
	if (guest->event_idx)
		wanted |= FRONT_END_F_EVENT_IDX;
	if (guest->virgl)
		wanted |= FRONT_END_F_VIRGL;
	uint64_t must = wanted & ~(FRONT_END_F_EDID | FRONT_END_F_PROTOCOL);
	if ((guest->fe.device_features & must) != must)
		g_error("the backend offers features %#" G_GINT64_MODIFIER
			"x, the guest needs %#" G_GINT64_MODIFIER "x",
			guest->fe.device_features, must);
	return wanted & guest->fe.device_features;
}

void guest_renew_gpu_socket(struct guest *guest)
{
	gpu_socket_destroy(guest->gpu);
	guest->gpu = gpu_socket_create(guest->on_update, guest->on_update_user);
	front_end_set_gpu_socket(&guest->fe, guest->gpu->peer_fd);
	gpu_socket_close_peer(guest->gpu);
}

static bool has_slots(const struct guest *guest)
{
	return guest->fe.protocol_features & (1u << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS);
}

void guest_tell_memory(struct guest *guest)
{
	if (!has_slots(guest)) {
		front_end_set_memory(&guest->fe, guest->memory);
		return;
	}
	for (unsigned i = 0; i < GUEST_MEMORY_REGIONS_MAX; i++) {
		const struct guest_memory_region *region = &guest->memory->regions[i];
		if (!region->present)
			continue;
		if (guest->memory_told)
			front_end_remove_memory(&guest->fe, region);
		front_end_add_memory(&guest->fe, region);
	}
	guest->memory_told = true;
}

static void start_ring(struct guest *guest, struct guest_queue *queue, uint16_t base)
{
	front_end_ring_start(&guest->fe, queue, base);
	if (guest->eager) {
		front_end_ring_enable(&guest->fe, queue->index, true);
		front_end_ring_call(&guest->fe, queue->index, queue->call_fd);
	}
}

/* Does what vhost_dev_start() and vhost_user_backend_start() do in QEMU. */
static void start_rings(struct guest *guest, uint16_t control_base, uint16_t cursor_base)
{
	struct virtio_gpu_config config;
	guest_renew_gpu_socket(guest);
	front_end_get_config(&guest->fe, &config, sizeof(config));
	guest->num_capsets = config.num_capsets;
	front_end_set_features(&guest->fe, guest->features);
	/* With slots for memory agreed, QEMU tells only what changed. */
	if (!has_slots(guest) || !guest->memory_told)
		guest_tell_memory(guest);
	start_ring(guest, guest->control, control_base);
	start_ring(guest, guest->cursor, cursor_base);
	if (guest->eager)
		return;
	front_end_ring_enable(&guest->fe, 0, true);
	front_end_ring_enable(&guest->fe, 1, true);
	front_end_ring_call(&guest->fe, 0, guest->control->call_fd);
	front_end_ring_call(&guest->fe, 1, guest->cursor->call_fd);
}

void guest_driver_start(struct guest *guest)
{
	guest->features = choose_features(guest);
	start_rings(guest, 0, 0);
}

void guest_stop(struct guest *guest)
{
	if (!guest->eager) {
		front_end_ring_enable(&guest->fe, 0, false);
		front_end_ring_enable(&guest->fe, 1, false);
	}
	guest->bases[0] = front_end_ring_stop(&guest->fe, 0);
	guest->bases[1] = front_end_ring_stop(&guest->fe, 1);
}

void guest_continue(struct guest *guest)
{
	start_rings(guest, guest->bases[0], guest->bases[1]);
}

void guest_driver_reload(struct guest *guest)
{
	guest_stop(guest);
	guest_queue_reset(guest->control);
	guest_queue_reset(guest->cursor);
	guest_driver_start(guest);
}
