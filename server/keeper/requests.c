/* SPDX-License-Identifier: MIT */
#include "server/keeper/requests.h"

#include <sys/socket.h>

#include "protocol/flight_events.h"
#include "server/keeper/config.h"

/* After this much silence behind a REM_MEM_REG, QEMU is done changing the table. */
#define MEMORY_SETTLE_MS 2

#define FEATURES_TOLERATED (DEVICE_F_NOTIFY_ON_EMPTY | DEVICE_F_ANY_LAYOUT | DEVICE_F_RING_RESET)

typedef struct vhost_user_call Call;

static const char *reply_u64(Call *call, uint64_t value)
{
	call->payload.u64 = value;
	call->reply_bytes = sizeof(value);
	return NULL;
}

static int take_fd(Call *call, unsigned index)
{
	int fd = call->fds[index];
	call->fds[index] = -1;
	return fd;
}

static const char *get_features(void *user, Call *call)
{
	struct requests *requests = user;
	return reply_u64(call, requests->device->features_offered);
}

/* After a reset the rings of the new driver go on that QEMU has begun to run already. */
static void restart_rings(struct requests *requests)
{
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		renderer_update_ring(requests->renderer, i);
}

static void forget_driver(struct requests *requests)
{
	if (requests->device->driver_forgotten)
		return;
	requests->device->driver_forgotten = true;
	flight_note(FLIGHT_DRIVER_NEW, 0, 0, 0);
	renderer_reset(requests->renderer);
	restart_rings(requests);
}

/* QEMU has no place for what a vhost-user-gpu is in what it saves: not even which rings it had. */
static void set_logging(struct requests *requests, bool on)
{
	flight_note(FLIGHT_DIRTY_LOG, on, 0, 0);
	if (on)
		g_message(
			"the machine is being saved or migrated: where it goes on its GPU is a new "
			"one, and shows nothing until the guest's driver starts anew");
	renderer_update_log(requests->renderer);
}

/*
 * QEMU itself offers features that a backend did not. The tolerated ones change nothing for us and
 * are not passed on. With a virtual IOMMU, which the driver takes when it is there, no ring runs:
 * the machine lives, and who looks is told why there is no picture (troubles.h).
 */
static const char *set_features(void *user, Call *call)
{
	struct requests *requests = user;
	struct device *device = requests->device;
	uint64_t features = call->payload.u64;
	uint64_t known = device->features_offered | DEVICE_F_ACCESS_PLATFORM;
	if (features & ~(known | FEATURES_TOLERATED))
		return "features that were not offered";
	features &= known;
	uint64_t differ = device->have_features ? device->features ^ features : 0;
	bool changed = differ & ~DEVICE_F_LOG_ALL;
	if (changed) {
		device->driver_forgotten = true;
		flight_note(FLIGHT_DRIVER_NEW, 0, 0, 0);
		renderer_reset(requests->renderer);
	}
	bool by_default = !(features & DEVICE_F_PROTOCOL_FEATURES);
	device->features = features;
	device->have_features = true;
	renderer_update_features(requests->renderer);
	if (differ & DEVICE_F_LOG_ALL)
		set_logging(requests, features & DEVICE_F_LOG_ALL);
	if (changed)
		restart_rings(requests);
	/* A front end without protocol features does not enable rings; they are from the start. */
	for (unsigned i = 0; by_default && i < KEEPER_RINGS; i++)
		device->rings[i].enabled = true;
	return NULL;
}

static const char *set_owner(void *user, Call *call)
{
	struct requests *requests = user;
	if (requests->device->owned)
		return "there is an owner already";
	requests->device->owned = true;
	return NULL;
}

static const char *get_protocol_features(void *user, Call *call)
{
	struct requests *requests = user;
	return reply_u64(call, requests->device->protocol_offered);
}

static const char *set_protocol_features(void *user, Call *call)
{
	struct requests *requests = user;
	if (call->payload.u64 & ~requests->device->protocol_offered)
		return "protocol features that were not offered";
	requests->device->protocol_features = call->payload.u64;
	return NULL;
}

static const char *get_queue_num(void *user, Call *call)
{
	return reply_u64(call, KEEPER_RINGS);
}

static const char *get_max_mem_slots(void *user, Call *call)
{
	return reply_u64(call, KEEPER_MEMORY_REGIONS_MAX);
}

static void send_memory(struct requests *requests)
{
	if (!requests->memory_timer)
		return;
	g_clear_handle_id(&requests->memory_timer, g_source_remove);
	renderer_update_memory(requests->renderer);
}

