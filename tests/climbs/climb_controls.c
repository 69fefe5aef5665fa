/* SPDX-License-Identifier: MIT */
/*
 * ioctl() by type. Drivers behind it are where a kernel is weak, so a filter lets few types
 * through. The log is no such device: ENOTTY says that the call has reached it, and that is up.
 */
#include <asm/termbits.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <linux/tiocl.h>
#include <sys/ioctl.h>

#include "tests/climbs/climb_calls.h"

#define LOG_FD 2

static int control(unsigned long request, void *argument)
{
	return climb_passed(syscall(SYS_ioctl, LOG_FD, request, argument), ENOTTY);
}

static int type_for_terminal(const struct climb_targets *t)
{
	char byte = ' ';
	return control(TIOCSTI, &byte);
}

static int paste_into_terminal(const struct climb_targets *t)
{
	char code = TIOCL_GETSHIFTSTATE;
	return control(TIOCLINUX, &code);
}

static int take_terminal(const struct climb_targets *t)
{
	return control(TIOCSCTTY, NULL);
}

#define CONTROL(function, request)                                                                 \
	static int function(const struct climb_targets *t)                                         \
	{                                                                                          \
		char data[256] = "";                                                               \
		return control((request), data);                                                   \
	}
CONTROL(make_machine, _IO(0xae, 0x01))       /* KVM_CREATE_VM */
CONTROL(get_loop, 0x4c82)                    /* LOOP_CTL_GET_FREE */
CONTROL(send_scsi, 0x2285)                   /* SG_IO */
CONTROL(reread_partitions, _IO(0x12, 95))    /* BLKRRPART */
CONTROL(make_tunnel, _IOW('T', 202, int))    /* TUNSETIFF */
CONTROL(grab_keyboard, _IOW('E', 0x90, int)) /* EVIOCGRAB */
CONTROL(own_vhost, _IO(0xaf, 0x01))          /* VHOST_SET_OWNER */
CONTROL(send_usb, _IOWR('U', 0, char[24]))   /* USBDEVFS_CONTROL */
CONTROL(list_interfaces, SIOCGIFNAME)
CONTROL(add_fault_range, _IOWR(0xaa, 0x00, char[32])) /* UFFDIO_REGISTER */
CONTROL(write_network_block, _IO(0xab, 3))            /* NBD_DO_IT */
CONTROL(drive_video, _IOR('V', 0, char[104]))         /* VIDIOC_QUERYCAP */

#define SECCOMP CLIMB_SECCOMP
static const struct climb rows[] = {
	{ "TIOCSTI", CLIMB_ALL, SECCOMP, 0, type_for_terminal },
	{ "TIOCLINUX", CLIMB_ALL, SECCOMP, 0, paste_into_terminal },
	{ "TIOCSCTTY", CLIMB_ALL, SECCOMP, 0, take_terminal },
	{ "ioctl: KVM", CLIMB_ALL, SECCOMP, 0, make_machine },
	{ "ioctl: loop devices", CLIMB_ALL, SECCOMP, 0, get_loop },
	{ "ioctl: SCSI", CLIMB_ALL, SECCOMP, 0, send_scsi },
	{ "ioctl: disks", CLIMB_ALL, SECCOMP, 0, reread_partitions },
	{ "ioctl: tunnels", CLIMB_ALL, SECCOMP, 0, make_tunnel },
	{ "ioctl: input devices", CLIMB_ALL, SECCOMP, 0, grab_keyboard },
	{ "ioctl: vhost", CLIMB_ALL, SECCOMP, 0, own_vhost },
	{ "ioctl: USB", CLIMB_ALL, SECCOMP, 0, send_usb },
	{ "ioctl: interfaces", CLIMB_ALL, SECCOMP, 0, list_interfaces },
	{ "ioctl: userfaultfd", CLIMB_ALL, SECCOMP, 0, add_fault_range },
	{ "ioctl: network block devices", CLIMB_ALL, SECCOMP, 0, write_network_block },
	{ "ioctl: cameras", CLIMB_ALL, SECCOMP, 0, drive_video },
};

const struct climb_group climb_controls = CLIMB_GROUP("ioctl", rows);
