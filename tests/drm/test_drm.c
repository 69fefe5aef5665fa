/* SPDX-License-Identifier: MIT */
/*
 * drm: runs all tests of the DRM VM in one program, so that one boot does for them. If GL_CLIENT is
 * unset those of local clients are left out; if DRM_WAITS_ONLY is set, also those that do not
 * differ where no native fence is waited for.
 */
#include <glib.h>

#include "tests/drm/drm_test.h"
#include "tests/wire/wire.h"

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	if (!drm_test_init())
		return wire_skip_all(
			"needs a DRM device (WIRE_RENDER_NODE): run it in tests/drm/vm");
	gbm_tests_add(g_getenv("DRM_WAITS_ONLY") != NULL);
	if (g_getenv("GL_CLIENT"))
		local_tests_add();
	int status = g_test_run();
	local_tests_end();
	return status;
}
