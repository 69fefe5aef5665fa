/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/guest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "guest-tools/check/limits.h"
#include "guest-tools/check/virtgpu.h"
#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

/*
 * These are word offsets in struct virgl_caps_v2 (virglrenderer src/virgl_hw.h). Version 1 has 77
 * words: max_version, four format masks of 16 words, one word of bits, then eleven limits. Version
 * 2 only ever grows.
 */
enum caps_word {
	CAPS_MAX_VERSION = 0,
	CAPS_GLSL_LEVEL = 66,
	CAPS_MAX_RENDER_TARGETS = 70,
	CAPS_MAX_SAMPLES = 71,
	CAPS_V1_WORDS = 77,
	CAPS_CAPABILITY_BITS = 98,
	CAPS_MAX_TEXTURE_2D = 121,
	CAPS_HOST_FEATURE_VERSION = 139,
	CAPS_RENDERER = 174,
};

static void probe_params(struct guest *guest, int fd)
{
	for (int i = 1; i < GUEST_PARAMS; i++)
		guest->params.param_error[i] =
			-virtgpu_get_param(fd, (enum guest_param)i, &guest->params.value[i]);
	guest->params.error = guest->params.param_error[GUEST_PARAM_3D_FEATURES];
}

/* Kernels before 4.17 refuse a size above the host's. Later ones give what there is. */
static bool get_caps(int fd, uint32_t capset, uint32_t words[CAPS_WORDS_MAX])
{
	static const uint32_t n_words[] = { CAPS_WORDS_MAX, CAPS_RENDERER + 16, CAPS_V1_WORDS };
	for (size_t i = 0; i < ARRAY_LENGTH(n_words); i++) {
		memset(words, 0, CAPS_WORDS_MAX * 4);
		int rc = virtgpu_get_caps(fd, capset, 0, words, n_words[i] * 4);
		if (rc != -EINVAL)
			return rc == 0;
	}
	return false;
}

static void probe_caps(struct guest *guest, int fd)
{
	struct guest_caps *caps = &guest->caps;
	uint32_t first[CAPS_WORDS_MAX], words[CAPS_WORDS_MAX];
	caps->virgl = get_caps(fd, 1, first);
	/* A kernel without the fix confuses the second capset with the first. */
	caps->virgl2 = guest->params.value[GUEST_PARAM_CAPSET_QUERY_FIX] && get_caps(fd, 2, words);
	const uint32_t *best = caps->virgl2 ? words : first;
	if (!caps->virgl && !caps->virgl2)
		return;
	caps->max_version = best[CAPS_MAX_VERSION];
	caps->glsl_level = best[CAPS_GLSL_LEVEL];
	caps->max_render_targets = best[CAPS_MAX_RENDER_TARGETS];
	caps->max_samples = best[CAPS_MAX_SAMPLES];
	if (!caps->virgl2)
		return;
	caps->capability_bits = best[CAPS_CAPABILITY_BITS];
	caps->max_texture_2d = best[CAPS_MAX_TEXTURE_2D];
	caps->host_feature_version = best[CAPS_HOST_FEATURE_VERSION];
	char renderer[65];
	memcpy(renderer, &best[CAPS_RENDERER], 64);
	renderer[64] = 0;
	text_copy(caps->renderer, sizeof caps->renderer, renderer);
}

void guest_probe_driver(struct guest *guest)
{
	const char *path = guest->render_error == 0 ? guest->render_path : guest->card_path;
	guest->params.error = ENODEV;
	if (guest->render_error != 0 && guest->card_error != 0)
		return;
	int fd = virtgpu_open(path);
	if (fd < 0)
		return;
	probe_params(guest, fd);
	if (guest->params.value[GUEST_PARAM_3D_FEATURES])
		probe_caps(guest, fd);
	close(fd);
}
