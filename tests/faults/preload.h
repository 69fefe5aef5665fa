/* SPDX-License-Identifier: MIT */
/* preload: how a function stands before another one, and has it fail (preload.c). */
#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/faults/points.h"

/* Both in the order of run-faults' own lists. */
enum role {
	ROLE_OTHER,
	ROLE_KEEPER,
	ROLE_STARTER,
	ROLE_FETCHER,
	ROLE_RENDER,
	ROLE_DISPLAY,
	ROLE_INNER,
};

enum function {
	F_OPEN,
	F_MMAP,
	F_MEMFD_CREATE,
	F_FTRUNCATE,
	F_SOCKET,
	F_SOCKETPAIR,
	F_ACCEPT,
	F_SENDMSG,
	F_SEND,
	F_RECVMSG,
	F_RECV,
	F_EVENTFD,
	F_PIPE,
	F_DUP,
	F_FORK,
	F_THREAD,
	F_PIDFD,
	F_PWRITE,
	F_FALLOCATE,
	F_MALLOC,
	F_G_MALLOC,
	F_GBM,
	F_IMPORT,
	F_EGL,
	F_READ,
	F_WRITE,
	F_EPOLL,
	F_CONNECT,
	F_WALL,
	F_GST,
	F_DBUS,
	F_TLS,
	F_SASL,
	F_CRYPTO,
	F_SPICE,
};

/* Tells whether this call is to fail; `at` is where it comes from. */
bool faults_fails(unsigned function, const void *at) __attribute__((visibility("hidden")));

#pragma GCC visibility push(default)

#define NEXT(type, name, parameters)                                                               \
	static type(*next) parameters;                                                             \
	if (!next)                                                                                 \
	*(void **)&next = dlsym(RTLD_NEXT, #name)

#define STAND_BEFORE(function, type, name, parameters, arguments, error, result)                   \
	type name parameters;                                                                      \
	type name parameters                                                                       \
	{                                                                                          \
		NEXT(type, name, parameters);                                                      \
		if (faults_fails(function, __builtin_return_address(0))) {                         \
			errno = error;                                                             \
			return (type)result;                                                       \
		}                                                                                  \
		return next arguments;                                                             \
	}
