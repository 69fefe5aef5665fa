/* SPDX-License-Identifier: MIT */
#include "guest-tools/common/kms.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_mode.h>

#include "guest-tools/common/array.h"
#include "guest-tools/common/descriptor.h"
#include "guest-tools/common/limits.h"

/*
 * Debian 11's headers lack these: DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT of newer ones, and the plane
 * types of the kernel's drm_plane.h.
 */
#define CLIENT_CAP_CURSOR_HOTSPOT 6
#define PLANE_TYPE_PRIMARY 1
#define PLANE_TYPE_CURSOR 2

/* Finds a property of an object by name. Gives 0 when the object has none of that name. */
static uint32_t find_property(
	int fd, uint32_t object, uint32_t type, const char *name, uint64_t *value)
{
	uint32_t ids[KMS_PROPERTIES_MAX];
	uint64_t values[KMS_PROPERTIES_MAX];
	struct drm_mode_obj_get_properties request = {
		.props_ptr = (uintptr_t)ids,
		.prop_values_ptr = (uintptr_t)values,
		.count_props = KMS_PROPERTIES_MAX,
		.obj_id = object,
		.obj_type = type,
	};
	if (descriptor_ioctl(fd, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &request) < 0)
		return 0;
	for (uint32_t i = 0; i < request.count_props && i < KMS_PROPERTIES_MAX; i++) {
		struct drm_mode_get_property property = { .prop_id = ids[i] };
		if (descriptor_ioctl(fd, DRM_IOCTL_MODE_GETPROPERTY, &property) < 0 ||
			strcmp(property.name, name) != 0)
			continue;
		if (value)
			*value = values[i];
		return ids[i];
	}
	return 0;
}

static void find_planes(struct kms *kms, unsigned crtc_index)
{
	uint32_t ids[KMS_OBJECTS_MAX];
	struct drm_mode_get_plane_res planes = { .plane_id_ptr = (uintptr_t)ids,
		.count_planes = KMS_OBJECTS_MAX };
	if (descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_GETPLANERESOURCES, &planes) < 0)
		return;
	for (uint32_t i = 0; i < planes.count_planes && i < KMS_OBJECTS_MAX; i++) {
		struct drm_mode_get_plane plane = { .plane_id = ids[i] };
		uint64_t type = 0;
		if (descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_GETPLANE, &plane) < 0 ||
			!(plane.possible_crtcs >> crtc_index & 1))
			continue;
		find_property(kms->fd, ids[i], DRM_MODE_OBJECT_PLANE, "type", &type);
		if (type == PLANE_TYPE_PRIMARY && !kms->primary_plane)
			kms->primary_plane = ids[i];
		if (type == PLANE_TYPE_CURSOR && !kms->cursor_plane)
			kms->cursor_plane = ids[i];
	}
}

/* The first mode of a connector is the preferred one, since the kernel sorts them so. */
static bool take_connector(struct kms *kms, uint32_t id, const uint32_t *crtcs, uint32_t n_crtcs)
{
	struct drm_mode_modeinfo modes[KMS_MODES_MAX];
	uint32_t encoders[KMS_OBJECTS_MAX];
	struct drm_mode_get_connector connector = { .connector_id = id };
	if (descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector) < 0 ||
		connector.connection != 1)
		return false;
	connector.modes_ptr = (uintptr_t)modes;
	connector.encoders_ptr = (uintptr_t)encoders;
	connector.count_modes = KMS_MODES_MAX;
	connector.count_encoders = KMS_OBJECTS_MAX;
	connector.count_props = 0;
	if (descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_GETCONNECTOR, &connector) < 0)
		return false;
	/* The kernel does not fill in a list that is too short. */
	uint32_t n_modes = connector.count_modes, n_encoders = connector.count_encoders;
	if (n_modes == 0 || n_modes > KMS_MODES_MAX || n_encoders > KMS_OBJECTS_MAX)
		return false;
	for (uint32_t i = 0; i < n_encoders; i++) {
		struct drm_mode_get_encoder encoder = { .encoder_id = encoders[i] };
		if (descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_GETENCODER, &encoder) < 0)
			continue;
		for (uint32_t k = 0; k < n_crtcs; k++) {
			if (!(encoder.possible_crtcs >> k & 1))
				continue;
			kms->connector = id;
			kms->crtc = crtcs[k];
			kms->mode = modes[0];
			find_planes(kms, k);
			return true;
		}
	}
	return false;
}

