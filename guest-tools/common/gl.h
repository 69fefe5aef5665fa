/* SPDX-License-Identifier: MIT */
/*
 * gl finds EGL on GBM, and OpenGL, at run time.
 *
 * Nothing of Mesa is linked, because the tools must start on a guest without it and say so. gl_open
 * tells which step failed. There is one context per process, and it is current on the thread that
 * opened it. Of the guest tools only this file knows EGL and GBM; GL functions are called through
 * struct gl_functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <GLES3/gl31.h>

/*
 * The tools call these functions of ES 3.0 and 3.1. X takes the type's name as GLES3 writes it, and
 * the function's name.
 */
#define GL_FUNCTIONS(X)                                                                            \
	X(ATTACHSHADER, AttachShader)                                                              \
	X(BINDBUFFER, BindBuffer)                                                                  \
	X(BINDBUFFERBASE, BindBufferBase)                                                          \
	X(BINDFRAMEBUFFER, BindFramebuffer)                                                        \
	X(BINDRENDERBUFFER, BindRenderbuffer)                                                      \
	X(BINDTEXTURE, BindTexture)                                                                \
	X(BINDVERTEXARRAY, BindVertexArray)                                                        \
	X(BLENDFUNC, BlendFunc)                                                                    \
	X(BUFFERDATA, BufferData)                                                                  \
	X(CHECKFRAMEBUFFERSTATUS, CheckFramebufferStatus)                                          \
	X(CLEAR, Clear)                                                                            \
	X(CLEARCOLOR, ClearColor)                                                                  \
	X(COMPILESHADER, CompileShader)                                                            \
	X(CREATEPROGRAM, CreateProgram)                                                            \
	X(CREATESHADER, CreateShader)                                                              \
	X(DELETEBUFFERS, DeleteBuffers)                                                            \
	X(DELETEFRAMEBUFFERS, DeleteFramebuffers)                                                  \
	X(DELETEPROGRAM, DeleteProgram)                                                            \
	X(DELETERENDERBUFFERS, DeleteRenderbuffers)                                                \
	X(DELETESHADER, DeleteShader)                                                              \
	X(DELETETEXTURES, DeleteTextures)                                                          \
	X(DELETEVERTEXARRAYS, DeleteVertexArrays)                                                  \
	X(DEPTHFUNC, DepthFunc)                                                                    \
	X(DISABLE, Disable)                                                                        \
	X(DISABLEVERTEXATTRIBARRAY, DisableVertexAttribArray)                                      \
	X(DRAWARRAYS, DrawArrays)                                                                  \
	X(DRAWARRAYSINSTANCED, DrawArraysInstanced)                                                \
	X(ENABLE, Enable)                                                                          \
	X(ENABLEVERTEXATTRIBARRAY, EnableVertexAttribArray)                                        \
	X(FINISH, Finish)                                                                          \
	X(FLUSH, Flush)                                                                            \
	X(FRAMEBUFFERRENDERBUFFER, FramebufferRenderbuffer)                                        \
	X(FRAMEBUFFERTEXTURE2D, FramebufferTexture2D)                                              \
	X(GENBUFFERS, GenBuffers)                                                                  \
	X(GENFRAMEBUFFERS, GenFramebuffers)                                                        \
	X(GENRENDERBUFFERS, GenRenderbuffers)                                                      \
	X(GENTEXTURES, GenTextures)                                                                \
	X(GENVERTEXARRAYS, GenVertexArrays)                                                        \
	X(GETERROR, GetError)                                                                      \
	X(GETPROGRAMIV, GetProgramiv)                                                              \
	X(GETSHADERIV, GetShaderiv)                                                                \
	X(GETSTRING, GetString)                                                                    \
	X(GETUNIFORMLOCATION, GetUniformLocation)                                                  \
	X(LINKPROGRAM, LinkProgram)                                                                \
	X(MAPBUFFERRANGE, MapBufferRange)                                                          \
	X(PIXELSTOREI, PixelStorei)                                                                \
	X(READPIXELS, ReadPixels)                                                                  \
	X(RENDERBUFFERSTORAGE, RenderbufferStorage)                                                \
	X(SHADERSOURCE, ShaderSource)                                                              \
	X(TEXIMAGE2D, TexImage2D)                                                                  \
	X(TEXPARAMETERI, TexParameteri)                                                            \
	X(TEXSUBIMAGE2D, TexSubImage2D)                                                            \
	X(UNIFORM1I, Uniform1i)                                                                    \
	X(UNIFORM2F, Uniform2f)                                                                    \
	X(UNIFORM4F, Uniform4f)                                                                    \
	X(UNMAPBUFFER, UnmapBuffer)                                                                \
	X(USEPROGRAM, UseProgram)                                                                  \
	X(VERTEXATTRIBPOINTER, VertexAttribPointer)                                                \
	X(VIEWPORT, Viewport)
