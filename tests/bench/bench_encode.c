/* SPDX-License-Identifier: MIT */
/*
 * bench-encode [FRAMES [WIDTH HEIGHT]] tells what a picture of a film costs in spice-server's
 * encoder pipeline, with the elements of this machine as they stand there (stock) and with ours:
 * milliseconds until it is out, CPU milliseconds of all threads, kilobits, luma SSIM of what comes
 * back. It also measures the colour conversion alone. Ratios are ours to stock's, of medians.
 *
 * Pictures are pushed one by one at 60 a second, as spice-server does, so that cores idle in
 * between and wake as they would.
 */
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "display/video/convert.h"
#include "display/video/video.h"
#include "tests/bench/samples.h"
#include "tests/unit/display/video/video_rig.h"

#define FPS 60
#define SCENES 30
/* We compute the SSIM only of each n-th picture, as that takes longer than encoding. */
#define JUDGED 15

struct bench {
	uint32_t width, height;
	unsigned n_frames;
	uint32_t *scenes[SCENES];
};

struct cost {
	double ms, ms_p95, cpu_ms, kbit, kbit_max, ssim;
};

static double cpu_ms(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* Returns a picture of the scenes, which run there and back, so that their motion has no cut. */
static const uint32_t *scene(const struct bench *bench, unsigned number)
{
	unsigned n = number % (2 * SCENES - 2);
	return bench->scenes[n < SCENES ? n : 2 * SCENES - 2 - n];
}

/*
 * Compares what comes back with this picture and the one before, which a stock encoder may return.
 */
static double judge(const struct bench *bench, struct video_decoder *decoder, GstBuffer *encoded,
	unsigned number, bool wanted)
{
	uint32_t width, height;
	video_decoder_push(decoder, encoded);
	g_autofree uint32_t *pixels = video_decoder_pull(decoder, 1000, &width, &height);
	if (!pixels || !wanted)
		return -1;
	return MAX(video_ssim(pixels, scene(bench, number), width, height),
		video_ssim(pixels, scene(bench, number - 1), width, height));
}

static struct cost run(const struct bench *bench, struct video_rig *rig, const char *codec)
{
	GstBuffer **encoded = g_new0(GstBuffer *, bench->n_frames);
	struct samples ms = { 0 }, ssim = { 0 };
	struct cost cost = { 0 };
	double cpu_before = 0, bits = 0;
	unsigned warm = bench->n_frames / 5;
	for (unsigned i = 0; i < bench->n_frames; i++) {
		gint64 start = g_get_monotonic_time();
		if (i == warm)
			cpu_before = cpu_ms();
		encoded[i] = video_rig_encode(rig, scene(bench, i), 5000);
		gint64 took = g_get_monotonic_time() - start;
		g_assert_nonnull(encoded[i]);
		if (i >= warm)
			samples_add(&ms, (double)took / 1000);
		double size = (double)gst_buffer_get_size(encoded[i]) * 8 / 1000;
		cost.kbit_max = MAX(cost.kbit_max, size);
		bits += i >= warm ? size : 0;
		g_usleep((gulong)MAX(0, G_USEC_PER_SEC / FPS - took));
	}
	cost.cpu_ms = (cpu_ms() - cpu_before) / (bench->n_frames - warm);
	cost.kbit = bits / (bench->n_frames - warm);
	cost.ms = samples_quantile(&ms, 0.5);
	cost.ms_p95 = samples_quantile(&ms, 0.95);
	struct video_decoder *decoder = video_decoder_new(codec);
	for (unsigned i = 0; i < bench->n_frames; i++) {
		double value = judge(bench, decoder, encoded[i], i, i > warm && i % JUDGED == 0);
		if (value >= 0)
			samples_add(&ssim, value);
	}
	cost.ssim = samples_quantile(&ssim, 0.5);
	video_decoder_free(decoder);
	g_free(encoded);
	samples_finish(&ms);
	samples_finish(&ssim);
	return cost;
}

static void print_cost(const char *what, const struct cost *cost)
{
	printf("  %-6s %6.2f ms (p95 %.2f)  %6.2f ms CPU  %7.1f kbit (largest %.0f)  SSIM %.4f\n",
		what, cost->ms, cost->ms_p95, cost->cpu_ms, cost->kbit, cost->kbit_max, cost->ssim);
	fflush(stdout);
}

static const struct {
	const char *codec;
	uint64_t bps;
} runs[] = {
	{ "h264", 400000000 },
	{ "h264", 10000000 },
	{ "h264", 4000000 },
	{ "vp8", 10000000 },
	{ "mjpeg", 40000000 },
};

static struct cost run_codec(const struct bench *bench, unsigned i)
{
	struct video_rig *rig =
		video_rig_new(runs[i].codec, bench->width, bench->height, FPS, runs[i].bps);
	struct cost cost = run(bench, rig, runs[i].codec);
	video_rig_free(rig);
	return cost;
}

/* Measures the CPU milliseconds of one conversion to I420 by GStreamer's element. */
static double stock_convert_cpu_ms(const struct bench *bench)
{
	struct video_rig *rig = video_rig_new_pipeline(
		"appsrc is-live=true format=time do-timestamp=true name=src ! videoconvert ! "
		"video/x-raw,format=I420 ! identity name=encoder ! appsink name=sink",
		bench->width, bench->height, FPS, 0);
	double before = 0;
	unsigned warm = bench->n_frames / 5;
	for (unsigned i = 0; i < bench->n_frames; i++) {
		if (i == warm)
			before = cpu_ms();
		gst_buffer_unref(video_rig_encode(rig, scene(bench, i), 5000));
	}
	double each = (cpu_ms() - before) / (bench->n_frames - warm);
	video_rig_free(rig);
	return each;
}

static double our_convert_cpu_ms(const struct bench *bench)
{
	GstVideoInfo info;
	double before = 0;
	unsigned warm = bench->n_frames / 5;
	gst_video_info_set_format(&info, GST_VIDEO_FORMAT_BGRx, bench->width, bench->height);
	struct convert *convert = convert_create("I420", false, &info);
	for (unsigned i = 0; i < bench->n_frames; i++) {
		size_t size_bytes = (size_t)bench->width * bench->height * 4;
		if (i == warm)
			before = cpu_ms();
		GstBuffer *in = gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY,
			(gpointer)scene(bench, i), size_bytes, 0, size_bytes, NULL, NULL);
		gst_buffer_unref(convert_picture(convert, in));
		gst_buffer_unref(in);
	}
	double each = (cpu_ms() - before) / (bench->n_frames - warm);
	convert_destroy(convert);
	return each;
}