static gboolean on_memory_settled(gpointer user)
{
	struct requests *requests = user;
	requests->memory_timer = 0;
	renderer_update_memory(requests->renderer);
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		renderer_update_ring(requests->renderer, i);
	return G_SOURCE_REMOVE;
}

/*
 * QEMU replaces a region by REM and several ADD while the rings run. Passing on the table in
 * between would take memory from commands that use it, so the renderer keeps the old one until QEMU
 * pauses.
 */
static void settle_memory(struct requests *requests)
{
	g_clear_handle_id(&requests->memory_timer, g_source_remove);
	requests->memory_timer = g_timeout_add(MEMORY_SETTLE_MS, on_memory_settled, requests);
}

static struct device_region to_region(const struct vhost_user_memory_region *r, int fd)
{
	return (struct device_region){ .guest_addr = r->guest_addr,
		.user_addr = r->user_addr,
		.size_bytes = r->size_bytes,
		.offset_bytes = r->mmap_offset_bytes,
		.fd = fd };
}

static const char *set_mem_table(void *user, Call *call)
{
	struct requests *requests = user;
	const struct vhost_user_memory *m = &call->payload.memory;
	if (m->n_regions > VHOST_USER_MEM_TABLE_MAX)
		return "too many memory regions";
	if (call->size_bytes != G_STRUCT_OFFSET(struct vhost_user_memory, regions) +
					m->n_regions * sizeof(m->regions[0]))
		return "size does not fit the number of regions";
	if (call->n_fds != m->n_regions)
		return "not one descriptor for each region";
	device_clear_memory(requests->device);
	for (unsigned i = 0; i < m->n_regions; i++) {
		struct device_region region = to_region(&m->regions[i], take_fd(call, i));
		const char *reason = device_add_region(requests->device, &region);
		if (reason)
			return reason;
	}
	renderer_update_memory(requests->renderer);
	return NULL;
}

static const char *add_mem_reg(void *user, Call *call)
{
	struct requests *requests = user;
	struct device_region region =
		to_region(&call->payload.memory_single.region, take_fd(call, 0));
	const char *reason = device_add_region(requests->device, &region);
	if (reason)
		return reason;
	/*
	 * While a table is held back QEMU is in the middle of a replacement, and the hole that REM
	 * left is still open.
	 */
	if (requests->memory_timer)
		settle_memory(requests);
	else
		renderer_update_memory(requests->renderer);
	return NULL;
}

static const char *rem_mem_reg(void *user, Call *call)
{
	struct requests *requests = user;
	struct device_region region = to_region(&call->payload.memory_single.region, -1);
	if (!device_remove_region(requests->device, &region))
		return "no such memory region";
	settle_memory(requests);
	return NULL;
}

/* QEMU has said all of a ring that it says: whoever looks must hear why it does not run. */
static void judge_ring(struct requests *requests, unsigned ring)
{
	unsigned trouble = device_find_trouble(requests->device, ring);
	if (trouble)
		troubles_tell(&requests->renderer->troubles, trouble);
}

/*
 * Gives the ring that the message is about, or NULL with *reason set when it may not be about it.
 */
static struct device_ring *find_ring(
	struct requests *requests, uint64_t index, bool may_run, const char **reason)
{
	if (index >= KEEPER_RINGS) {
		*reason = "no such ring";
		return NULL;
	}
	struct device_ring *ring = &requests->device->rings[index];
	if (ring->started && !may_run) {
		*reason = "the ring is running";
		return NULL;
	}
	return ring;
}

static const char *set_vring_num(void *user, Call *call)
{
	struct requests *requests = user;
	const struct vhost_user_vring_state *m = &call->payload.state;
	const char *reason = NULL;
	struct device_ring *ring = find_ring(requests, m->index, false, &reason);
	if (!ring)
		return reason;
	if (m->num == 0 || m->num > KEEPER_RING_SIZE_MAX)
		return "ring size out of range";
	if (!device_is_packed(requests->device) && (m->num & (m->num - 1)))
		g_warning("guest: ring %u of %u entries is no power of two: it will not run",
			m->index, m->num);
	ring->size = m->num;
	ring->have_size = true;
	return NULL;
}

