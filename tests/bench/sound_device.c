/* SPDX-License-Identifier: MIT */
#include "tests/bench/sound_device.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define STREAM 1
#define BLOCK_FRAMES (SOUND_RATE * SOUND_BLOCK_MS / 1000)
#define BLOCKS_PER_CLICK (SOUND_CLICK_EVERY_MS / SOUND_BLOCK_MS)
#define CLICK_FRAMES (BLOCK_FRAMES / 4)
/* Between clicks the guest plays this instead of silence, which display would not send. */
#define HUM 1
#define CLICK_LEAST 8000
#define CLICK_STEP 1000
/* This many quiet frames end a click. */
#define QUIET_FRAMES (SOUND_RATE / 10)
#define START_TIMEOUT_US (5 * G_USEC_PER_SEC)
/*
 * A null sink that nobody listened to has made two seconds of silence in advance, and plays that
 * first, so we wait longer.
 */
#define SETTLE_US (5 * G_USEC_PER_SEC / 2)

struct sound_device {
	char *directory, *socket, *server;
	GSubprocess *pulse, *record;
	GThread *ear, *guest;
	struct fake_qemu *qemu;
	gint plays; /* atomic */
	unsigned quiet_frames;
	GMutex lock;
	unsigned n_clicks;
	struct sound_click clicks[SOUND_CLICKS_MAX];
};

const char *sound_device_server(const struct sound_device *device)
{
	return device->server;
}

/* ---- the guest ---- */

static int16_t click_value(unsigned number)
{
	return (int16_t)(CLICK_LEAST + CLICK_STEP * (number % SOUND_CLICK_NAMES));
}

static void fill_block(int16_t *samples, bool clicks, unsigned number)
{
	for (unsigned i = 0; i < BLOCK_FRAMES * 2; i++)
		samples[i] = clicks && i < CLICK_FRAMES * 2 ? click_value(number) : HUM;
}

static void note_written(struct sound_device *device, unsigned number)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&device->lock);
	device->clicks[number].made_us = g_get_monotonic_time() - SOUND_QEMU_MS * 1000;
	device->n_clicks = number + 1;
}

static gpointer play(gpointer user)
{
	struct sound_device *device = user;
	int16_t samples[BLOCK_FRAMES * 2];
	gint64 start_us = g_get_monotonic_time();
	unsigned number = device->n_clicks;
	for (unsigned i = 0; g_atomic_int_get(&device->plays); i++) {
		gint64 left_us =
			start_us + (gint64)i * SOUND_BLOCK_MS * 1000 - g_get_monotonic_time();
		bool clicks =
			i % BLOCKS_PER_CLICK == BLOCKS_PER_CLICK - 1 && number < SOUND_CLICKS_MAX;
		if (left_us > 0)
			g_usleep((gulong)left_us);
		fill_block(samples, clicks, number);
		if (clicks)
			note_written(device, number++);
		g_assert_true(
			fake_qemu_sound_write(device->qemu, STREAM, samples, sizeof(samples)));
	}
	return NULL;
}

void sound_device_play(struct sound_device *device, struct fake_qemu *qemu)
{
	device->qemu = qemu;
	g_assert_true(fake_qemu_wait_sound(qemu, 5000));
	g_assert_true(fake_qemu_sound_init(qemu, STREAM, SOUND_RATE, 2));
	g_assert_true(fake_qemu_sound_enable(qemu, STREAM, true));
	g_atomic_int_set(&device->plays, 1);
	device->guest = g_thread_new("guest", play, device);
}

void sound_device_hush(struct sound_device *device)
{
	if (!device->guest)
		return;
	g_atomic_int_set(&device->plays, 0);
	g_thread_join(g_steal_pointer(&device->guest));
	g_assert_true(fake_qemu_sound_fini(device->qemu, STREAM));
}

/* ---- the ear ---- */

/* Notes the youngest click of this name as heard. */
static void note_heard(struct sound_device *device, int16_t value, gint64 now_us)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&device->lock);
	int name = (value - CLICK_LEAST + CLICK_STEP / 2) / CLICK_STEP;
	for (unsigned i = device->n_clicks; i-- > 0;) {
		if ((int)(i % SOUND_CLICK_NAMES) != name)
			continue;
		if (device->clicks[i].heard_us == 0)
			device->clicks[i].heard_us = now_us;
		return;
	}
}

static void listen_to(struct sound_device *device, const int16_t *samples, size_t n_frames)
{
	gint64 now_us = g_get_monotonic_time();
	for (size_t i = 0; i < n_frames; i++) {
		if (samples[i * 2] < CLICK_LEAST / 2) {
			device->quiet_frames++;
			continue;
		}
		/*
		 * We look at the middle of the click, as its first samples may have been smoothed.
		 */
		if (device->quiet_frames > QUIET_FRAMES && i + 4 < n_frames)
			note_heard(device, samples[(i + 4) * 2], now_us);
		device->quiet_frames = 0;
	}
}