static void compare_conversions(const struct bench *bench)
{
	double stock = stock_convert_cpu_ms(bench), ours = our_convert_cpu_ms(bench);
	printf("BGRx to I420, %ux%u: videoconvert %.2f ms CPU, libyuv %.2f ms CPU, ratio %.2f\n",
		bench->width, bench->height, stock, ours, ours / stock);
}

int main(int argc, char **argv)
{
	gst_init(NULL, NULL);
	/*
	 * We load the decoders' plugin first, as it also brings avenc_mjpeg, which must not be
	 * loaded over ours.
	 */
	g_autoptr(GstPlugin) plugin = gst_plugin_load_by_name("libav");
	struct bench bench = { .n_frames = argc > 1 ? (unsigned)atoi(argv[1]) : 300,
		.width = argc > 3 ? (uint32_t)atoi(argv[2]) : 1920,
		.height = argc > 3 ? (uint32_t)atoi(argv[3]) : 1080 };
	for (unsigned i = 0; i < SCENES; i++) {
		bench.scenes[i] = g_new(uint32_t, (size_t)bench.width * bench.height);
		video_scene(bench.scenes[i], bench.width, bench.height, i);
	}
	struct cost stock[G_N_ELEMENTS(runs)];
	for (unsigned i = 0; i < G_N_ELEMENTS(runs); i++)
		stock[i] = run_codec(&bench, i);
	video_init(&(struct video_options){ 0 });
	for (unsigned i = 0; i < G_N_ELEMENTS(runs); i++) {
		struct cost ours = run_codec(&bench, i);
		printf("%s, %ux%u, %.1f Mbit/s allowed\n", runs[i].codec, bench.width, bench.height,
			(double)runs[i].bps / 1e6);
		print_cost("stock", &stock[i]);
		print_cost("ours", &ours);
		printf("  ratio  %.2f time, %.2f CPU, %.2f bits\n", ours.ms / stock[i].ms,
			ours.cpu_ms / stock[i].cpu_ms, ours.kbit / stock[i].kbit);
	}
	compare_conversions(&bench);
	return 0;
}
