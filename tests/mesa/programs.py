# SPDX-License-Identifier: MIT
"""What is run: groups of programs, each a name, a shell command and the seconds that it may take.

A command runs in the root of one Debian suite, with an X server of its own (DISPLAY) and Mesa's virpipe driver. Its end by time
is no fault: most of them never end. What a suite has not packaged sends nothing, and run-mesa says so.
"""
import collections
import random
import re

Program = collections.namedtuple('Program', 'name command seconds')

# What glmark2 has besides the scenes that it runs unasked.
GLMARK2_MORE = ('clear', 'desktop:effect=shadow:windows=4', 'shading:shading=cel', 'buffer:update-fraction=1:update-method=subdata',
                'pulsar:light=true:texture=true:quads=8', 'texture:texture-filter=mipmap', 'effect2d', 'refract', 'terrain')
GTK4_DEMOS = ('gears', 'glarea', 'shadertoy', 'gltransition', 'paint', 'svgpaintable', 'css_shadows', 'css_blendmodes', 'css_pixbufs',
              'fishbowl', 'frames', 'gestures', 'listview_colors', 'listview_words', 'masking', 'path_fill', 'path_maze', 'rotated_text',
              'textmask', 'transparent', 'overlay', 'iconscroll', 'hypertext', 'cursors')
WESTON_CLIENTS = ('weston-simple-shm', 'weston-flower', 'weston-terminal', 'weston-simple-damage', 'weston-subsurfaces',
                  'weston-transformed', 'weston-stacking', 'weston-scaler', 'weston-simple-egl')
X11PERF = ('dot', 'rect1', 'rect100', 'srect10', 'osrect100', 'bigtilerect100', 'seg100', 'dseg100', 'line10', 'wline100', 'circle10',
           'ellipse100', 'triangle100', 'trap100', 'aatrap100', 'complex100', 'ftext', 'f14text', 'tr10text', 'aa10text', 'rgb10text',
           'scroll100', 'copywinwin100', 'copypixwin100', 'copywinpix100', 'putimage100', 'shmput100', 'getimage100', 'unmap')
SUBMISSIONS = 120  # of a program that would not end: some seconds of pictures
# One film for all; mpv's ways of showing it.
FILM = '[ -e /tmp/film.mkv ] || ffmpeg -loglevel error -f lavfi -i testsrc=size=320x240:rate=25 -t 60 -pix_fmt yuv420p -y /tmp/film.mkv'
MPV_WAYS = ('--vo=gpu --gpu-context=x11egl', '--vo=gpu --gpu-context=x11egl --profile=gpu-hq', '--vo=gpu-next --gpu-context=x11egl',
            '--vo=gpu --gpu-context=x11egl --opengl-es=yes',
            '--vo=gpu --gpu-context=x11egl --scale=ewa_lanczossharp --deband=yes --interpolation --video-sync=display-resample',
            '--vo=gpu-next --gpu-context=x11egl --scale=ewa_lanczossharp --deband=yes --hdr-compute-peak=yes')
# Profiles of piglit, with their share of the tests, and those tests that draw: the others only compile shaders, and nothing of that is sent.
PIGLIT_PROFILES = {'quick_gl': 0.7, 'quick_shader': 0.3}
PIGLIT_TESTS = '^(spec@!opengl|spec@(arb|ext|nv|oes|khr|amd|apple|ati|intel|mesa)_|spec@glsl-.*@(execution|fs-|vs-)|shaders@|general@|texturing@|hiz@|glx@)'
# These ask for all the memory there is, or take minutes.
PIGLIT_SLOW = 'maxsize|max-size|max-texture|maxcount|leak|oom|streaming|longprim|tex-skipped|maxuniform|large|huge|timeout|many|shader_precision'
# Threads that make resources at once: virpipe's own count of them has no lock (`static int handle` in virgl_vtest_winsys.c), so that
# it names resources which it has not made. A guest's kernel numbers them; run-guest has these tests.
PIGLIT_UNFIT = 'multithread'
PIGLIT_SEED = 11


def each(names, command):
    """A command with $name in it, for one name after the other; until.sh says for how long."""
    return f'for name in {names}; do /run/mesa/until.sh {SUBMISSIONS} {command}; done'


def gears():
    names = ('glxgears', 'es2gears_x11', 'eglgears_x11', 'glxinfo', 'es2_info', 'es2tri', 'glxheads', 'glxdemo', 'egltri_x11')
    yield Program('mesa-utils', each(' '.join(names), '$name'), 60)


