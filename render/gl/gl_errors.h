/* SPDX-License-Identifier: MIT */
/* gl_errors: GL keeps an error until it is asked for, whoever made it. */
#pragma once

/* Forgets what was wrong before, so that what GL says next is about our own calls. */
void gl_errors_drain(void);