static gpointer hear(gpointer user)
{
	struct sound_device *device = user;
	GInputStream *stream = g_subprocess_get_stdout_pipe(device->record);
	int16_t samples[BLOCK_FRAMES * 2];
	gsize size_bytes = 0, more = 0;
	gssize n;
	while ((n = g_input_stream_read(stream, (uint8_t *)samples + more, sizeof(samples) - more,
			NULL, NULL)) > 0) {
		size_bytes = more + (gsize)n;
		listen_to(device, samples, size_bytes / 4);
		more = size_bytes % 4;
		memmove(samples, (uint8_t *)samples + size_bytes - more, more);
	}
	return NULL;
}

/* ---- the sound server ---- */

static bool start_server(struct sound_device *device, GSubprocessLauncher *launcher)
{
	g_autofree char *sink =
		g_strdup_printf("--load=module-null-sink sink_name=bench format=s16le channels=2 "
				"rate=%d",
			SOUND_RATE);
	g_autofree char *protocol = g_strdup_printf(
		"--load=module-native-protocol-unix socket=%s auth-anonymous=1", device->socket);
	const char *argv[] = { "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no",
		"--exit-idle-time=-1", "--log-level=error", sink, protocol, NULL };
	device->pulse = g_subprocess_launcher_spawnv(launcher, argv, NULL);
	gint64 end_us = g_get_monotonic_time() + START_TIMEOUT_US;
	while (device->pulse && !g_file_test(device->socket, G_FILE_TEST_EXISTS) &&
		g_get_monotonic_time() < end_us)
		g_usleep(20000);
	return device->pulse && g_file_test(device->socket, G_FILE_TEST_EXISTS);
}

static bool start_ear(struct sound_device *device, GSubprocessLauncher *launcher)
{
	g_autofree char *rate = g_strdup_printf("--rate=%d", SOUND_RATE);
	const char *argv[] = { "parec", "--raw", "--format=s16le", "--channels=2", rate,
		"--latency-msec=5", "--device=bench.monitor", NULL };
	g_subprocess_launcher_set_flags(launcher, G_SUBPROCESS_FLAGS_STDOUT_PIPE);
	device->record = g_subprocess_launcher_spawnv(launcher, argv, NULL);
	if (device->record)
		device->ear = g_thread_new("ear", hear, device);
	return device->record != NULL;
}

struct sound_device *sound_device_start(void)
{
	struct sound_device *device = g_new0(struct sound_device, 1);
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
	g_mutex_init(&device->lock);
	device->directory = g_dir_make_tmp("bench-sound-XXXXXX", NULL);
	device->socket = g_build_filename(device->directory, "socket", NULL);
	device->server = g_strdup_printf("unix:%s", device->socket);
	g_subprocess_launcher_setenv(launcher, "XDG_RUNTIME_DIR", device->directory, TRUE);
	g_subprocess_launcher_setenv(launcher, "HOME", device->directory, TRUE);
	g_subprocess_launcher_setenv(launcher, "PULSE_SERVER", device->server, TRUE);
	if (start_server(device, launcher) && start_ear(device, launcher)) {
		g_usleep(SETTLE_US);
		return device;
	}
	sound_device_free(device);
	return NULL;
}

static void end_process(GSubprocess *process)
{
	if (!process)
		return;
	g_subprocess_force_exit(process);
	g_subprocess_wait(process, NULL, NULL);
}

const struct sound_click *sound_device_stop(struct sound_device *device, unsigned *n)
{
	sound_device_hush(device);
	end_process(device->record);
	if (device->ear)
		g_thread_join(g_steal_pointer(&device->ear));
	end_process(device->pulse);
	*n = device->n_clicks;
	return device->clicks;
}

static void remove_tree(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *child = g_build_filename(path, name, NULL);
		if (g_file_test(child, G_FILE_TEST_IS_DIR) &&
			!g_file_test(child, G_FILE_TEST_IS_SYMLINK))
			remove_tree(child);
		else
			g_unlink(child);
	}
	if (dir)
		g_dir_close(dir);
	g_rmdir(path);
}

void sound_device_free(struct sound_device *device)
{
	unsigned n;
	if (!device)
		return;
	sound_device_stop(device, &n);
	remove_tree(device->directory);
	g_clear_object(&device->record);
	g_clear_object(&device->pulse);
	g_mutex_clear(&device->lock);
	g_free(device->directory);
	g_free(device->socket);
	g_free(device->server);
	g_free(device);
}