int kms_open(struct kms *kms, const char *card_path)
{
	uint32_t crtcs[KMS_OBJECTS_MAX], connectors[KMS_OBJECTS_MAX];
	memset(kms, 0, sizeof *kms);
	kms->fd = open(card_path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (kms->fd < 0)
		return -errno;
	struct drm_set_client_cap planes = { .capability = DRM_CLIENT_CAP_UNIVERSAL_PLANES,
		.value = 1 };
	struct drm_set_client_cap atomic = { .capability = DRM_CLIENT_CAP_ATOMIC, .value = 1 };
	descriptor_ioctl(kms->fd, DRM_IOCTL_SET_CLIENT_CAP, &planes);
	kms->atomic = descriptor_ioctl(kms->fd, DRM_IOCTL_SET_CLIENT_CAP, &atomic) == 0;
	/*
	 * Since Linux 6.8, drivers of virtual machines show an atomic client no cursor without
	 * this.
	 */
	struct drm_set_client_cap hotspot = { .capability = CLIENT_CAP_CURSOR_HOTSPOT, .value = 1 };
	descriptor_ioctl(kms->fd, DRM_IOCTL_SET_CLIENT_CAP, &hotspot);
	struct drm_get_cap cap = { .capability = DRM_CAP_CURSOR_WIDTH };
	if (descriptor_ioctl(kms->fd, DRM_IOCTL_GET_CAP, &cap) == 0)
		kms->cursor_width = cap.value;
	cap.capability = DRM_CAP_CURSOR_HEIGHT;
	if (descriptor_ioctl(kms->fd, DRM_IOCTL_GET_CAP, &cap) == 0)
		kms->cursor_height = cap.value;
	struct drm_mode_card_res resources = {
		.crtc_id_ptr = (uintptr_t)crtcs,
		.connector_id_ptr = (uintptr_t)connectors,
		.count_crtcs = KMS_OBJECTS_MAX,
		.count_connectors = KMS_OBJECTS_MAX,
	};
	int rc = descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_GETRESOURCES, &resources);
	for (uint32_t i = 0; rc == 0 && i < resources.count_connectors && i < KMS_OBJECTS_MAX; i++)
		if (take_connector(kms, connectors[i], crtcs,
			    resources.count_crtcs < KMS_OBJECTS_MAX ? resources.count_crtcs :
								      KMS_OBJECTS_MAX))
			return 0;
	close(kms->fd);
	kms->fd = -1;
	return rc < 0 ? rc : -ENODEV;
}

void kms_close(struct kms *kms)
{
	if (kms->fd < 0)
		return;
	if (kms->lit) {
		struct drm_mode_crtc back = kms->saved;
		back.set_connectors_ptr = (uintptr_t)&kms->connector;
		back.count_connectors = back.mode_valid ? 1 : 0;
		descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_SETCRTC, &back);
	}
	for (unsigned i = 0; i < KMS_BUFFERS; i++)
		kms_dumb_destroy(kms->fd, &kms->buffers[i]);
	close(kms->fd);
	kms->fd = -1;
}

int kms_become_master(struct kms *kms)
{
	return descriptor_ioctl(kms->fd, DRM_IOCTL_SET_MASTER, NULL);
}

