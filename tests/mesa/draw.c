/* SPDX-License-Identifier: MIT */
/*
 * draw [FRAMES [QUERIES]]: a small program of OpenGL ES, without a window. It draws a texture, a
 * buffer of vertices and a uniform into a framebuffer and reads back. It begins with that many
 * queries, which it keeps.
 *
 * The exit status is 0 when each frame shows the colour that it was drawn in, and 77 when there is
 * no OpenGL ES here.
 */
#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE 64 /* of the picture, in pixels */

static const char vertex_text[] = "attribute vec2 at; varying vec2 where;\n"
				  "void main() { where = at; gl_Position = vec4(at, 0.0, 1.0); }\n";
static const char fragment_text[] =
	"precision mediump float; varying vec2 where; uniform sampler2D colour; uniform vec4 "
	"factor;\n"
	"void main() { gl_FragColor = texture2D(colour, where) * factor; }\n";
/* These make one triangle that covers everything. */
static const float corners[] = { -1, -1, 3, -1, -1, 3 };

static bool start(void)
{
	static const EGLint attributes[] = { EGL_CONTEXT_CLIENT_VERSION, 3, EGL_NONE };
	EGLDisplay display =
		eglGetPlatformDisplayEXT(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
	if (!eglInitialize(display, NULL, NULL) || !eglBindAPI(EGL_OPENGL_ES_API))
		return false;
	EGLContext context =
		eglCreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, attributes);
	return context && eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context);
}

static GLuint make_shader(GLenum kind, const char *text)
{
	GLuint shader = glCreateShader(kind);
	glShaderSource(shader, 1, &text, NULL);
	glCompileShader(shader);
	return shader;
}

static GLint make_program(void)
{
	GLuint program = glCreateProgram();
	glAttachShader(program, make_shader(GL_VERTEX_SHADER, vertex_text));
	glAttachShader(program, make_shader(GL_FRAGMENT_SHADER, fragment_text));
	glBindAttribLocation(program, 0, "at");
	glLinkProgram(program);
	glUseProgram(program);
	return glGetUniformLocation(program, "factor");
}

static GLuint make_texture(const void *pixels)
{
	GLuint texture;
	glGenTextures(1, &texture);
	glBindTexture(GL_TEXTURE_2D, texture);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, SIDE, SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
	return texture;
}

static void make_target(void)
{
	GLuint framebuffer, target = make_texture(NULL);
	glGenFramebuffers(1, &framebuffer);
	glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
	glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, target, 0);
	glViewport(0, 0, SIDE, SIDE);
}

static void make_vertices(void)
{
	GLuint buffer;
	glGenBuffers(1, &buffer);
	glBindBuffer(GL_ARRAY_BUFFER, buffer);
	glBufferData(GL_ARRAY_BUFFER, sizeof(corners), corners, GL_STATIC_DRAW);
	glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
	glEnableVertexAttribArray(0);
}

static void make_queries(int n)
{
	for (int i = 0; i < n; i++) {
		GLuint query;
		glGenQueries(1, &query);
		glBeginQuery(GL_ANY_SAMPLES_PASSED, query);
		glEndQuery(GL_ANY_SAMPLES_PASSED);
	}
}

/*
 * Draws a frame and returns whether it has the factor's colour, which it must because the texture
 * is white.
 */
static bool draw_frame(GLint factor, bool red)
{
	uint8_t pixel[4];
	glUniform4f(factor, red, 0, !red, 1);
	glDrawArrays(GL_TRIANGLES, 0, 3);
	glReadPixels(SIDE / 2, SIDE / 2, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
	return pixel[0] == 255 * red && pixel[1] == 0 && pixel[2] == 255 * !red;
}

int main(int argc, char **argv)
{
	static uint8_t white[SIDE * SIDE * 4];
	int frames = argc > 1 ? atoi(argv[1]) : 10, wrong = 0;
	if (!start())
		return 77;
	memset(white, 255, sizeof(white));
	GLint factor = make_program();
	make_target();
	make_texture(white);
	make_vertices();
	make_queries(argc > 2 ? atoi(argv[2]) : 0);
	for (int i = 0; i < frames; i++)
		wrong += !draw_frame(factor, i % 2);
	printf("%s: %d frames, %d wrong\n", glGetString(GL_RENDERER), frames, wrong);
	return wrong > 0;
}