/* These are there from ES 3.1 on; before, they are NULL. */
#define GL_FUNCTIONS_31(X)                                                                         \
	X(DISPATCHCOMPUTE, DispatchCompute)                                                        \
	X(MEMORYBARRIER, MemoryBarrier)

#define GL_MEMBER(type, name) PFNGL##type##PROC name;
struct gl_functions {
	GL_FUNCTIONS(GL_MEMBER)
	GL_FUNCTIONS_31(GL_MEMBER)
};

enum gl_stage {
	GL_STAGE_DONE,
	GL_STAGE_LIBRARY,    /* A library is not installed; `missing` names it. */
	GL_STAGE_NODE,       /* The node does not open. */
	GL_STAGE_GBM,        /* There is no GBM device on the node. */
	GL_STAGE_EGL_VENDOR, /* EGL is there, but no driver behind it answers. */
	GL_STAGE_DISPLAY,    /* eglInitialize failed. */
	GL_STAGE_CONTEXT,    /* EGL made no context. */
};

struct gl {
	enum gl_stage failed_at;
	char missing[64];
	char error[160];
	bool on_gbm; /* It is false for a context without surface and device. */
	bool is_31;
	char egl_vendor[64];
	char renderer[128];
	/* This is GL_VERSION of a desktop GL context, or empty when none can be made. */
	char desktop_version[128];
	char es_version[128];
	int es_major, es_minor;
	struct gl_functions fn;
	struct gl_private *own;
};

/* Shader sources for OpenGL ES 2 and 3 begin with these lines. */
#define GL_ES2_SOURCE "#version 100\nprecision highp float;\n"
#define GL_ES3_SOURCE "#version 300 es\nprecision highp float;\n"
/*
 * With this ES 3 vertex shader, drawing three vertices covers the whole target and needs no buffer.
 */
#define GL_COVER_VERTEX                                                                            \
	GL_ES3_SOURCE "void main() { gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0,"            \
		      "gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0); }"

/* gl_open loads these libraries, in this order. NULL ends the list. */
extern const char *const gl_libraries[];
/* Is this library there? Its path goes to `path`, which may be NULL. It is loaded for good. */
bool gl_library_find(const char *name, char *path, size_t size);

/*
 * Opens an ES 3 context, or else one of ES 2, on the node, or without any device when `node` is
 * NULL. It also asks what desktop GL says of itself. Gives true when a context is current.
 */
bool gl_open(struct gl *gl, const char *node);
void gl_close(struct gl *gl);

/*
 * Make a program of its sources. They give 0 on failure, and gl->error says why. A compute program
 * has one source.
 */
GLuint gl_program(struct gl *gl, const char *vertex, const char *fragment);
GLuint gl_compute_program(struct gl *gl, const char *compute);

/*
 * A target is an RGBA8 texture with a framebuffer and a depth buffer. gl_target_init binds it for
 * drawing.
 */
struct gl_target {
	GLuint framebuffer, texture, depth;
	int width, height;
};
bool gl_target_init(struct gl *gl, struct gl_target *target, int width, int height);
void gl_target_finish(struct gl *gl, struct gl_target *target);
