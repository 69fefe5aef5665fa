#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""browser.py: opens spice-html5 in a stock browser without a window, and has the page do what standard input asks.
Needs chromium (Debian: chromium) and spice-html5 (Debian: spice-html5, or a checkout in $SPICE_HTML5).

Each line is a command of browser_page.html: its name, then NAME=VALUE words. Each is answered by a line, the page's
answer as JSON with "ok". The first line that is printed is "ready", or "missing: " and what. Ends with standard input."""
import ctypes
import http.server
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
SPICE_HTML5 = pathlib.Path(os.environ.get('SPICE_HTML5', '/usr/share/spice-html5'))
ANSWER_S = 120
TYPES = {'.js': 'text/javascript', '.html': 'text/html', '.css': 'text/css'}
commands, answers, loaded = queue.Queue(), queue.Queue(), threading.Event()


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def _say(self, status, kind='text/plain', body=b''):
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _find(self):
        if self.path == '/':
            return HERE / 'browser_page.html'
        path = (SPICE_HTML5 / self.path.removeprefix('/spice/')).resolve()
        return path if path.is_relative_to(SPICE_HTML5.resolve()) and path.is_file() else None

    def do_GET(self):
        if self.path == '/command':
            loaded.set()
            self._say(200, 'application/json', json.dumps(commands.get()).encode())
            return
        path = self._find()
        if path:
            self._say(200, TYPES.get(path.suffix, 'application/octet-stream'), path.read_bytes())
        else:
            self._say(404)

    def do_POST(self):
        answers.put(self.rfile.read(int(self.headers['Content-Length'])).decode())
        self._say(200)


def missing():
    if not shutil.which('chromium'):
        return 'chromium'
    if not (SPICE_HTML5 / 'main.js').is_file():
        return 'spice-html5'
    return None


def die_with_the_script():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def start_browser(url, home):
    # The certificate of a test is known to nobody; and whoever runs tests as root has no sandbox.
    options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
               '--ignore-certificate-errors', '--autoplay-policy=no-user-gesture-required', '--disable-dev-shm-usage',
               f'--user-data-dir={home}', '--window-size=1200,900']
    with open(f'{home}/log', 'w', encoding='utf-8') as log:
        return subprocess.Popen(['chromium', *options, url], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                start_new_session=True, preexec_fn=die_with_the_script)


def parse(line):
    name, *words = line.split()
    command = {'do': name}
    for word in words:
        key, _, value = word.partition('=')
        command[key] = int(value) if value.isdigit() else value
    return command


def serve(home):
    site = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Site)
    site.daemon_threads = True
    threading.Thread(target=site.serve_forever, daemon=True).start()
    browser = start_browser(f'http://127.0.0.1:{site.server_address[1]}/', home)
    try:
        if not loaded.wait(ANSWER_S):
            print('missing: a browser that opens a page:', pathlib.Path(home, 'log').read_text(errors='replace')[-2000:],
                  flush=True)
            return
        print('ready', flush=True)
        for line in sys.stdin:
            commands.put(parse(line))
            print(answers.get(timeout=ANSWER_S), flush=True)
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


def main():
    what = missing()
    if what:
        print('missing:', what, flush=True)
        return
    with tempfile.TemporaryDirectory(prefix='vitrine-browser-', ignore_cleanup_errors=True) as home:
        serve(home)


main()
