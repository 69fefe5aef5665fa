/* SPDX-License-Identifier: MIT */
/*
 * dbus chardev: is the host's end of one of QEMU's character devices, by which a guest has a port
 * (`-chardev dbus,id=ID,name=NAME`, in libvirt <channel type='dbus'>; org.qemu.Display1.Chardev in
 * QEMU's ui/dbus-display1.xml). QEMU gets one end of a pair of sockets, and we keep the other one.
 * When display ends QEMU sees the end of the stream, and the next display makes a new one.
 *
 * A stream is *wanted* by its owner, and *open* while the guest has the port open, too. What the
 * guest had not read when it closed the port is not read by who opens it next: the stream is made
 * anew. QEMU says that a port was closed and opened on another way than its bytes come, so the
 * first bytes after `opened` may be the last ones of before. Where that matters the owner asks the
 * guest something, and throws away what is not the answer.
 *
 * A port that QEMU does not have, or has only later, is waited for without a word.
 *
 * Threads: main loop.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dbus_chardev;

/* None of these may destroy the chardev; the others of its functions may be called. */
struct dbus_chardev_ops {
	/* Says that bytes go both ways from now on, or no more. */
	void (*opened)(void *user, bool is_open);
	/* Says how many bytes `received` can take; 0: none until dbus_chardev_resume() is called.
	 */
	size_t (*room)(void *user);
	void (*received)(void *user, const uint8_t *bytes, size_t n_bytes);
	/* Says that dbus_chardev_send(), which had taken less than it was given, takes more. */
	void (*writable)(void *user);
	/* What the guest has said before it closed the port is received before `opened` says so;
	 * else it is thrown away. */
	bool last_words;
};

/*
 * Looks for the character device of this name, and with this D-Bus path unless it is NULL: several
 * may have one name. It wants no stream yet. The connection is QEMU's D-Bus display's; ops and user
 * stay the caller's.
 */
struct dbus_chardev *dbus_chardev_create(GDBusConnection *connection, const char *name,
	const char *path, const struct dbus_chardev_ops *ops, void *user);
/* Calls nothing after it has returned, and nothing while it runs. NULL is fine. */
void dbus_chardev_destroy(struct dbus_chardev *chardev);

/* Says whether there is to be a stream. Without one the guest sees nobody at the other end. */
void dbus_chardev_want(struct dbus_chardev *chardev, bool wanted);
/*
 * Ends the stream, because the guest's bytes make no sense, or it reads none, and says `opened`
 * false if it was open. The next one is made when the guest has closed the port, so that it cannot
 * have missed the end and take the one for the rest of the other.
 */
void dbus_chardev_renew(struct dbus_chardev *chardev);

/* Returns how many bytes were taken: all, or as many as QEMU has room for; 0 while it is not open.
 */
size_t dbus_chardev_send(struct dbus_chardev *chardev, const uint8_t *bytes, size_t n_bytes);
/* Says that `room` would say more than 0 again. */
void dbus_chardev_resume(struct dbus_chardev *chardev);