static const char *set_vring_addr(void *user, Call *call)
{
	struct requests *requests = user;
	const struct vhost_user_vring_addr *m = &call->payload.addr;
	const char *reason = NULL;
	struct device_ring *ring = find_ring(requests, m->index, true, &reason);
	if (!ring)
		return reason;
	uint32_t log =
		requests->device->features_offered & DEVICE_F_LOG_ALL ? VHOST_USER_VRING_LOG : 0;
	if (m->flags & ~log)
		return "dirty logging was not offered";
	bool moved = ring->desc_user_addr != m->desc_user_addr ||
		     ring->avail_user_addr != m->avail_user_addr ||
		     ring->used_user_addr != m->used_user_addr;
	/* QEMU says a ring's addresses again when it begins or ends to have us log. */
	if (ring->started && (moved || !ring->have_addr))
		return "the ring is running";
	if (ring->have_addr && moved)
		forget_driver(requests);
	ring->desc_user_addr = m->desc_user_addr;
	ring->avail_user_addr = m->avail_user_addr;
	ring->used_user_addr = m->used_user_addr;
	ring->have_addr = true;
	return NULL;
}

/* A packed ring's base is two places: where to take, and above that where to give back. */
#define BASE(ring) ((ring)->next_avail | (uint32_t)(ring)->next_used << 16)

/* A base that is not where the ring stopped means that the guest's driver has begun anew. */
static const char *set_vring_base(void *user, Call *call)
{
	struct requests *requests = user;
	const struct vhost_user_vring_state *m = &call->payload.state;
	const char *reason = NULL;
	struct device_ring *ring = find_ring(requests, m->index, false, &reason);
	if (!ring)
		return reason;
	if (m->num > UINT16_MAX && !device_is_packed(requests->device))
		return "ring index out of range";
	renderer_stop_ring_wait(requests->renderer, m->index);
	if (BASE(ring) != m->num)
		forget_driver(requests);
	ring->next_avail = (uint16_t)m->num;
	ring->next_used = (uint16_t)(m->num >> 16);
	return NULL;
}

/* The control queue speaks for the driver. */
static void tell_driver(const struct requests *requests, const struct device_ring *ring)
{
	if (ring == &requests->device->rings[0] && requests->events.driver)
		requests->events.driver(requests->events.user, ring->started);
}

static const char *get_vring_base(void *user, Call *call)
{
	struct requests *requests = user;
	struct vhost_user_vring_state *m = &call->payload.state;
	const char *reason = NULL;
	struct device_ring *ring = find_ring(requests, m->index, true, &reason);
	if (!ring)
		return reason;
	renderer_stop_ring_wait(requests->renderer, m->index);
	requests->device->driver_forgotten = false;
	ring->started = false;
	device_set_fd(&ring->kick, -1);
	tell_driver(requests, ring);
	m->num = BASE(ring);
	call->reply_bytes = sizeof(*m);
	return NULL;
}

/* Gives for KICK, CALL and ERR the ring, and in *fd its new descriptor or -1 for none. */
static struct device_ring *find_ring_fd(
	struct requests *requests, Call *call, bool may_run, int *fd, const char **reason)
{
	uint64_t value = call->payload.u64;
	if (value & ~(uint64_t)(VHOST_USER_VRING_INDEX_MASK | VHOST_USER_VRING_NO_FD)) {
		*reason = "unknown bits";
		return NULL;
	}
	if (call->n_fds != ((value & VHOST_USER_VRING_NO_FD) ? 0 : 1)) {
		*reason = "number of descriptors contradicts the payload";
		return NULL;
	}
	struct device_ring *ring =
		find_ring(requests, value & VHOST_USER_VRING_INDEX_MASK, may_run, reason);
	if (ring)
		*fd = call->n_fds ? take_fd(call, 0) : -1;
	return ring;
}

static unsigned ring_index(const struct requests *requests, const struct device_ring *ring)
{
	ptrdiff_t index = ring - requests->device->rings;
	g_assert(index >= 0 && index < KEEPER_RINGS);
	return (unsigned)index;
}

static const char *set_vring_kick(void *user, Call *call)
{
	struct requests *requests = user;
	const char *reason = NULL;
	int fd = -1;
	struct device_ring *ring = find_ring_fd(requests, call, false, &fd, &reason);
	if (!ring)
		return reason;
	if (fd < 0)
		return "polling instead of kicks is not offered";
	device_set_fd(&ring->kick, fd);
	ring->started = true;
	send_memory(requests);
	renderer_update_ring(requests->renderer, ring_index(requests, ring));
	judge_ring(requests, ring_index(requests, ring));
	tell_driver(requests, ring);
	return NULL;
}

static const char *set_vring_call(void *user, Call *call)
{
	struct requests *requests = user;
	const char *reason = NULL;
	int fd = -1;
	struct device_ring *ring = find_ring_fd(requests, call, true, &fd, &reason);
	if (!ring)
		return reason;
	device_set_fd(&ring->call, fd);
	renderer_update_call(requests->renderer, ring_index(requests, ring));
	return NULL;
}

