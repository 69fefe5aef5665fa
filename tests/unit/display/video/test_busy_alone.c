/* SPDX-License-Identifier: MIT */
/*
 * busy alone: checks that hardware that is busy when encoders are tried, and has nothing behind it,
 * is tried again. Time is the test's, which says when a timer is due.
 */
#include <string.h>

#include "display/video/choices.h"
#include "display/video/video.h"
#include "tests/unit/display/video/fake_encoder.h"

static GSourceFunc due;
static unsigned n_planned;

guint __wrap_g_timeout_add(guint interval_ms, GSourceFunc function, gpointer user);
guint __wrap_g_timeout_add(guint interval_ms, GSourceFunc function, gpointer user)
{
	g_assert_cmpuint(interval_ms, ==, CHOICES_REST_MS);
	due = function;
	n_planned++;
	return 1;
}

static void note_done(void *user)
{
	++*(unsigned *)user;
}

/* Lets a minute pass, and the trial that begins then. */
static void pass_minute(const unsigned *n_done)
{
	GSourceFunc function = due;
	unsigned done_before = *n_done, planned_before = n_planned;
	g_assert_nonnull(function);
	due = NULL;
	function(NULL);
	while (*n_done == done_before && n_planned == planned_before)
		g_main_context_iteration(NULL, TRUE);
}

/* Asked for by name it has no software behind it. */
static void test_busy(void)
{
	static struct fake_encoder fake = { .element = "vah264enc", .fault = FAKE_ERRS };
	unsigned n_done = 0;
	fake_encoder_register(NULL, &fake);
	video_start(&(struct video_options){ .encoder = (char *)"va" }, note_done, &n_done);
	while (n_done == 0)
		g_main_context_iteration(NULL, TRUE);
	g_assert_null(strstr(video_codecs(), "h264"));
	g_assert_true(video_uses_gpu());
	pass_minute(&n_done);
	g_assert_cmpuint(n_done, ==, 1);
	fake.fault = FAKE_NO_FAULT;
	pass_minute(&n_done);
	g_assert_cmpuint(n_done, ==, 2);
	g_assert_true(g_str_has_prefix(video_codecs(), "gstreamer:h264;"));
	g_assert_true(video_uses_gpu());
	g_assert_null(due);
	video_stop();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	gst_init(NULL, NULL);
	/* What goes wrong is told by warnings. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	g_test_add_func("/encoders/busy-alone", test_busy);
	return g_test_run();
}