def glmark2():
    more = ' '.join(f'-b {scene}' for scene in GLMARK2_MORE)
    for binary in ('glmark2', 'glmark2-es2'):
        yield Program(f'{binary}, its own choice', f'{binary} -s 320x240 -b :duration=0.2', 200)
        yield Program(f'{binary}, more scenes', f'{binary} -s 200x200 -b :duration=0.2 {more}', 60)


def weston():
    """Weston with its own GL renderer, on no output, and clients in shared memory."""
    clients = '; '.join(f'(WAYLAND_DISPLAY=w timeout $((20 * SLOW)) {client} &)' for client in WESTON_CLIENTS)
    start = 'case $(weston --version) in *" 10."*) set -- --backend=headless-backend.so --use-gl;; *) set -- --backend=headless --renderer=gl;; esac'
    yield Program('weston', f'(sleep $((3 * SLOW)); {clients}) & {start}; weston "$@" --socket=w --no-config --width=800 --height=600', 30)


def glamor():
    """An X server that draws with OpenGL: Xephyr's glamor is Xorg's."""
    clients = 'xfce4-session & sleep $((12 * SLOW)); xfce4-terminal -x ls -lR /usr & thunar & mousepad & xterm -e "ls -lR /usr" & xeyes & ' \
              'glxgears & ico -faces -colors red,green & xlogo -render &'
    yield Program('XFCE in Xephyr -glamor', f'(sleep $((3 * SLOW)); export DISPLAY=:9; {clients} wait) & Xephyr :9 -glamor -screen 800x600 -ac', 60)
    drawing = ' '.join(f'-{name}' for name in X11PERF)
    yield Program('x11perf in Xephyr -glamor', f'(sleep $((3 * SLOW)); DISPLAY=:9 x11perf -repeat 1 -reps 20 {drawing}) & Xephyr :9 -glamor -screen 640x480 -ac', 60)


def gtk4():
    for renderer in ('gl', 'ngl'):
        environment = f'export GSK_RENDERER={renderer} GDK_BACKEND=x11; '
        yield Program(f'gtk4-widget-factory, {renderer}', environment + each('gtk4-widget-factory', '$name'), 20)
        yield Program(f'gtk4-demo, {renderer}', environment + each(' '.join(GTK4_DEMOS), 'gtk4-demo --run=$name'), 6 * len(GTK4_DEMOS))


def qt_quick():
    """The examples that are programs, and those that qml shows."""
    run = 'QT_QPA_PLATFORM=xcb QSG_RHI_BACKEND=opengl QT_XCB_GL_INTEGRATION='
    found = '$(find /usr/lib/*/qt[56]/examples/quick* -type f -perm -100 | sort | awk "NR % 4 == {}")'
    for part, integration in enumerate(('xcb_egl', 'xcb_glx', 'xcb_egl', 'xcb_glx')):
        yield Program(f'Qt Quick examples {part}, {integration}', 'export ' + run + integration + '; ' + each(found.format(part), '$name'), 120)
    yield Program('Qt Quick of our own', 'export ' + run + 'xcb_egl; ' + each('/run/mesa/*.qml', '/usr/lib/qt6/bin/qml $name'), 20)


def mpv():
    play = each(' '.join(f"'{way}'" for way in MPV_WAYS), 'mpv --no-config --no-audio --quiet --gpu-api=opengl $name /tmp/film.mkv')
    yield Program('mpv', f'{FILM}; {play}', 100)


def choose_piglit(names, count, seed=PIGLIT_SEED):
    """So many of the tests, the same ones for a seed: one of each family (a name without its last part) in turn."""
    chosen = [name for name in names if re.search(PIGLIT_TESTS, name) and not re.search(f'{PIGLIT_SLOW}|{PIGLIT_UNFIT}', name)]
    random.Random(seed).shuffle(chosen)
    turns, seen = {}, collections.Counter()
    for name in chosen:
        family = name.rpartition('@')[0]
        turns[name] = seen[family]
        seen[family] += 1
    return sorted(chosen, key=turns.get)[:count]


def piglit(profile, tests, seconds):
    """The tests of a list that lies beside the server's socket."""
    run = f'rm -rf /tmp/piglit; PIGLIT_PLATFORM=glx piglit run -l dummy --timeout $((15 * SLOW)) --test-list /run/mesa/{profile} {profile} /tmp/piglit'
    return Program(f'piglit {profile}, {tests} tests', f'{run}; piglit summary console -s /tmp/piglit', seconds)


GROUPS = {'gears': gears, 'glmark2': glmark2, 'weston': weston, 'glamor': glamor, 'gtk4': gtk4, 'qt-quick': qt_quick, 'mpv': mpv}
