#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stock_websocket.py PORT LIBRARY [CERTIFICATE]: has a stock WebSocket library (stock_libraries.py) keep and break rules
of RFC 6455 at a desktop. Prints a line "ok NAME" or "not ok NAME: why" for each, then "waiting"; and when the
desktop has ended, how the library saw that."""
import asyncio
import os
import struct
import sys

import stock_libraries

PORT, LIBRARY = int(sys.argv[1]), sys.argv[2]
CERTIFICATE = sys.argv[3] if len(sys.argv) > 3 else None
MAIN = 1
MINI_HEADER, AUTH_SELECTION, AUTH_SPICE = 1 << 3, 1 << 0, 1 << 1
LINK = struct.pack('<4s3I', b'REDQ', 2, 2, 22) + struct.pack('<I2B3I', 0, MAIN, 0, 1, 0, 18)
LINK += struct.pack('<I', MINI_HEADER | AUTH_SELECTION | AUTH_SPICE)


def connect(**headers):
    return stock_libraries.connect(LIBRARY, PORT, CERTIFICATE, **headers)


async def expect_reply(line):
    data = await asyncio.wait_for(line.receive(), 5)
    assert data and data[:4] == b'REDQ', data


async def expect_end(line, code):
    while await asyncio.wait_for(line.receive(), 5) is not None:
        pass
    assert line.clean and line.code == code, (line.code, line.clean)


async def one_message():
    line = await connect()
    await line.send([LINK])
    await expect_reply(line)
    await line.close(1000, '')
    await expect_end(line, 1000)


async def a_fragment_a_byte():
    line = await connect()
    await line.send([LINK[i:i + 1] for i in range(len(LINK))])
    await expect_reply(line)
    await line.close(1000, '')
    await expect_end(line, 1000)


async def empty_fragments():
    line = await connect()
    await line.send([b'', LINK[:5], b'', LINK[5:], b''])
    await expect_reply(line)
    await line.close(1000, '')
    await expect_end(line, 1000)


async def messages_of_a_byte():
    line = await connect()
    for i in range(len(LINK)):
        await line.send([LINK[i:i + 1]])
    await expect_reply(line)
    await line.close(1000, '')
    await expect_end(line, 1000)


async def large_cookies():
    for size in (4096, 7000, 14000, 40000):
        cookies = '; '.join(f'c{i}=' + 'x' * 94 for i in range(size // 100))
        line = await connect(Cookie=cookies)
        await line.send([LINK])
        await expect_reply(line)
        await line.close(1000, '')
        await expect_end(line, 1000)


async def pings():
    line = await connect()
    reading = asyncio.create_task(line.receive())
    for body in (b'a', b'x' * 125, bytes(range(125))):
        await line.ping(body)
    await line.send([LINK[:7]])
    await line.ping(b'within the link message')
    await line.send([LINK[7:]])
    data = await asyncio.wait_for(reading, 5)
    assert data and data[:4] == b'REDQ', data
    await line.ping(b'behind it') if LIBRARY == 'websockets' else None
    await line.close(1000, '')
    await expect_end(line, 1000)


async def goodbyes():
    for code in (1000, 1001, 1003, 1011, 3000, 4999):
        line = await connect()
        await line.close(code, 'gone, ä')
        await expect_end(line, code)


async def goodbye_among_fragments():
    line = await connect()
    await line.send([LINK[:3], LINK[3:9]])
    await line.close(1001, '')
    await expect_end(line, 1001)


async def text():
    line = await connect()
    await line.say_text('text')
    await expect_end(line, 1003)


async def no_spice():
    line = await connect()
    await line.send([b'this is no SPICE, but long enough to be judged'])
    await expect_end(line, 1008)


TRIES = (one_message, a_fragment_a_byte, empty_fragments, messages_of_a_byte, large_cookies, pings, goodbyes,
         goodbye_among_fragments, text, no_spice)


async def main():
    for attempt in TRIES:
        try:
            await asyncio.wait_for(attempt(), 20)
            print('ok', attempt.__name__, flush=True)
        except Exception as error:
            print(f'not ok {attempt.__name__}: {error!r}', flush=True)
    last = await connect()
    await last.send([LINK])
    await expect_reply(last)
    print('waiting', flush=True)
    while await last.receive() is not None:
        pass
    print('end', last.code, 'clean' if last.clean else 'cut', flush=True)
    os._exit(0)


asyncio.run(main())
