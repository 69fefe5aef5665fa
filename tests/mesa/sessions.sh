# SPDX-License-Identifier: MIT
# Runs in a guest, as root (run-guest): kmscube, sway, then an Xorg with glamor and XFCE, and in each the programs that people
# use. Each program's output goes to /out. SESSIONS, SLOW: what to run, and how many times as long as on a machine that is not
# slow. RECORD=1: what is drawn is written down by the host, so each session does one thing, and goes on with it.
export LANG=C.UTF-8 XDG_RUNTIME_DIR=/run/user/1000 HOME=/home/person NO_AT_BRIDGE=1 PATH=$PATH:/usr/games
# The person's runtime folder would come and go with each su.
loginctl enable-linger person
until [ -d $XDG_RUNTIME_DIR ]; do sleep 1; done
mkdir -p /out && chown person /out
# The person may open the GPU: udev, which may hear of it late, gives it to these groups.
for group in video render; do sed -i "/^$group:/{s/\$/,person/;s/:,/:/}" /etc/group; done
udevadm settle --timeout=60
chmod a+rw /dev/dri/*

# person COMMAND: as the desktop's user, with this environment.
person() { su -p person -c "cd; $1"; }

# program NAME SECONDS COMMAND: a line in /out/programs says how it ended; 124 is the end of its time.
program() {
	person "timeout -k 2 $(($2 * SLOW)) $3; echo \$? >/tmp/status" 2>&1 | tail -c 20000 >"/out/$session-$1.log"
	echo "$session $1: status $(cat /tmp/status), up $(cut -d' ' -f1 /proc/uptime) s" | tee -a /out/programs >/dev/console
}

# wait_for SOCKET: for a display server.
wait_for() {
	i=0
	until [ -S "$1" ] || [ $i -ge $((180 * SLOW)) ]; do sleep 1; i=$((i + 1)); done
	sleep $((3 * SLOW))
	[ -S "$1" ]
}

# toolkits MPV-CONTEXT QT-PLATFORM: the same in both sessions, GDK_BACKEND says where.
toolkits() {
	for renderer in gl ngl; do
		export GSK_RENDERER=$renderer
		program gtk4-widget-factory-$renderer 15 gtk4-widget-factory
		for page in gears glarea css_shadows fishbowl shadertoy; do program gtk4-demo-$renderer-$page 10 "gtk4-demo --run=$page"; done
	done
	unset GSK_RENDERER
	person '[ -e /tmp/film.mkv ] || ffmpeg -loglevel error -f lavfi -i testsrc=size=320x240:rate=25 -t 10 -pix_fmt yuv420p -y /tmp/film.mkv'
	program mpv-gpu 15 "mpv --no-config --no-audio --vo=gpu --gpu-api=opengl --gpu-context=$1 /tmp/film.mkv"
	program mpv-gpu-next 15 "mpv --no-config --no-audio --vo=gpu-next --gpu-api=opengl --gpu-context=$1 /tmp/film.mkv"
	export QT_QPA_PLATFORM=$2 QSG_RHI_BACKEND=opengl
	program qml 15 'sh -c "exec /usr/lib/qt6/bin/qml /payload/scene.qml"'
	find /usr/lib/*/qt[56]/examples/quick* -type f -perm -100 2>/dev/null | sort | awk 'NR % 6 == 1' >/tmp/quick
	while read -r example; do program "quick-${example##*/}" 8 "$example" </dev/null; done </tmp/quick
}

# kmscube ends when its input can be read, as that is at its end, too.
run_kmscube() {
	session=kmscube
	mkfifo /tmp/silence && chown person /tmp/silence
	[ "${RECORD:-0}" = 0 ] || { program smooth 100 'kmscube -c 600 <>/tmp/silence'; return; }
	program smooth 30 'kmscube -c 60 <>/tmp/silence'
	program rgba 30 'kmscube -M rgba -c 60 <>/tmp/silence'
	program samples 30 'kmscube -s 4 -c 60 <>/tmp/silence'
}

run_sway() {
	session=sway
	SEATD_VTBOUND=0 seatd -g person >/out/seatd.log 2>&1 &
	printf '%s\n' 'output * bg #30506e solid_color' 'exec foot sh -c "while ls -lR /usr/share; do :; done"' >/tmp/sway.config
	person 'LIBSEAT_BACKEND=seatd WLR_RENDERER=gles2 sway -d -c /tmp/sway.config' 2>&1 | head -c 2000000 >/out/sway.log &
	wait_for $XDG_RUNTIME_DIR/wayland-1 || return
	export WAYLAND_DISPLAY=wayland-1 GDK_BACKEND=wayland XDG_SESSION_TYPE=wayland
	if [ "${RECORD:-0}" = 1 ]; then
		program second-foot 60 'foot sh -c "while ls -lR /usr/share; do :; done"'
		grep -a 'GL renderer' /out/sway.log >/out/sway-renderer.log
		return
	fi
	DISPLAY=:0 program es2_info-by-xwayland 20 es2_info
	program weston-simple-egl 8 weston-simple-egl
	program glmark2-es2-wayland 240 'glmark2-es2-wayland -s 320x240 -b :duration=0.2'
	DISPLAY=:0 program glxgears-by-xwayland 10 glxgears
	toolkits wayland wayland
	person 'SWAYSOCK=$(ls $XDG_RUNTIME_DIR/sway-ipc.*.sock) swaymsg exit'
	sleep 3
	unset WAYLAND_DISPLAY GDK_BACKEND XDG_SESSION_TYPE
}

run_xfce() {
	session=xfce
	Xorg :5 vt7 -ac -logfile /out/xorg.log >/out/xorg.out 2>&1 &
	xorg=$!
	wait_for /tmp/.X11-unix/X5 || return
	export DISPLAY=:5 GDK_BACKEND=x11 XDG_SESSION_TYPE=x11
	person 'dbus-run-session xfce4-session' 2>&1 | head -c 200000 >/out/xfce.log &
	sleep $((30 * SLOW))
	program glxinfo 20 'glxinfo -B'
	program glxgears 10 glxgears
	program xfce4-terminal 15 'xfce4-terminal --disable-server -x ls -lR /usr/share'
	program thunar 15 thunar
	program mousepad 10 mousepad
	program x11perf 40 'x11perf -repeat 1 -time 1 -reps 5 -rect500 -copywinwin500 -putimage500 -aa24text -shmput500 -compwinwin500'
	program glmark2 240 'glmark2 -s 320x240 -b :duration=0.2'
	toolkits x11egl xcb
	# run-mesa cannot run these (programs.py).
	for test in /usr/lib/x86_64-linux-gnu/piglit/bin/glx-multithread*; do program "piglit-${test##*/}" 20 "$test -auto"; done
	ps ax -o comm= | sort | uniq -c >/out/xfce-processes.txt
	kill $xorg
	sleep 3
}

for name in $SESSIONS; do "run_$name"; done
dmesg >/out/dmesg.txt
# The host asks every three seconds what was refused.
sleep 10
