/* SPDX-License-Identifier: MIT */
#include "tests/client/fake_microphone.h"

#include "tests/client/fake_qemu.h"
#include "tests/client/patience.h"

#define LISTENER_PATH "/org/qemu/Display1/AudioInListener"
#define LISTENER_INTERFACE "org.qemu.Display1.AudioInListener"

bool fake_microphone_wait(struct fake_qemu *qemu, int timeout_ms)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&qemu->lock);
	gint64 end_us = patience_end_us(timeout_ms);
	while (!qemu->microphone) {
		if (!g_cond_wait_until(&qemu->changed, &qemu->lock, end_us))
			break;
	}
	return qemu->microphone != NULL;
}

static GVariant *call(struct fake_qemu *qemu, const char *method, GVariant *arguments)
{
	return g_dbus_connection_call_sync(qemu->microphone, NULL, LISTENER_PATH,
		LISTENER_INTERFACE, method, arguments, NULL, G_DBUS_CALL_FLAGS_NONE, 10000, NULL,
		NULL);
}

static bool is_taken(struct fake_qemu *qemu, const char *method, GVariant *arguments)
{
	g_autoptr(GVariant) answer = call(qemu, method, arguments);
	return answer != NULL;
}

bool fake_microphone_init(struct fake_qemu *qemu, uint64_t id, uint32_t rate_hz)
{
	return is_taken(qemu, "Init",
		g_variant_new("(tybbuyuub)", (guint64)id, 16, TRUE, FALSE, rate_hz, 2, 4,
			4 * rate_hz, G_BYTE_ORDER == G_BIG_ENDIAN));
}

bool fake_microphone_enable(struct fake_qemu *qemu, uint64_t id, bool enabled)
{
	return is_taken(qemu, "SetEnabled", g_variant_new("(tb)", (guint64)id, (gboolean)enabled));
}

bool fake_microphone_volume(struct fake_qemu *qemu, uint64_t id, bool mute, uint8_t volume)
{
	const uint8_t both[] = { volume, volume };
	return is_taken(qemu, "SetVolume",
		g_variant_new("(tb@ay)", (guint64)id, (gboolean)mute,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, both, 2, 1)));
}

GBytes *fake_microphone_read(struct fake_qemu *qemu, uint64_t id, uint64_t size_bytes)
{
	g_autoptr(GVariant) answer =
		call(qemu, "Read", g_variant_new("(tt)", (guint64)id, (guint64)size_bytes));
	if (!answer || !g_variant_is_of_type(answer, G_VARIANT_TYPE("(ay)")))
		return NULL;
	g_autoptr(GVariant) bytes = g_variant_get_child_value(answer, 0);
	return g_variant_get_data_as_bytes(bytes);
}
