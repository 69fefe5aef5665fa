/* SPDX-License-Identifier: MIT */
#include "server/run/qemu_disk.h"

#include <json-glib/json-glib.h>

/* The name of the node of the disk's layer. */
static char *name_node(unsigned layer)
{
	return layer == 0 ? g_strdup("disk") : g_strdup_printf("disk-%u", layer);
}

static char *print_object(JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(node, object);
	return json_to_string(node, FALSE);
}

static void add(GPtrArray *argv, const char *option, char *value)
{
	g_ptr_array_add(argv, g_strdup(option));
	g_ptr_array_add(argv, value);
}

static JsonObject *describe_file(const char *path, bool is_device)
{
	JsonObject *file = json_object_new();
	json_object_set_string_member(file, "driver", is_device ? "host_device" : "file");
	json_object_set_string_member(file, "filename", path);
	return file;
}

/* A format that lies on others is told so where there is none, too: else QEMU reads the header. */
static JsonObject *describe_layer(const struct disk_chain *chain, unsigned index)
{
	const struct disk_layer *layer = disk_chain_layer(chain, index);
	JsonObject *node = json_object_new();
	json_object_set_string_member(node, "driver", layer->format->name);
	json_object_set_object_member(node, "file", describe_file(layer->path, layer->is_device));
	if (layer->data_path)
		json_object_set_object_member(
			node, "data-file", describe_file(layer->data_path, layer->data_is_device));
	if (!layer->format->layered)
		return node;
	g_autofree char *below = name_node(index + 1);
	if (index + 1 < chain->layers->len)
		json_object_set_string_member(node, "backing", below);
	else
		json_object_set_null_member(node, "backing");
	return node;
}

static void add_layer(GPtrArray *argv, const struct disk_chain *chain, unsigned index)
{
	g_autofree char *name = name_node(index);
	JsonObject *node = describe_layer(chain, index);
	json_object_set_string_member(node, "node-name", name);
	json_object_set_boolean_member(
		node, "read-only", index > 0 || disk_chain_layer(chain, index)->format->read_only);
	if (index == 0)
		json_object_set_string_member(node, "discard", "unmap");
	add(argv, "-blockdev", print_object(node));
}

/*
 * Only -drive makes files that are forgotten. It takes a description, too, as a file's name that
 * begins with "json:"; that is an option in which each comma is doubled.
 */
static void add_snapshot(GPtrArray *argv, const struct disk_chain *chain)
{
	g_autofree char *text = print_object(describe_layer(chain, 0));
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);
	g_autofree char *doubled = g_strjoinv(",,", parts);
	add(argv, "-drive",
		g_strdup_printf("if=none,id=disk,discard=unmap,snapshot=on,file=json:%s", doubled));
}

void qemu_add_disk(GPtrArray *argv, const struct disk_chain *chain, bool snapshot)
{
	for (unsigned i = chain->layers->len; i > 1; i--)
		add_layer(argv, chain, i - 1);
	if (snapshot)
		add_snapshot(argv, chain);
	else
		add_layer(argv, chain, 0);
	add(argv, "-device", g_strdup("virtio-blk-pci,drive=disk,bootindex=1"));
}

void qemu_add_flash(GPtrArray *argv, const char *name, const char *path, bool read_only)
{
	JsonObject *node = json_object_new();
	json_object_set_string_member(node, "driver", "raw");
	json_object_set_string_member(node, "node-name", name);
	json_object_set_boolean_member(node, "read-only", read_only);
	json_object_set_object_member(node, "file", describe_file(path, false));
	add(argv, "-blockdev", print_object(node));
}

void qemu_add_seed(GPtrArray *argv, const char *path)
{
	qemu_add_flash(argv, "seed", path, true);
	add(argv, "-device", g_strdup("virtio-blk-pci,drive=seed"));
}
