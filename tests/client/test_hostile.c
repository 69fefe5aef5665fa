/* SPDX-License-Identifier: MIT */
/*
 * hostile: has a renderer that its guest has taken over say anything it likes on the frame link.
 * Display logs a reason and drops the link; people stay connected, and a fresh renderer is seen
 * again.
 */
#include "tests/client/fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/shm.h"

#define FOURCC_XRGB8888 0x34325258u /* drm_fourcc.h */
#define DROP_MS 5000

static int memfd_plain(size_t size_bytes)
{
	int fd = memfd_create("hostile", MFD_CLOEXEC);

	g_assert_cmpint(ftruncate(fd, size_bytes), ==, 0);
	return fd;
}

/* Returns a good buffer of 64x64, of which each test spoils one thing. */
static struct frame_buffer_add buffer_good(void)
{
	return (struct frame_buffer_add){
		.header.type = FRAME_MESSAGE_BUFFER_ADD,
		.buffer = 1000,
		.kind = FRAME_BUFFER_MEMFD,
		.width = 64,
		.height = 64,
		.stride_bytes = 256,
		.fourcc = FOURCC_XRGB8888,
		.size_bytes = 64 * 256,
	};
}

static void send_buffer(struct fake_render *render, struct frame_buffer_add add, int fd)
{
	fake_render_send(render, &add, sizeof(add), fd);
	close(fd);
}

/* Sends a buffer with a spoiled field, with enough sealed memory behind it. */
static void send_sealed(struct fake_render *render, struct frame_buffer_add add)
{
	send_buffer(render, add, shm_create("hostile", 4 << 20));
}

static void unsealed(struct fake_render *render)
{
	send_buffer(render, buffer_good(), memfd_plain(64 * 256));
}

static void too_small(struct fake_render *render)
{
	send_buffer(render, buffer_good(), shm_create("hostile", 64 * 256 - 1));
}

static void empty_memfd(struct fake_render *render)
{
	send_buffer(render, buffer_good(), shm_create("hostile", 0));
}

static void not_a_memfd(struct fake_render *render)
{
	send_buffer(render, buffer_good(), open("/dev/zero", O_RDWR | O_CLOEXEC));
}

