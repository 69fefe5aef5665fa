# SPDX-License-Identifier: MIT
# lost.sh ROOT: runs in a guest's initrd (run-lost) and puts into its root a desktop that is a service, vitrine-guest-recover
# with its unit, and a shell on the second serial port. /payload/desktop says which desktop, and /payload/quick, by "yes", whether
# XFCE has the settings of docs/lost-contexts.md for a shorter start.
set -u
root=$1
units=$root/etc/systemd/system
bin=$root/usr/local/bin
busybox mkdir -p "$units/multi-user.target.wants" "$bin" "$root/etc/xdg/autostart"
for name in apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service man-db.timer fstrim.timer dpkg-db-backup.timer \
	systemd-timesyncd.service systemd-pstore.service getty@tty1.service serial-getty@ttyS1.service lightdm.service greetd.service; do
	busybox ln -sf /dev/null "$units/$name"
done
echo /dev/vda / ext4 rw 0 0 >"$root/etc/fstab"
for group in video render; do busybox sed -i "/^$group:/{s/\$/,person/;s/:,/:/}" "$root/etc/group"; done
busybox mkdir -p "$root/var/lib/systemd/linger" && : >"$root/var/lib/systemd/linger/person"

# unit NAME: from standard input.
unit() {
	cat >"$units/$1.service"
	busybox ln -sf "../$1.service" "$units/multi-user.target.wants/$1.service"
}
cat() { busybox cat "$@"; }

unit vitrine-test-shell <<'END'
[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh -c 'echo shell-is-here; exec sh'
StandardInput=tty
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
Environment=HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/games PS1= LANG=C.UTF-8
Restart=always
END
# What it is in the package, with more restarts than people want.
cat /payload/vitrine-guest-recover >"$root/usr/sbin/vitrine-guest-recover"
busybox chmod 755 "$root/usr/sbin/vitrine-guest-recover"
cat /payload/vitrine-guest-recover.service | unit vitrine-guest-recover
printf 'RESTARTS=32\nRESTARTS_SECONDS=3600\n' >"$root/etc/vitrine-guest-recover.conf"

# A terminal whose colour is the last button's: red, green or blue, and another one before the first. A button needs no focus, which a key
# would.
cat >"$bin/buttons" <<'END'
#!/bin/bash
stty -echo
printf '\e[?1000h\e[48;2;96;96;0m'
# What is painted before the window is there is lost.
until IFS= read -rsn1 -t 0.3 byte; do
	[ $? -gt 128 ] || exit
	printf '\e[2J'
done
while IFS= read -rsn1 byte; do
	[ "$byte" = M ] && IFS= read -rsn1 byte || continue
	case $byte in ' ') colour='224;0;0' ;; '!') colour='0;224;0' ;; '"') colour='0;0;224' ;; *) continue ;; esac
	printf '\e[48;2;%sm\e[2J' $colour
done
END
cat >"$bin/desktop-sway" <<'END'
#!/bin/sh
export LIBSEAT_BACKEND=seatd WLR_RENDERER=gles2 XDG_RUNTIME_DIR=/run/user/1000 HOME=/home/person LANG=C.UTF-8
[ -S /run/seatd.sock ] || SEATD_VTBOUND=0 setsid seatd -g person &
while [ ! -S /run/seatd.sock ] || [ ! -d $XDG_RUNTIME_DIR ]; do sleep 0.1; done
printf '%s\n' 'output * bg #30506e solid_color' 'exec foot --config=/dev/null /usr/local/bin/buttons' >/tmp/sway.config
cd; exec setpriv --reuid=person --regid=person --init-groups sway -c /tmp/sway.config
END
# The session has its user's bus, as PAM gives it to those that a display manager starts.
cat >"$bin/desktop-xfce" <<'END'
#!/bin/sh
export DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus
export DISPLAY=:5 XDG_RUNTIME_DIR=/run/user/1000 HOME=/home/person LANG=C.UTF-8 NO_AT_BRIDGE=1
while [ ! -S $XDG_RUNTIME_DIR/bus ]; do sleep 0.1; done
rm -f /tmp/.X11-unix/X5 /tmp/.X5-lock
HOME=/root Xorg :5 vt7 -ac -noreset -s 0 -dpms -logfile /var/log/xorg.log >/dev/null 2>&1 &
server=$!
while [ ! -S /tmp/.X11-unix/X5 ]; do kill -0 $server || exit 1; sleep 0.1; done
cd; setpriv --reuid=person --regid=person --init-groups xfce4-session &
wait $server
END
cat >"$root/etc/xdg/autostart/buttons.desktop" <<'END'
[Desktop Entry]
Type=Application
Name=Buttons
Exec=xterm -geometry 100x30+300+200 -e /usr/local/bin/buttons
END
busybox chmod 755 "$bin/buttons" "$bin/desktop-sway" "$bin/desktop-xfce"
shorten_xfce() {
	settings=$root/etc/xdg/xfce4
	busybox sed -i '/"dark-mode"/s/"true"/"false"/' "$settings/panel/default.xml"
	busybox sed -i -e '/Client1_Priority/s/value="[0-9]*"/value="15"/' -e '/Client[34]_Priority/s/value="[0-9]*"/value="25"/' \
		"$settings/xfconf/xfce-perchannel-xml/xfce4-session.xml"
	cat >"$settings/xfconf/xfce-perchannel-xml/xfwm4.xml" <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfwm4" version="1.0">
  <property name="general" type="empty">
    <property name="vblank_mode" type="string" value="off"/>
  </property>
</channel>
END
}
[ "$(cat /payload/quick)" != yes ] || shorten_xfce
unit desktop <<END
[Unit]
After=systemd-udev-settle.service vitrine-guest-recover.service
Wants=systemd-udev-settle.service
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/local/bin/desktop-$(cat /payload/desktop)
TimeoutStopSec=5
END
