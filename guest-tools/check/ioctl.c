/* SPDX-License-Identifier: MIT */
/*
 * This file asks the driver directly, for parameters, capsets, a transfer there and back, and a
 * fence.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest-tools/check/groups.h"
#include "guest-tools/check/limits.h"
#include "guest-tools/check/virtgpu.h"
#include "guest-tools/common/descriptor.h"
#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"

static void run_params(struct guest *guest, struct finding *finding)
{
	static const char *const names[GUEST_PARAMS] = { NULL, "3d", "capset-fix", "blob",
		"host-visible", "cross-device", "context-init", "capsets", "debug-name" };
	const struct guest_params *params = &guest->params;
	char list[240] = "";
	if (guest->render_error != 0 && guest->card_error != 0) {
		finding_skip(finding, "this user may open neither node");
		return;
	}
	for (int i = 1; i < GUEST_PARAMS; i++) {
		if (params->param_error[i] == EINVAL)
			text_append_format(list, sizeof list, " %s=unknown", names[i]);
		else if (params->param_error[i])
			text_append_format(list, sizeof list, " %s=error", names[i]);
		else
			text_append_format(list, sizeof list, " %s=%llu", names[i],
				(unsigned long long)params->value[i]);
	}
	finding_value(finding, "%s", list + 1);
	if (params->error)
		finding_fail(finding, "ioctl.refused", strerror(params->error));
	else if (!params->value[GUEST_PARAM_3D_FEATURES])
		finding_fail(finding, "host.no-virgl", NULL);
}

static void run_caps(struct guest *guest, struct finding *finding)
{
	const struct guest_caps *caps = &guest->caps;
	if (!caps->virgl && !caps->virgl2) {
		finding_value(finding, "the host gave no capset");
		finding_fail(finding, "host.no-capset", NULL);
		return;
	}
	finding_value(finding,
		"%s%s%s, GLSL %u, host %s, %s%stextures to %u, %u samples, features %u",
		caps->virgl ? "virgl" : "", caps->virgl && caps->virgl2 ? "+" : "",
		caps->virgl2 ? "virgl2" : "", caps->glsl_level,
		caps->renderer[0] ? caps->renderer : "unnamed",
		caps->capability_bits & GUEST_CAPS_HOST_IS_GLES ? "GLES host, " : "",
		caps->capability_bits & GUEST_CAPS_COMPUTE ? "compute, " : "", caps->max_texture_2d,
		caps->max_samples, caps->host_feature_version);
	/* Virglrenderer writes llvmpipe in capitals. */
	if (strcasestr(caps->renderer, "llvmpipe") || strcasestr(caps->renderer, "softpipe"))
		finding_warn(finding, "host.software", caps->renderer);
}

static uint32_t pattern(uint32_t index)
{
	uint32_t value = index * 2654435761u;
	return value ^ value >> 15;
}

static int transfer_there_and_back(int fd, struct virtgpu_buffer *buffer, int limit_ms)
{
	uint32_t n_pixels = buffer->width * buffer->height;
	for (uint32_t i = 0; i < n_pixels; i++)
		buffer->pixels[i] = pattern(i);
	int rc = virtgpu_to_host(fd, buffer);
	if (rc == 0)
		rc = virtgpu_wait(fd, buffer, limit_ms);
	if (rc < 0)
		return rc;
	memset(buffer->pixels, 0, buffer->size_bytes);
	rc = virtgpu_from_host(fd, buffer);
	return rc < 0 ? rc : virtgpu_wait(fd, buffer, limit_ms);
}

