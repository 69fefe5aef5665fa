# SPDX-License-Identifier: MIT
"""Kills the renderer of a desktop again and again, and measures what people notice.

The guest is the small one: its console is written to all the while by 2D commands, GL clients draw off the screen, each a program
that begins anew when it ends. A stock SPICE client watches some pixels of the console. Of each kill it is measured, in ms,

  gone      until the process is no more,
  ready     until another one is READY, as the keeper says,
  back      until that one has given display the picture,
  picture   until the client shows it,
  compiler  for how much of that it was at streams for which the driver compiled,
  rest      for how much of that it was not,
  still     for how long the client's picture stood still at most, from the kill until it has come for a while again,
  compiled  for how much of that the driver compiled.

When the picture was given, and what compiled, the new renderer's flight says: a pause that the driver's compiler makes later, when the
guest's programs have begun anew, is no part of `picture`, but of `still`."""
import contextlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import time

import desktop as lib
import flight
from desktop import Desktop, GuestError

BACKGROUND = '0000aa'
# Cells of the console, 8 by 16 pixels: three that are written to, each a digit of base 7; and what never changes.
DIGITS = [(4 + 16 * i, 8) for i in range(3)]
STILL = [(300, 300), (1000, 540), (1900, 1060), (700, 900)]
CODES = (1, 2, 3, 5, 6, 7, 0)
PERIOD_US = 10000
# A kill is over when the client has had pictures for so long since the first.
SETTLED_US = 300000
PATIENCE_S = 20
FIGURES = ('gone', 'ready', 'back', 'picture', 'compiler', 'rest', 'still', 'compiled')


def writer():
    """A shell loop that counts on the console, by three cells of seven colours."""
    codes = ' '.join(f'c{i}={code};' for i, code in enumerate(CODES))
    return (f"{codes} i=0; while test ! -e /tmp/end; do eval a=\\$c$((i%7)) b=\\$c$((i/7%7)) c=\\$c$((i/49%7)); "
            f"printf \"\\033[H\\033[4${{a}}m  \\033[4${{b}}m  \\033[4${{c}}m  \"; i=$((i+1)); usleep {PERIOD_US}; done")


class Keeper:
    """The keeper's log as it grows, and its figures."""

    def __init__(self, desktop):
        self.desktop = desktop
        self.position = 0
        [self.pid] = [pid for pid in desktop.workers()['vitrine-gpu'] if self.is_keeper(pid)]

    @staticmethod
    def is_keeper(pid):
        return pathlib.Path(f'/proc/{pid}/comm').read_text().strip() == 'vitrine-gpu'

    def new_text(self):
        with open(self.desktop.folder / 'vitrine.log', errors='replace') as file:
            file.seek(self.position)
            text = file.read()
            self.position = file.tell()
        return text

    def stats(self):
        answer = subprocess.run([lib.vitrine_program(), 'stats', '--json', self.desktop.name], stdout=subprocess.PIPE, text=True,
                                check=True)
        return json.loads(answer.stdout)['desktops'][0]

    def renderer(self):
        """Its pid and how many there were."""
        for process in self.stats()['processes']:
            if process['name'] == 'vitrine-render':
                return process['pid'], process['starts']
        raise GuestError('no renderer')

    def memory(self):
        """KiB that the keeper has of its own, and its descriptors."""
        text = pathlib.Path(f'/proc/{self.pid}/smaps_rollup').read_text()
        own = sum(int(kib) for kib in re.findall(r'^Private_(?:Dirty|Clean): +(\d+)', text, re.MULTILINE))
        return own, len(os.listdir(f'/proc/{self.pid}/fd'))