static const char *set_vring_err(void *user, Call *call)
{
	const char *reason = NULL;
	int fd = -1;
	struct device_ring *ring = find_ring_fd(user, call, true, &fd, &reason);
	if (!ring)
		return reason;
	device_set_fd(&ring->error, fd);
	return NULL;
}

static const char *set_vring_enable(void *user, Call *call)
{
	struct requests *requests = user;
	const struct vhost_user_vring_state *m = &call->payload.state;
	const char *reason = NULL;
	struct device_ring *ring = find_ring(requests, m->index, true, &reason);
	if (!ring)
		return reason;
	if (m->num > 1)
		return "neither 0 nor 1";
	ring->enabled = m->num == 1;
	if (ring->enabled)
		send_memory(requests);
	renderer_update_ring(requests->renderer, m->index);
	judge_ring(requests, m->index);
	return NULL;
}

static const char *get_config(void *user, Call *call)
{
	struct requests *requests = user;
	struct vhost_user_config *m = &call->payload.config;
	if (m->size_bytes > VHOST_USER_CONFIG_MAX ||
		call->size_bytes != G_STRUCT_OFFSET(struct vhost_user_config, data) + m->size_bytes)
		return "size does not fit the payload";
	config_read(requests->renderer->worker.n_capsets, m->offset_bytes, m->size_bytes, m->data);
	call->reply_bytes = call->size_bytes;
	if (requests->events.asked)
		requests->events.asked(requests->events.user);
	return NULL;
}

/* There is nothing to do: the guest can only clear events, and QEMU keeps those itself. */
static const char *set_config(void *user, Call *call)
{
	return NULL;
}

static const char *gpu_set_socket(void *user, Call *call)
{
	struct requests *requests = user;
	gpu_socket_replace(requests->gpu_socket, take_fd(call, 0));
	return NULL;
}

static const char *set_log_base(void *user, Call *call)
{
	struct requests *requests = user;
	struct device *device = requests->device;
	struct vhost_user_log log = call->payload.log;
	device_set_fd(&device->log, take_fd(call, 0));
	device->log_offset_bytes = log.offset_bytes;
	device->log_size_bytes = log.size_bytes;
	if (device->features & DEVICE_F_LOG_ALL)
		renderer_update_log(requests->renderer);
	return reply_u64(call, 0);
}

/* Nobody need be woken for what was logged: QEMU looks by itself. */
static const char *set_log_fd(void *user, Call *call)
{
	return NULL;
}

/* What a virtual IOMMU maps, of which we make no use: QEMU waits for an answer, and gets it. */
static const char *iotlb_msg(void *user, Call *call)
{
	return NULL;
}

static const char *reset_device(void *user, Call *call)
{
	struct requests *requests = user;
	renderer_reset(requests->renderer);
	device_reset(requests->device);
	return NULL;
}

#define REQUEST_ROW(name, min, max, fds_min, fds_max, feature, owner, handle)                      \
	{                                                                                          \
		VHOST_USER_##name, #name, min, max, fds_min, fds_max, feature, owner, handle       \
	}
#define STATE sizeof(struct vhost_user_vring_state)
#define CONFIG_HEAD G_STRUCT_OFFSET(struct vhost_user_config, data)
#define CONFIG_FULL sizeof(struct vhost_user_config)
#define TABLE_HEAD G_STRUCT_OFFSET(struct vhost_user_memory, regions)
#define TABLE_FULL sizeof(struct vhost_user_memory)
#define REGION sizeof(struct vhost_user_memory_single)
#define F_CONFIG VHOST_USER_PROTOCOL_F_CONFIG
#define F_SLOTS VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS
#define F_RESET VHOST_USER_PROTOCOL_F_RESET_DEVICE

/*
 * QEMU sends GET_CONFIG and GPU_SET_SOCKET before SET_FEATURES, and may send a descriptor with
 * REM_MEM_REG.
 */
