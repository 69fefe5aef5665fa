/* SPDX-License-Identifier: MIT */
/* ARRAY_LENGTH gives the number of elements of an array, which must not be a pointer. */
#pragma once

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
