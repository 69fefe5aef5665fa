#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_word.py TELL-WORD: a person whose session has a bus of its own gets vitrine-guest-recover's word by its notifications.

Needs root, since it is another user's session, dbus-run-session, busctl, setpriv and Python's GLib. Alone it is the session's program.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NOBODY = 65534
XML = """<node><interface name="org.freedesktop.Notifications"><method name="Notify"><arg type="s" direction="in"/>
<arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="as" direction="in"/><arg type="a{sv}" direction="in"/><arg type="i" direction="in"/><arg type="u" direction="out"/>
</method></interface></node>"""


def be_the_session():
    """The desktop's notifications, which come up late: each one is a line of what is printed."""
    from gi.repository import Gio, GLib
    loop = GLib.MainLoop()

    def on_call(_connection, _sender, _path, _interface, _method, parameters, invocation):
        _, _, _, summary, body, _, _, _ = parameters.unpack()
        print(f'{summary}|{body}', flush=True)
        invocation.return_value(GLib.Variant('(u)', (1,)))

    def on_bus(connection, _name):
        interface = Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0]
        connection.register_object('/org/freedesktop/Notifications', interface, on_call, None, None)

    time.sleep(1)
    Gio.bus_own_name(Gio.BusType.SESSION, 'org.freedesktop.Notifications', Gio.BusNameOwnerFlags.NONE, on_bus, None, None)
    GLib.timeout_add_seconds(60, loop.quit)
    loop.run()


def missing():
    if os.geteuid() != 0:
        return 'root'
    for name in ('dbus-run-session', 'busctl', 'setpriv'):
        if not shutil.which(name):
            return name
    try:
        import gi  # noqa: F401
    except ImportError:
        return "Python's GLib (python3-gi)"
    return None


def main():
    if len(sys.argv) == 1:
        be_the_session()
        return
    if what := missing():
        print(f'1..0 # SKIP needs {what}')
        sys.exit(77)
    session = [*f'setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups dbus-run-session --'.split(), sys.executable, '-']
    # What is left over from a session that has ended.
    left = subprocess.Popen([*session[:4], 'sleep', '60'], env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS='unix:path=/nonexistent/bus'))
    with tempfile.TemporaryFile('w+') as told, open(__file__) as program:
        process = subprocess.Popen(session, stdin=program, stdout=told, start_new_session=True)
        try:
            subprocess.run([sys.argv[1], str(NOBODY), 'A word', '"quoted"; $HOME <b>'], check=True)
            end = time.monotonic() + 30
            while time.monotonic() < end and not os.fstat(told.fileno()).st_size:
                time.sleep(0.1)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            left.terminate()
            left.wait()
        told.seek(0)
        text = told.read()
    good = text == 'A word|"quoted"; $HOME <b>\n'
    print(f'{"" if good else "not "}ok 1 - the person is told once, as it was said{"" if good else ": " + repr(text)}\n1..1')
    sys.exit(not good)


main()
