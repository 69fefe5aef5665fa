/* SPDX-License-Identifier: MIT */
#include "render/gl/gl_errors.h"

#include <epoxy/gl.h>

/* There is one error of each kind; a context that was lost may say so without end. */
#define ERRORS_MAX 16

void gl_errors_drain(void)
{
	for (int i = 0; i < ERRORS_MAX && glGetError() != GL_NO_ERROR; i++)
		;
}
