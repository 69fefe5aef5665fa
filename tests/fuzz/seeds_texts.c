/* SPDX-License-Identifier: MIT */
/*
 * Makes texts for fuzz_config, of which the first byte says of what kind they are, and D-Bus values
 * for fuzz_dbus.
 */
#include <stdint.h>
#include <string.h>

#include "tests/fuzz/seeds.h"

static void save(const char *directory, const char *name, uint8_t kind, const char *text)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_byte_array_append(bytes, &kind, sizeof(kind));
	g_byte_array_append(bytes, (const guint8 *)text, (guint)strlen(text));
	seeds_save(directory, name, bytes);
}

/* Appends a value with its length in front, as fuzz_dbus.c takes it. */
static void put_value(GByteArray *bytes, GVariant *value)
{
	g_autoptr(GVariant) own = g_variant_ref_sink(value);
	uint8_t n = (uint8_t)g_variant_get_size(own);
	g_byte_array_append(bytes, &n, 1);
	g_byte_array_append(bytes, g_variant_get_data(own), n);
}

static GVariant *make_properties(void)
{
	GVariantBuilder builder;
	g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sv}"));
	g_variant_builder_add(&builder, "{sv}", "Width", g_variant_new_uint32(1024));
	g_variant_builder_add(&builder, "{sv}", "Height", g_variant_new_uint32(768));
	g_variant_builder_add(&builder, "{sv}", "IsAbsolute", g_variant_new_boolean(TRUE));
	g_variant_builder_add(&builder, "{sv}", "Modifiers", g_variant_new_uint32(2));
	return g_variant_builder_end(&builder);
}

/* The numbers are those of fuzz_dbus.c. */
void seeds_dbus(const char *directory)
{
	static const uint8_t pcm[64];
	g_autoptr(GByteArray) console = g_byte_array_new();
	g_autoptr(GByteArray) sound = g_byte_array_new();
	g_byte_array_append(console, (const guint8 *)"\0\0", 2);
	put_value(console,
		g_variant_new("(s@a{sv}as)", "org.qemu.Display1.Console", make_properties(), NULL));
	put_value(console, make_properties());
	seeds_save(directory, "console", console);
	g_byte_array_append(sound, (const guint8 *)"\1\0\0\1\2", 5);
	put_value(sound, g_variant_new("(tb)", (guint64)1, TRUE));
	g_byte_array_append(sound, (const guint8 *)"\3", 1);
	put_value(sound, g_variant_new("(tb@ay)", (guint64)1, FALSE,
				 g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, pcm, 2, 1)));
	g_byte_array_append(sound, (const guint8 *)"\4", 1);
	put_value(sound,
		g_variant_new("(t@ay)", (guint64)1,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, pcm, sizeof(pcm), 1)));
	g_byte_array_append(sound, (const guint8 *)"\1", 1);
	put_value(sound, g_variant_new("(t)", (guint64)1));
	seeds_save(directory, "sound", sound);
}

void seeds_config(const char *directory)
{
	save(directory, "file", 0,
		"# a desktop\n[desktop]\nname=work\n[machine]\ndisk=/srv/work.qcow2\nmemory=4096\n"
		"cpus=4\naccel=tcg\nuefi=true\n[spice]\nspice-port=5900\nspice-addr=127.0.0.1\n"
		"[graphics]\nsoftware=true\nquota=contexts=16,picture-bytes=64M\n[video]\n"
		"clock=auto\nencoder=x264\n");
	save(directory, "escapes", 0,
		"[desktop]\nname=a\\sb\\tc\\\\d\n[machine]\nappend=x=\\n y;z\n");
	save(directory, "run", 1,
		"--name=work\n--disk=/srv/work.qcow2\n--memory=4096\n--cpus\n4\n--software\n"
		"--quota=contexts=16,making-time=5\n--spice-port=5901\n--append=console=ttyS0");
	save(directory, "gpu", 2,
		"--socket-path=/run/gpu.sock\n--spice-unix=/run/spice\n--no-virgl\n--confine=must\n"
		"--submit-limit=20\n--render-node=/dev/dri/renderD128");
	save(directory, "report", 3,
		"{\"vitrine_guest_report\":1,\"accelerated\":true,\"verdict\":\"good\","
		"\"renderer\":\"virgl (llvmpipe)\",\"cause\":\"\",\"fix\":\"a\\u0007b\","
		"\"os\":\"Debian\",\"kernel\":\"6.1\"}");
	save(directory, "qmp", 4,
		"\77{\"QMP\":{\"version\":{\"qemu\":{\"major\":10}},\"capabilities\":[]}}\n\60\11"
		"{\"return\":{}}\n\77{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true}}\n{"
		"\"error\":"
		"{\"class\":\"GenericError\",\"desc\":\"no\"}}\n");
}

/* Changes of a well-formed file, and one that is cut (fuzz_flight.c). */
void seeds_flight(const char *directory)
{
	static const uint8_t whole[] = { 0 }, cut[] = { 4, 0, 0x20, 0, 0 };
	static const uint8_t changed[] = { 0, 8, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff, 0x10, 0x10, 0,
		0, 1, 0xff, 0xff };
	const struct {
		const char *name;
		const uint8_t *bytes;
		guint size_bytes;
	} seeds[] = { { "whole", whole, sizeof(whole) }, { "cut", cut, sizeof(cut) },
		{ "changed", changed, sizeof(changed) } };
	for (unsigned i = 0; i < G_N_ELEMENTS(seeds); i++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		g_byte_array_append(bytes, seeds[i].bytes, seeds[i].size_bytes);
		seeds_save(directory, seeds[i].name, bytes);
	}
}
