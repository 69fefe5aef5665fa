/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "tests/shim/shim.h"

#define INTEL(name)                                                                                \
	{                                                                                          \
		name, SHIM_I915, "INTEL_STUB_GPU_PLATFORM", name, "libintel_noop_drm_shim.so"      \
	}
#define AMD(name)                                                                                  \
	{                                                                                          \
		name, SHIM_AMDGPU, "AMDGPU_GPU_ID", name, "libamdgpu_noop_drm_shim.so"             \
	}
#define NVIDIA(name, number)                                                                       \
	{                                                                                          \
		name, SHIM_NOUVEAU, "NOUVEAU_CHIPSET", number, "libnouveau_noop_drm_shim.so"       \
	}

static const struct shim_chip shim_chips[] = {
	INTEL("hsw"),
	INTEL("skl"),
	INTEL("tgl"),
	INTEL("adl"),
	INTEL("dg2"),
	AMD("polaris10"),
	AMD("vega10"),
	AMD("raven"),
	AMD("navi21"),
	AMD("navi31"),
	NVIDIA("nve4", "0xe4"),
	NVIDIA("gm200", "0x120"),
	NVIDIA("gp102", "0x132"),
	NVIDIA("tu102", "0x162"),
};

const struct shim_chip *shim_chip_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof(shim_chips) / sizeof(shim_chips[0]); i++) {
		if (strcmp(shim_chips[i].name, name) == 0)
			return &shim_chips[i];
	}
	return NULL;
}
