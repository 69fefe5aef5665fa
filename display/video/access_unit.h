/* SPDX-License-Identifier: MIT */
/*
 * access unit: puts H.264 access unit delimiters where a client shows each picture at once.
 *
 * A parser (spice-gtk's h264parse) knows that a picture is complete when the next one begins. So
 * the delimiter that should begin the next picture is sent at the end of this one, and none at its
 * beginning but the first. h264parse (1.22 to 1.26) takes a delimiter for one only when the next
 * NAL unit has begun, so an empty message that any access unit may begin with follows: 14 bytes a
 * picture, in the standard's order, for one frame period.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

/* Types of NAL units, H.264 table 7-1. */
#define ACCESS_UNIT_NAL_SEI 6
#define ACCESS_UNIT_NAL_DELIMITER 9

/* Consumes `buffer`, one picture in byte-stream format. `first`: of its stream. */
GstBuffer *access_unit_delimit(GstBuffer *buffer, bool first);