class Survival:
    def __init__(self, desktop, probe, kill_by='KILL', gl=2):
        # A client that goes to another display has no picture until that has sent one, piece by piece. It stands still until then.
        self.may_switch = False
        self.desktop, self.probe, self.kill_by, self.gl = desktop, probe, kill_by, gl
        self.keeper = Keeper(desktop)
        self.times = []
        self.faults = []

    def begin(self):
        control = self.desktop.control
        control.run("printf '\\033[2J\\033[H\\033[44m\\033[2J\\033[?25l' >/dev/tty1")
        script = writer().replace("'", "'\\''")
        control.run(f"echo '{script}' >/tmp/writer; (setsid sh /tmp/writer >/dev/tty1 2>/dev/null &) ; true")
        self.probe.wait_pixel(*STILL[0], BACKGROUND, timeout=PATIENCE_S)
        for i in range(self.gl):
            control.run(f"(setsid sh -c 'while test ! -e /tmp/end; do gl-info >/tmp/gl.{i} 2>&1; echo $? >>/tmp/ends.{i}; done' >/dev/null 2>&1 &) ; true")
        self.probe.command('watch-begin ' + ' '.join(f'{x} {y}' for x, y in DIGITS + STILL))

    def end(self):
        """Ends what begin() started in the guest."""
        self.desktop.control.run('touch /tmp/end; sleep 1; while pidof gl-info; do sleep 1; done', PATIENCE_S)

    def take(self):
        """Hears what the client has shown since; what must never be seen is kept in `faults`."""
        answer = self.probe.command('watch-take', PATIENCE_S)
        for at_us, *colours in answer['events']:
            still = colours[len(DIGITS):]
            if self.may_switch and still != [BACKGROUND] * len(STILL) and set(still) <= {None, '000000', BACKGROUND}:
                continue
            if any(colour != BACKGROUND for colour in still):
                self.faults.append(f'at {at_us}: {still}')
            self.times.append(at_us)
        return answer['now_us']

    def kill(self):
        """Kills the renderer; gives the figures."""
        pid, _ = self.keeper.renderer()
        self.keeper.new_text()
        self.take()
        self.times = self.times[-1:]
        fd = os.pidfd_open(pid)
        began = time.monotonic_ns()
        signal.pidfd_send_signal(fd, getattr(signal, f'SIG{self.kill_by}'))
        select.select([fd], [], [], PATIENCE_S)
        gone = time.monotonic_ns()
        os.close(fd)
        ready, back, events = self.await_picture(began)
        times = [at * 1000 for at in self.times]
        picture = min(at for at in times if at > back)
        still_from, still_to = max(((before, after) for before, after in zip(times, times[1:]) if after > began),
                                   key=lambda pause: pause[1] - pause[0])
        figures = {'gone': gone - began, 'ready': gone - began + ready * 1000000, 'back': back - began, 'picture': picture - began,
                   'compiler': compiled_ns(events, began, picture), 'still': still_to - still_from,
                   'compiled': compiled_ns(events, max(still_from, began), still_to)}
        figures['rest'] = figures['picture'] - figures['compiler']
        return {name: ns / 1e6 for name, ns in figures.items()}

    def await_picture(self, killed_ns):
        """Waits until pictures of the keeper's new renderer have come for a while. Gives when that was ready, in ms, when it had the
        picture, and its flight."""
        deadline = time.monotonic() + PATIENCE_S
        text, ready, back, events = '', None, 0, []
        while time.monotonic() < deadline:
            time.sleep(0.05)
            now_us = self.take()
            text += self.keeper.new_text()
            ready = ready or re.search(r'vitrine-render \(pid \d+\) is ready after (\d+) ms', text)
            if not ready or now_us * 1000 - killed_ns < SETTLED_US * 1000:
                continue
            events = flight.read_newest(self.keeper.pid, 'PICTURES_BACK')
            back = max((at for at, name, _ in events if name == 'PICTURES_BACK'), default=0)
            after = [at for at in self.times if at * 1000 > back]
            if back > killed_ns and after and now_us - after[0] > SETTLED_US:
                return int(ready[1]), back, events
        raise GuestError(f'no picture within {PATIENCE_S} s of the kill: {text}; {(back - killed_ns) / 1e6} ms; {len(self.times)} changes')

    def await_still(self):
        """Waits until pictures come again and have come for a while; gives for how long they stood still at most since take()."""
        now_us = began_us = self.take()
        while len(self.times) < 2 or now_us - began_us < SETTLED_US or now_us - self.times[-1] > SETTLED_US:
            if now_us - began_us > PATIENCE_S * 1e6:
                raise GuestError(f'no picture within {PATIENCE_S} s')
            time.sleep(0.05)
            now_us = self.take()
        return max(after - before for before, after in zip(self.times, self.times[1:])) / 1000

    def gl_ends(self):
        """How many GL programs have ended well, and how many otherwise."""
        ends = self.desktop.control.run('cat /tmp/ends.* 2>/dev/null; true', PATIENCE_S).split()
        return ends.count('0'), len(ends) - ends.count('0')


def compiled_ns(events, begin, end):
    """For how long of that time the renderer was at streams for which the driver compiled: each says at its end for how long."""
    spans = [(at - words[1] * 1000, at) for at, name, words in events if name == 'COMPILED']
    return sum(max(0, min(to, end) - max(since, begin)) for since, to in spans)


@contextlib.contextmanager
def survival(spare, gl=2, kill_by='KILL'):
    """A desktop with its client, of which the renderer can be killed."""
    # The keeper tells of its workers then; the client would print its own lines among its answers.
    os.environ['G_MESSAGES_DEBUG'] = 'vitrine-gpu'
    try:
        desktop = Desktop('minimal', options=['--software', f'--spare={spare}'])
    finally:
        del os.environ['G_MESSAGES_DEBUG']
    with desktop, desktop.connect() as probe:
        yield Survival(desktop, probe, kill_by, gl)


def percentile(values, percent):
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]


def describe(kills):
    """Lines of figures about kills as kill() gives them."""
    lines = []
    for name in FIGURES:
        values = [kill[name] for kill in kills]
        lines.append(f'{name:8} p50 {percentile(values, 50):6.1f} ms, p95 {percentile(values, 95):6.1f}, p99 {percentile(values, 99):6.1f}, '
                     f'most {max(values):6.1f}')
    return lines
