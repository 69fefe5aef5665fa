/* SPDX-License-Identifier: MIT */
#include "display/video/own_gpu.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* Returns an address such as "0000:01:00.0", which the caller frees, or NULL. */
static char *find_pci_address(const char *root, const char *node)
{
	g_autofree char *base = g_path_get_basename(node);
	g_autofree char *link = g_strdup_printf("%s/sys/class/drm/%s/device", root, base);
	char *target = realpath(link, NULL);
	char *address = target ? g_path_get_basename(target) : NULL;
	free(target);
	return address;
}

/*
 * Returns how many of NVIDIA's GPUs have a lower address, which is CUDA's number with
 * CUDA_DEVICE_ORDER=PCI_BUS_ID; -1: that address is none of NVIDIA's. Addresses have as many digits
 * each, so they compare as text.
 */
static int count_before(const char *root, const char *address)
{
	g_autofree char *folder = g_strdup_printf("%s/proc/driver/nvidia/gpus", root);
	g_autoptr(GDir) gpus = g_dir_open(folder, 0, NULL);
	const char *each;
	bool found = false;
	int n_before = 0;
	while (gpus && (each = g_dir_read_name(gpus))) {
		found |= g_str_equal(each, address);
		n_before += strcmp(each, address) < 0;
	}
	return found ? n_before : -1;
}

void own_gpu_find(struct own_gpu *gpu, const char *root, const char *node)
{
	*gpu = (struct own_gpu){ .node = g_strdup(node), .cuda_device = -1 };
	g_autofree char *address = node ? find_pci_address(root, node) : NULL;
	if (address)
		gpu->cuda_device = count_before(root, address);
}

void own_gpu_finish(struct own_gpu *gpu)
{
	g_clear_pointer(&gpu->node, g_free);
}

char *own_gpu_element(const struct own_gpu *gpu, const struct candidate *candidate)
{
	const char *before = candidate->own_before, *after = candidate->own_after;
	if (!gpu->node || !before)
		return NULL;
	if (candidate->is_cuda)
		return gpu->cuda_device < 0 ?
			       NULL :
			       g_strdup_printf("%s%d%s", before, gpu->cuda_device, after);
	g_autofree char *base = g_path_get_basename(gpu->node);
	return g_strconcat(before, base, after, NULL);
}

bool own_gpu_may_have(const struct own_gpu *gpu, const struct candidate *candidate)
{
	return !gpu->node || !candidate->is_cuda || gpu->cuda_device >= 0;
}
