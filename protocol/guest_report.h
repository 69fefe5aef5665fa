/* SPDX-License-Identifier: MIT */
/*
 * A guest report is what a guest says of its own graphics, over a virtio-serial port.
 *
 * The guest's vitrine-guest-check --report writes one line of JSON, ended by a newline, to the port
 * of this name whenever it has run (at boot by its systemd unit). The host keeps the last whole
 * line. The line comes from the guest: the host bounds it, parses it as untrusted, and shows
 * strings cleaned.
 *
 *   {"vitrine_guest_report":1,"accelerated":true,"verdict":"OpenGL accelerated: yes, ...",
 *    "renderer":"virgl (...)","host_renderer":"...","gl":"4.3","cause":null,"fix":null,
 *    "pass":40,"warn":2,"fail":0,"skip":3,"kernel":"6.12...","tool":"0.1.0"}
 *
 * Members may be added; those named here stay. `accelerated` is null when it could not be tested.
 * `cause` is an id such as "host.no-virgl", `cause_text` its sentence.
 */
#pragma once

#define GUEST_REPORT_PORT "org.vitrine.guest.0"
#define GUEST_REPORT_VERSION 1
/*
 * A line of text has at most this many bytes, with its newline; the guest truncates its strings to
 * stay below.
 */
#define GUEST_REPORT_TEXT_LINE_MAX 4096