int kms_dumb_create(int fd, uint32_t width, uint32_t height, struct kms_buffer *buffer)
{
	struct drm_mode_create_dumb create = { .width = width, .height = height, .bpp = 32 };
	memset(buffer, 0, sizeof *buffer);
	int rc = descriptor_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create);
	if (rc < 0)
		return rc;
	buffer->handle = create.handle;
	buffer->stride_bytes = create.pitch;
	buffer->size_bytes = create.size;
	struct drm_mode_map_dumb map = { .handle = create.handle };
	rc = descriptor_ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map);
	void *memory = rc < 0 ? MAP_FAILED :
				mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
					(off_t)map.offset);
	if (memory != MAP_FAILED) {
		buffer->pixels = memory;
		return 0;
	}
	rc = rc < 0 ? rc : -errno;
	kms_dumb_destroy(fd, buffer);
	return rc;
}

void kms_dumb_destroy(int fd, struct kms_buffer *buffer)
{
	struct drm_mode_destroy_dumb destroy = { .handle = buffer->handle };
	if (buffer->framebuffer)
		descriptor_ioctl(fd, DRM_IOCTL_MODE_RMFB, &buffer->framebuffer);
	if (buffer->pixels)
		munmap(buffer->pixels, buffer->size_bytes);
	if (buffer->handle)
		descriptor_ioctl(fd, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
	memset(buffer, 0, sizeof *buffer);
}

int kms_make_buffers(struct kms *kms)
{
	for (unsigned i = 0; i < KMS_BUFFERS; i++) {
		struct kms_buffer *buffer = &kms->buffers[i];
		int rc = kms_dumb_create(kms->fd, kms->mode.hdisplay, kms->mode.vdisplay, buffer);
		if (rc < 0)
			return rc;
		memset(buffer->pixels, i ? 0x30 : 0x28, buffer->size_bytes);
		struct drm_mode_fb_cmd framebuffer = {
			.width = kms->mode.hdisplay,
			.height = kms->mode.vdisplay,
			.pitch = buffer->stride_bytes,
			.bpp = 32,
			.depth = 24,
			.handle = buffer->handle,
		};
		rc = descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_ADDFB, &framebuffer);
		if (rc < 0)
			return rc;
		buffer->framebuffer = framebuffer.fb_id;
	}
	return 0;
}

int kms_light(struct kms *kms)
{
	assert(kms->buffers[0].framebuffer && !kms->lit);
	kms->saved.crtc_id = kms->crtc;
	descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_GETCRTC, &kms->saved);
	struct drm_mode_crtc set = {
		.set_connectors_ptr = (uintptr_t)&kms->connector,
		.count_connectors = 1,
		.crtc_id = kms->crtc,
		.fb_id = kms->buffers[0].framebuffer,
		.mode_valid = 1,
		.mode = kms->mode,
	};
	int rc = descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_SETCRTC, &set);
	kms->lit = rc == 0;
	return rc;
}

/* A commit sets values of a connector, its CRTC and its plane. */
#define ATOMIC_OBJECTS 3
#define ATOMIC_VALUES 16

struct atomic_list {
	uint32_t objects[ATOMIC_OBJECTS], counts[ATOMIC_OBJECTS], ids[ATOMIC_VALUES];
	uint64_t values[ATOMIC_VALUES];
	unsigned n_objects, n_values;
	bool complete;
};

static void atomic_object(struct atomic_list *list, uint32_t object)
{
	assert(list->n_objects < ATOMIC_OBJECTS);
	list->objects[list->n_objects] = object;
	list->counts[list->n_objects++] = 0;
}

static void atomic_set(struct atomic_list *list, const struct kms *kms, uint32_t type,
	const char *name, uint64_t value)
{
	assert(list->n_objects > 0 && list->n_values < ATOMIC_VALUES);
	uint32_t object = list->objects[list->n_objects - 1];
	uint32_t id = find_property(kms->fd, object, type, name, NULL);
	list->complete &= id != 0;
	list->ids[list->n_values] = id;
	list->values[list->n_values++] = value;
	list->counts[list->n_objects - 1]++;
}