static const struct vhost_user_row table[] = {
	REQUEST_ROW(GET_FEATURES, 0, 0, 0, 0, -1, false, get_features),
	REQUEST_ROW(SET_FEATURES, 8, 8, 0, 0, -1, true, set_features),
	REQUEST_ROW(SET_OWNER, 0, 0, 0, 0, -1, false, set_owner),
	REQUEST_ROW(GET_PROTOCOL_FEATURES, 0, 0, 0, 0, -1, false, get_protocol_features),
	REQUEST_ROW(SET_PROTOCOL_FEATURES, 8, 8, 0, 0, -1, false, set_protocol_features),
	REQUEST_ROW(GET_QUEUE_NUM, 0, 0, 0, 0, VHOST_USER_PROTOCOL_F_MQ, false, get_queue_num),
	REQUEST_ROW(GET_MAX_MEM_SLOTS, 0, 0, 0, 0, F_SLOTS, false, get_max_mem_slots),
	REQUEST_ROW(SET_MEM_TABLE, TABLE_HEAD, TABLE_FULL, 0, VHOST_USER_MEM_TABLE_MAX, -1, true,
		set_mem_table),
	REQUEST_ROW(ADD_MEM_REG, REGION, REGION, 1, 1, F_SLOTS, true, add_mem_reg),
	REQUEST_ROW(REM_MEM_REG, REGION, REGION, 0, 1, F_SLOTS, true, rem_mem_reg),
	REQUEST_ROW(SET_VRING_NUM, STATE, STATE, 0, 0, -1, true, set_vring_num),
	REQUEST_ROW(SET_VRING_ADDR, sizeof(struct vhost_user_vring_addr),
		sizeof(struct vhost_user_vring_addr), 0, 0, -1, true, set_vring_addr),
	REQUEST_ROW(SET_VRING_BASE, STATE, STATE, 0, 0, -1, true, set_vring_base),
	REQUEST_ROW(GET_VRING_BASE, STATE, STATE, 0, 0, -1, true, get_vring_base),
	REQUEST_ROW(SET_VRING_KICK, 8, 8, 0, 1, -1, true, set_vring_kick),
	REQUEST_ROW(SET_VRING_CALL, 8, 8, 0, 1, -1, true, set_vring_call),
	REQUEST_ROW(SET_VRING_ERR, 8, 8, 0, 1, -1, true, set_vring_err),
	REQUEST_ROW(SET_VRING_ENABLE, STATE, STATE, 0, 0, -1, true, set_vring_enable),
	REQUEST_ROW(GET_CONFIG, CONFIG_HEAD, CONFIG_FULL, 0, 0, F_CONFIG, false, get_config),
	REQUEST_ROW(SET_CONFIG, CONFIG_HEAD, CONFIG_FULL, 0, 0, F_CONFIG, false, set_config),
	REQUEST_ROW(GPU_SET_SOCKET, 0, 0, 1, 1, -1, true, gpu_set_socket),
	REQUEST_ROW(SET_LOG_BASE, sizeof(struct vhost_user_log), sizeof(struct vhost_user_log), 1,
		1, VHOST_USER_PROTOCOL_F_LOG_SHMFD, true, set_log_base),
	REQUEST_ROW(SET_LOG_FD, 0, 8, 1, 1, VHOST_USER_PROTOCOL_F_LOG_SHMFD, true, set_log_fd),
	REQUEST_ROW(IOTLB_MSG, sizeof(struct vhost_user_iotlb), sizeof(struct vhost_user_iotlb), 0,
		0, -1, true, iotlb_msg),
	REQUEST_ROW(RESET_DEVICE, 0, 0, 0, 0, F_RESET, true, reset_device),
};

static const char *admit(void *user, const struct vhost_user_row *row)
{
	const struct requests *requests = user;
	if (row->needs_owner && !requests->device->owned)
		return "out of order: before SET_OWNER";
	if (row->protocol_feature >= 0 &&
		!(requests->device->protocol_features & (1ull << row->protocol_feature)))
		return "out of order: its protocol feature was not accepted";
	return NULL;
}

static bool acknowledges(void *user)
{
	const struct requests *requests = user;
	return requests->device->protocol_features & (1ull << VHOST_USER_PROTOCOL_F_REPLY_ACK);
}

static void closed(void *user, bool refused)
{
	struct requests *requests = user;
	requests->events.closed(requests->events.user, refused);
}

static const struct vhost_user_class class = {
	.table = table,
	.table_length = G_N_ELEMENTS(table),
	.admit = admit,
	.acknowledges = acknowledges,
	.closed = closed,
};

void requests_init(struct requests *requests, struct device *device, struct renderer *renderer,
	struct gpu_socket *gpu_socket, const struct requests_events *events)
{
	g_assert(device && renderer && gpu_socket && events->closed);
	*requests = (struct requests){ .vhost_user.fd = -1,
		.device = device,
		.renderer = renderer,
		.gpu_socket = gpu_socket,
		.events = *events };
}

void requests_serve(struct requests *requests, int fd)
{
	g_assert(requests->vhost_user.fd < 0);
	vhost_user_open(&requests->vhost_user, fd, &class, requests);
}

void requests_finish(struct requests *requests)
{
	vhost_user_close(&requests->vhost_user);
	g_clear_handle_id(&requests->memory_timer, g_source_remove);
}

pid_t requests_peer_pid(const struct requests *requests)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	int fd = requests->vhost_user.fd;
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return 0;
	return peer.pid;
}
