#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""websocket_bridge.py PORT [CERTIFICATE]: lets a SPICE client for TCP connect with WebSocket frames, as
spice-html5 does, in TLS when a certificate to trust is given. Prints the port it listens on; ends with its
standard input. Frames have odd sizes, every hundredth is a ping in between."""
import asyncio
import base64
import hashlib
import os
import random
import ssl
import struct
import sys

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PORT = int(sys.argv[1])
TLS = None
if len(sys.argv) > 2:
    TLS = ssl.create_default_context(cafile=sys.argv[2])


def frame(opcode, body):
    mask = os.urandom(4)
    size = len(body)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(body))
    return head + mask + masked


async def to_server(reader, writer):
    n = 0
    while chunk := await reader.read(random.choice((1, 7, 100, 4096, 70000))):
        writer.write(frame(2, chunk))
        n += 1
        if n % 100 == 0:
            writer.write(frame(9, b"still there?"))
        await writer.drain()


async def to_client(reader, writer):
    while True:
        first, size = struct.unpack("!BB", await reader.readexactly(2))
        assert not size & 0x80, "a server must not mask"
        if size == 126:
            size, = struct.unpack("!H", await reader.readexactly(2))
        elif size == 127:
            size, = struct.unpack("!Q", await reader.readexactly(8))
        body = await reader.readexactly(size)
        opcode = first & 15
        assert opcode in (2, 8, 10), opcode
        if opcode == 10:
            assert body == b"still there?", body
        if opcode == 8:
            return
        if opcode == 2:
            writer.write(body)
            await writer.drain()


async def connect():
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT, ssl=TLS)
    key = base64.b64encode(os.urandom(16))
    writer.write(b"GET /spice HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:8000\r\n"
                 b"Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 b"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: binary\r\n\r\n" % (PORT, key))
    answer = await reader.readuntil(b"\r\n\r\n")
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    assert b"Sec-WebSocket-Accept: " + accept + b"\r\n" in answer, answer
    assert b"Sec-WebSocket-Protocol: binary\r\n" in answer, answer
    return reader, writer


async def bridge(reader, writer):
    outer_reader, outer_writer = await connect()
    tasks = {asyncio.create_task(to_server(reader, outer_writer)),
             asyncio.create_task(to_client(outer_reader, writer))}
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        error = task.exception()
        if error and not isinstance(error, (asyncio.IncompleteReadError, ConnectionError)):
            print("bridge:", repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    writer.close()
    outer_writer.close()


async def main():
    server = await asyncio.start_server(bridge, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
