#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""websocket_bridge.py PORT LIBRARY [CERTIFICATE]: lets a SPICE client for TCP connect with WebSocket frames, as
spice-html5 does, in TLS when a certificate to trust is given. LIBRARY is a module of Python (stock_libraries.py), or
"own" for frames made here. Prints the port it listens on; ends with its standard input. Frames have odd sizes, some
messages come in fragments, every hundredth is followed by a ping."""
import asyncio
import base64
import concurrent.futures
import hashlib
import os
import random
import ssl
import struct
import sys

import stock_libraries

GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
PING = b'still there?'
PORT, LIBRARY = int(sys.argv[1]), sys.argv[2]
CERTIFICATE = sys.argv[3] if len(sys.argv) > 3 else None


def frame(first, body):
    mask = os.urandom(4)
    size = len(body)
    if size < 126:
        head = struct.pack('!BB', first, 0x80 | size)
    elif size < 65536:
        head = struct.pack('!BBH', first, 0x80 | 126, size)
    else:
        head = struct.pack('!BBQ', first, 0x80 | 127, size)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(body))
    return head + mask + masked


class Own:
    """As stock_libraries.py has them, but it does not wait for answers to its pings."""

    @classmethod
    async def connect(cls):
        self = cls()
        tls = ssl.create_default_context(cafile=CERTIFICATE) if CERTIFICATE else None
        self._reader, self._writer = await asyncio.open_connection('127.0.0.1', PORT, ssl=tls)
        key = base64.b64encode(os.urandom(16))
        self._writer.write(b'GET /spice HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:8000\r\n'
                           b'Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                           b'Sec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: binary\r\n\r\n' % (PORT, key))
        answer = await self._reader.readuntil(b'\r\n\r\n')
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        assert answer.startswith(b'HTTP/1.1 101 '), answer
        assert b'Sec-WebSocket-Accept: ' + accept + b'\r\n' in answer, answer
        assert b'Sec-WebSocket-Protocol: binary\r\n' in answer, answer
        return self

    async def send(self, fragments):
        for i, fragment in enumerate(fragments):
            last = 0x80 if i == len(fragments) - 1 else 0
            self._writer.write(frame(last | (2 if i == 0 else 0), fragment))
        await self._writer.drain()

    async def ping(self, body):
        self._writer.write(frame(0x89, body))

    async def receive(self):
        while True:
            try:
                first, size = struct.unpack('!BB', await self._reader.readexactly(2))
                assert not size & 0x80, 'a server must not mask'
                if size == 126:
                    size, = struct.unpack('!H', await self._reader.readexactly(2))
                elif size == 127:
                    size, = struct.unpack('!Q', await self._reader.readexactly(8))
                body = await self._reader.readexactly(size)
            except asyncio.IncompleteReadError:
                return None
            assert first in (0x82, 0x88, 0x8a), first
            if first == 0x8a:
                assert body == PING, body
            elif first == 0x88:
                return None
            else:
                return body

    async def close(self, code, reason):
        self._writer.write(frame(0x88, struct.pack('!H', code) + reason.encode()))
        self._writer.close()


async def to_server(reader, line):
    n = 0
    while chunk := await reader.read(random.choice((1, 7, 100, 4096, 70000))):
        at = random.randint(0, len(chunk))
        await line.send(random.choice(([chunk], [chunk[:at], chunk[at:]])))
        n += 1
        if n % 100 == 0:
            await line.ping(PING)
    await line.close(1000, '')


async def to_client(line, writer):
    while (body := await line.receive()) is not None:
        writer.write(body)
        await writer.drain()


async def bridge(reader, writer):
    line = await (Own.connect() if LIBRARY == 'own' else stock_libraries.connect(LIBRARY, PORT, CERTIFICATE))
    tasks = {asyncio.create_task(to_server(reader, line)), asyncio.create_task(to_client(line, writer))}
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        error = task.exception()
        if error and not isinstance(error, ConnectionError):
            print('bridge:', repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    writer.close()


async def main():
    # Each channel may hold two threads (stock_libraries.py).
    asyncio.get_running_loop().set_default_executor(concurrent.futures.ThreadPoolExecutor(64))
    server = await asyncio.start_server(bridge, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