static void atomic_plane(struct atomic_list *list, const struct kms *kms)
{
	const struct {
		const char *name;
		uint64_t value;
	} plane[] = {
		{ "FB_ID", kms->buffers[0].framebuffer },
		{ "CRTC_ID", kms->crtc },
		{ "SRC_X", 0 },
		{ "SRC_Y", 0 },
		{ "SRC_W", (uint64_t)kms->mode.hdisplay << 16 },
		{ "SRC_H", (uint64_t)kms->mode.vdisplay << 16 },
		{ "CRTC_X", 0 },
		{ "CRTC_Y", 0 },
		{ "CRTC_W", kms->mode.hdisplay },
		{ "CRTC_H", kms->mode.vdisplay },
	};
	atomic_object(list, kms->primary_plane);
	for (size_t i = 0; i < ARRAY_LENGTH(plane); i++)
		atomic_set(list, kms, DRM_MODE_OBJECT_PLANE, plane[i].name, plane[i].value);
}

int kms_atomic_test(struct kms *kms)
{
	struct atomic_list list = { .complete = true };
	struct drm_mode_create_blob blob = { .data = (uintptr_t)&kms->mode,
		.length = sizeof kms->mode };
	int rc = descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_CREATEPROPBLOB, &blob);
	if (rc < 0)
		return rc;
	atomic_object(&list, kms->connector);
	atomic_set(&list, kms, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID", kms->crtc);
	atomic_object(&list, kms->crtc);
	atomic_set(&list, kms, DRM_MODE_OBJECT_CRTC, "MODE_ID", blob.blob_id);
	atomic_set(&list, kms, DRM_MODE_OBJECT_CRTC, "ACTIVE", 1);
	atomic_plane(&list, kms);
	struct drm_mode_atomic commit = {
		.flags = DRM_MODE_ATOMIC_TEST_ONLY | DRM_MODE_ATOMIC_ALLOW_MODESET,
		.count_objs = list.n_objects,
		.objs_ptr = (uintptr_t)list.objects,
		.count_props_ptr = (uintptr_t)list.counts,
		.props_ptr = (uintptr_t)list.ids,
		.prop_values_ptr = (uintptr_t)list.values,
	};
	rc = list.complete ? descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_ATOMIC, &commit) : -ENOENT;
	struct drm_mode_destroy_blob destroy = { .blob_id = blob.blob_id };
	descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_DESTROYPROPBLOB, &destroy);
	return rc;
}

int kms_flip(struct kms *kms, unsigned buffer, int timeout_ms, double *event_ms)
{
	assert(kms->lit && buffer < KMS_BUFFERS);
	struct drm_mode_crtc_page_flip flip = {
		.crtc_id = kms->crtc,
		.fb_id = kms->buffers[buffer].framebuffer,
		.flags = DRM_MODE_PAGE_FLIP_EVENT,
	};
	union {
		char bytes[1024];
		struct drm_event_vblank event;
	} message;
	int rc = descriptor_ioctl(kms->fd, DRM_IOCTL_MODE_PAGE_FLIP, &flip);
	if (rc < 0)
		return rc;
	struct pollfd wait = { .fd = kms->fd, .events = POLLIN };
	if (poll(&wait, 1, timeout_ms) != 1)
		return -ETIMEDOUT;
	ssize_t n = read(kms->fd, message.bytes, sizeof message.bytes);
	if (n < (ssize_t)sizeof message.event || message.event.base.type != DRM_EVENT_FLIP_COMPLETE)
		return -EIO;
	*event_ms = message.event.tv_sec * 1000.0 + message.event.tv_usec / 1000.0;
	return 0;
}

int kms_export(int fd, uint32_t handle, int *dmabuf)
{
	struct drm_prime_handle prime = { .handle = handle, .flags = DRM_CLOEXEC, .fd = -1 };
	int rc = descriptor_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	*dmabuf = prime.fd;
	return rc;
}

int kms_import(int fd, int dmabuf, uint32_t *handle)
{
	struct drm_prime_handle prime = { .fd = dmabuf };
	int rc = descriptor_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
	*handle = prime.handle;
	return rc;
}