static void run_transfer(struct guest *guest, struct finding *finding)
{
	struct virtgpu_buffer buffer;
	int limit_ms = guest_is_slow(guest) ? HOST_ANSWER_SLOW_MS : HOST_ANSWER_MS;
	int fd = virtgpu_open(guest->render_path);
	int rc = fd < 0 ? fd : virtgpu_buffer_init(&buffer, fd, 128, 64);
	if (rc < 0) {
		finding_value(finding, "no resource: %s", strerror(-rc));
		finding_fail(finding, "ioctl.refused", "RESOURCE_CREATE");
		descriptor_close(fd);
		return;
	}
	double begin_ms = timing_now_ms();
	rc = transfer_there_and_back(fd, &buffer, limit_ms);
	double took_ms = timing_now_ms() - begin_ms;
	uint32_t n_pixels = buffer.width * buffer.height, n_wrong = 0, first = 0;
	for (uint32_t i = n_pixels; rc == 0 && i-- > 0;)
		if (buffer.pixels[i] != pattern(i)) {
			n_wrong++;
			first = i;
		}
	if (rc < 0) {
		finding_value(finding, "%s", strerror(-rc));
		finding_fail(finding, rc == -ETIMEDOUT ? "ioctl.no-answer" : "ioctl.refused",
			"a transfer");
	} else if (n_wrong > 0) {
		finding_value(finding,
			"%u of %u pixels differ, first at %u,%u: %08x, expected %08x", n_wrong,
			n_pixels, first % buffer.width, first / buffer.width, buffer.pixels[first],
			pattern(first));
		finding_fail(finding, "truth.wrong-pixel", "the transfer of a resource");
	} else {
		finding_pass(finding, "%u pixels there and back unchanged in %.1f ms", n_pixels,
			took_ms);
	}
	virtgpu_buffer_finish(&buffer, fd);
	descriptor_close(fd);
}

static void run_execbuffer(struct guest *guest, struct finding *finding)
{
	const uint32_t nothing = 0; /* This is VIRGL_CCMD_NOP of length 0. */
	int limit_ms = guest_is_slow(guest) ? HOST_ANSWER_SLOW_MS : HOST_ANSWER_MS;
	int fence = -1;
	struct virtgpu_buffer buffer;
	int fd = virtgpu_open(guest->render_path);
	int rc = fd < 0 ? fd : virtgpu_buffer_init(&buffer, fd, 16, 16);
	if (rc < 0) {
		finding_value(finding, "no resource: %s", strerror(-rc));
		finding_fail(finding, "ioctl.refused", "RESOURCE_CREATE");
		descriptor_close(fd);
		return;
	}
	double begin_ms = timing_now_ms();
	rc = virtgpu_submit(fd, &nothing, sizeof nothing, &buffer, &fence);
	if (rc == 0 && fence >= 0) {
		struct pollfd wait = { .fd = fence, .events = POLLIN };
		rc = poll(&wait, 1, limit_ms) == 1 ? 0 : -ETIMEDOUT;
	} else if (rc == 0) {
		rc = virtgpu_wait(fd, &buffer, limit_ms);
	}
	double took_ms = timing_now_ms() - begin_ms;
	if (rc < 0) {
		finding_value(finding, "%s", strerror(-rc));
		finding_fail(finding, rc == -ETIMEDOUT ? "ioctl.no-answer" : "ioctl.refused",
			"EXECBUFFER");
	} else {
		finding_pass(finding, "executed, %s signalled after %.1f ms",
			fence >= 0 ? "sync file" : "buffer", took_ms);
	}
	descriptor_close(fence);
	virtgpu_buffer_finish(&buffer, fd);
	descriptor_close(fd);
}

const struct check ioctl_checks[] = {
	{ "ioctl.params", "parameters", CHECK_NEEDS_CARD, CHECK_ROOM_SELF, "3d=1",
		"The driver says here whether the host executes OpenGL. An unknown parameter only "
		"means an "
		"older kernel.",
		run_params },
	{ "ioctl.caps", "host renderer", CHECK_NEEDS_RENDER | CHECK_NEEDS_3D, CHECK_ROOM_SELF,
		"a virgl or virgl2 capset",
		"What the host's renderer can do, and which GPU it runs on.", run_caps },
	{ "ioctl.transfer", "transfer", CHECK_NEEDS_RENDER | CHECK_NEEDS_3D, CHECK_ROOM_GL,
		"what comes back is what was sent",
		"Pixels that change on the way show as garbage in every window.", run_transfer },
	{ "ioctl.execbuffer", "commands and fence", CHECK_NEEDS_RENDER | CHECK_NEEDS_3D,
		CHECK_ROOM_GL, "executed, and its fence signals",
		"A fence that never signals freezes the desktop.", run_execbuffer },
	{ 0 },
};