static void a_directory(struct fake_render *render)
{
	send_buffer(render, buffer_good(), open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

#define SPOILED_BUFFER(name, ...)                                                                  \
	static void name(struct fake_render *render)                                               \
	{                                                                                          \
		struct frame_buffer_add add = buffer_good();                                       \
		__VA_ARGS__;                                                                       \
		send_sealed(render, add);                                                          \
	}

SPOILED_BUFFER(size_too_small_for_rows, add.size_bytes = 64 * 256 - 4)
SPOILED_BUFFER(size_huge, add.size_bytes = UINT64_MAX)
SPOILED_BUFFER(size_beyond_memory, add.size_bytes = 8 << 20)
SPOILED_BUFFER(offset_huge, add.offset_bytes = UINT64_MAX - 63)
SPOILED_BUFFER(offset_past_end, add.offset_bytes = 64 * 256 - 255)
SPOILED_BUFFER(stride_too_short, add.stride_bytes = 255)
SPOILED_BUFFER(stride_zero, add.stride_bytes = 0)
SPOILED_BUFFER(stride_overflows, add.stride_bytes = 0x80000000u; add.height = 2;
	       add.size_bytes = 1 << 20)
SPOILED_BUFFER(stride_odd, add.stride_bytes = 257; add.size_bytes = 64 * 257)
SPOILED_BUFFER(width_zero, add.width = 0)
SPOILED_BUFFER(height_zero, add.height = 0)
SPOILED_BUFFER(width_huge, add.width = UINT32_MAX)
SPOILED_BUFFER(width_overflows, add.width = 0x40000010u; add.stride_bytes = 64)
SPOILED_BUFFER(height_huge, add.height = UINT32_MAX)
SPOILED_BUFFER(fourcc_unknown, add.fourcc = 0x20384343)
SPOILED_BUFFER(kind_unknown, add.kind = 77)
SPOILED_BUFFER(id_zero, add.buffer = 0)

static void id_twice(struct fake_render *render)
{
	send_sealed(render, buffer_good());
	send_sealed(render, buffer_good());
}

static void three_hundred_buffers(struct fake_render *render)
{
	for (unsigned i = 0; i < 300; i++) {
		struct frame_buffer_add add = buffer_good();

		add.buffer += i;
		send_buffer(render, add, shm_create("hostile", 64 * 256));
	}
}

static void remove_unknown(struct fake_render *render)
{
	struct frame_buffer_remove remove = { .header.type = FRAME_MESSAGE_BUFFER_REMOVE,
		.buffer = 123456 };

	fake_render_send(render, &remove, sizeof(remove), -1);
}

static void buffer_without_descriptor(struct fake_render *render)
{
	struct frame_buffer_add add = buffer_good();

	fake_render_send(render, &add, sizeof(add), -1);
}

static struct frame_present frame_good(struct fake_render *render)
{
	return (struct frame_present){
		.header.type = FRAME_MESSAGE_PRESENT,
		.buffer = render->heads[0].buffers[0].id,
		.serial = 1000000,
		.n_rects = 1,
		.rects[0] = { 0, 0, 64, 64 },
	};
}

#define SPOILED_FRAME(name, ...)                                                                   \
	static void name(struct fake_render *render)                                               \
	{                                                                                          \
		struct frame_present frame = frame_good(render);                                   \
		__VA_ARGS__;                                                                       \
		fake_render_send(render, &frame, sizeof(frame), -1);                               \
	}

SPOILED_FRAME(frame_head_beyond, frame.head = FRAME_HEADS_MAX)
SPOILED_FRAME(frame_head_huge, frame.head = UINT32_MAX)
SPOILED_FRAME(frame_head_off, frame.head = 5)
SPOILED_FRAME(frame_buffer_unknown, frame.buffer = 999999)
SPOILED_FRAME(frame_buffer_zero, frame.buffer = 0)
SPOILED_FRAME(frame_source_outside, frame.source_x = 1)
SPOILED_FRAME(frame_source_overflows, frame.source_y = UINT32_MAX - 10)
SPOILED_FRAME(frame_too_many_rects, frame.n_rects = FRAME_RECTS_MAX + 1)
SPOILED_FRAME(frame_rects_huge, frame.n_rects = UINT32_MAX)
SPOILED_FRAME(frame_rect_outside, frame.rects[0] = (struct rect){ 700, 500, 200, 200 })
SPOILED_FRAME(
	frame_rect_overflows, frame.rects[0] = (struct rect){ 10, 10, UINT32_MAX, UINT32_MAX - 5 })
SPOILED_FRAME(frame_rect_empty, frame.rects[0] = (struct rect){ 10, 10, 0, 5 })
SPOILED_FRAME(frame_no_rects, frame.n_rects = 0)
SPOILED_FRAME(frame_serial_back, frame.serial = 0)

static void head_on_size(struct fake_render *render, uint32_t head, uint32_t width, uint32_t height)
{
	struct frame_head_on on = { .header.type = FRAME_MESSAGE_HEAD_ON,
		.head = head,
		.width = width,
		.height = height,
		.refresh_mhz = 60000 };

	fake_render_send(render, &on, sizeof(on), -1);
}

static void head_number_beyond(struct fake_render *render)
{
	head_on_size(render, FRAME_HEADS_MAX, 640, 480);
}

static void head_width_zero(struct fake_render *render)
{
	head_on_size(render, 0, 0, 480);
}

static void head_height_huge(struct fake_render *render)
{
	head_on_size(render, 0, 640, UINT32_MAX);
}

static void head_just_too_wide(struct fake_render *render)
{
	head_on_size(render, 0, FRAME_SIZE_MAX + 1, 480);
}

static void head_off_beyond(struct fake_render *render)
{
	struct frame_head_off off = { .header.type = FRAME_MESSAGE_HEAD_OFF, .head = 4711 };

	fake_render_send(render, &off, sizeof(off), -1);
}

/*
 * Makes the mode grow while the buffers stay small, so that the picture no longer lies inside them.
 */
static void head_larger_than_its_buffer(struct fake_render *render)
{
	struct frame_present frame = frame_good(render);

	head_on_size(render, 0, 4000, 3000);
	fake_render_send(render, &frame, sizeof(frame), -1);
}

static void cursor_head_beyond(struct fake_render *render)
{
	struct frame_cursor_image image = { .header.type = FRAME_MESSAGE_CURSOR_IMAGE, .head = 99 };

	fake_render_send(render, &image, sizeof(image), -1);
}

static void cursor_hot_spot_outside(struct fake_render *render)
{
	struct frame_cursor_image image = {
		.header.type = FRAME_MESSAGE_CURSOR_IMAGE, .hot_x = UINT32_MAX, .hot_y = 1000
	};

	fake_render_send(render, &image, sizeof(image), -1);
}

static void cursor_far_away(struct fake_render *render)
{
	struct frame_cursor_move move = {
		.header.type = FRAME_MESSAGE_CURSOR_MOVE, .x = INT32_MIN, .y = INT32_MAX
	};

	fake_render_send(render, &move, sizeof(move), -1);
}

static void type_unknown(struct fake_render *render)
{
	struct frame_buffer_remove message = { .header.type = 4242 };

	fake_render_send(render, &message, sizeof(message), -1);
}

static void type_of_the_other_side(struct fake_render *render)
{
	struct frame_release release = { .header.type = FRAME_MESSAGE_RELEASE, .buffer = 1 };

	fake_render_send(render, &release, sizeof(release), -1);
}

static void message_short(struct fake_render *render)
{
	struct link_header header = { .type = FRAME_MESSAGE_PRESENT };

	fake_render_send(render, &header, sizeof(header), -1);
}

static void message_with_a_stray_descriptor(struct fake_render *render)
{
	struct frame_buffer_remove message = { .header.type = FRAME_MESSAGE_BUFFER_REMOVE,
		.buffer = 1 };
	int fd = memfd_plain(10);

	fake_render_send(render, &message, sizeof(message), fd);
	close(fd);
}

static void hello_of_another_version(struct fake_render *render)
{
	struct frame_hello hello = { .header.type = FRAME_MESSAGE_HELLO, .version = 99 };

	fake_render_send(render, &hello, sizeof(hello), -1);
}

/*
 * Sends the same buffer again and again without waiting for a release. Display bounds it or drops
 * the link.
 */
static void frame_flood(struct fake_render *render)
{
	struct frame_present frame = frame_good(render);

	for (unsigned i = 0; i < 3000; i++) {
		frame.serial++;
		if (fake_render_send(render, &frame, sizeof(frame), -1) < 0)
			return;
	}
}

/* Removes the buffer while display holds it. */
static void remove_while_locked(struct fake_render *render)
{
	struct frame_present frame = frame_good(render);
	struct frame_buffer_remove remove = { .header.type = FRAME_MESSAGE_BUFFER_REMOVE,
		.buffer = frame.buffer };

	fake_render_send(render, &frame, sizeof(frame), -1);
	fake_render_send(render, &remove, sizeof(remove), -1);
	fake_render_send(render, &frame, sizeof(frame), -1);
}

static const struct attack {
	const char *name;
	void (*run)(struct fake_render *render);
	bool must_drop; /* else display may also bear it: clip, ignore */
} attacks[] = {
	{ "unsealed", unsealed, true },
	{ "too-small", too_small, true },
	{ "empty-memfd", empty_memfd, true },
	{ "not-a-memfd", not_a_memfd, true },
	{ "a-directory", a_directory, true },
	{ "size-too-small-for-rows", size_too_small_for_rows, true },
	{ "size-huge", size_huge, true },
	{ "size-beyond-memory", size_beyond_memory, true },
	{ "offset-huge", offset_huge, true },
	{ "offset-past-end", offset_past_end, true },
	{ "stride-too-short", stride_too_short, true },
	{ "stride-zero", stride_zero, true },
	{ "stride-overflows", stride_overflows, true },
	{ "stride-odd", stride_odd, false },
	{ "width-zero", width_zero, true },
	{ "height-zero", height_zero, true },
	{ "width-huge", width_huge, true },
	{ "width-overflows", width_overflows, true },
	{ "height-huge", height_huge, true },
	{ "fourcc-unknown", fourcc_unknown, true },
	{ "kind-unknown", kind_unknown, true },
	{ "id-zero", id_zero, true },
	{ "id-twice", id_twice, true },
	{ "three-hundred-buffers", three_hundred_buffers, true },
	{ "remove-unknown", remove_unknown, true },
	{ "buffer-without-descriptor", buffer_without_descriptor, true },
	{ "frame-head-beyond", frame_head_beyond, true },
	{ "frame-head-huge", frame_head_huge, true },
	{ "frame-head-off", frame_head_off, true },
	{ "frame-buffer-unknown", frame_buffer_unknown, true },
	{ "frame-buffer-zero", frame_buffer_zero, true },
	{ "frame-source-outside", frame_source_outside, true },
	{ "frame-source-overflows", frame_source_overflows, true },
	{ "frame-too-many-rects", frame_too_many_rects, true },
	{ "frame-rects-huge", frame_rects_huge, true },
	{ "frame-rect-outside", frame_rect_outside, false },
	{ "frame-rect-overflows", frame_rect_overflows, false },
	{ "frame-rect-empty", frame_rect_empty, false },
	{ "frame-no-rects", frame_no_rects, false },
	{ "frame-serial-back", frame_serial_back, false },
	{ "head-number-beyond", head_number_beyond, true },
	{ "head-width-zero", head_width_zero, true },
	{ "head-height-huge", head_height_huge, true },
	{ "head-just-too-wide", head_just_too_wide, true },
	{ "head-off-beyond", head_off_beyond, true },
	{ "head-larger-than-its-buffer", head_larger_than_its_buffer, true },
	{ "cursor-head-beyond", cursor_head_beyond, true },
	{ "cursor-hot-spot-outside", cursor_hot_spot_outside, false },
	{ "cursor-far-away", cursor_far_away, false },
	{ "type-unknown", type_unknown, true },
	{ "type-of-the-other-side", type_of_the_other_side, true },
	{ "message-short", message_short, true },
	{ "message-with-a-stray-descriptor", message_with_a_stray_descriptor, true },
	{ "hello-of-another-version", hello_of_another_version, true },
	{ "frame-flood", frame_flood, false },
	{ "remove-while-locked", remove_while_locked, false },
};

/* Makes one attack on a display that has a client; then a fresh renderer's picture must be seen. */
static void attack_run(struct fixture *fixture, const struct attack *attack)
{
	unsigned n_lines = fake_desktop_count_log_lines(fixture->desktop);

	g_mutex_lock(&fixture->render->lock);
	fixture->render->hostile = true;
	g_mutex_unlock(&fixture->render->lock);
	attack->run(fixture->render);
	bool dropped = fake_render_wait_dropped(fixture->render, attack->must_drop ? DROP_MS : 100);
	g_test_message("%s: %s", attack->name, dropped ? "dropped" : "borne");
	g_assert_true(fake_desktop_is_alive(fixture->desktop));
	if (attack->must_drop)
		g_assert_true(dropped);
	if (dropped)
		g_assert_cmpuint(fake_desktop_count_log_lines(fixture->desktop), >, n_lines);
	canvas_noise(fixture_canvas(fixture), canvas_all(fixture_canvas(fixture)),
		g_str_hash(attack->name));
	fake_desktop_renew_frame_link(fixture->desktop);
	fixture_expect_canvas(fixture);
}

/* All attacks share one display, which also shows that nothing adds up. */
static struct fixture shared;

static void test_attack(gconstpointer user)
{
	if (!shared.desktop) {
		fixture_start(&shared, 800, 600, NULL);
		fixture_connect(&shared);
		fixture_expect_canvas(&shared);
	}
	attack_run(&shared, user);
}

static void test_display_has_not_grown(void)
{
	if (!shared.desktop)
		return;
	g_assert_cmpuint(fake_desktop_resident_kib(shared.desktop), <, 512 * 1024);
	fixture_stop(&shared);
	shared.desktop = NULL;
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	for (unsigned i = 0; i < G_N_ELEMENTS(attacks); i++) {
		g_autofree char *path = g_strdup_printf("/hostile/%s", attacks[i].name);

		g_test_add_data_func(path, &attacks[i], test_attack);
	}
	g_test_add_func("/hostile/display-has-not-grown", test_display_has_not_grown);
	int result = g_test_run();
	test_display_has_not_grown();
	return result;
}
