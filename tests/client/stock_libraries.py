# SPDX-License-Identifier: MIT
"""Two stock WebSocket libraries behind one face, for asyncio. Debian: python3-websockets, python3-websocket.

    line = await connect('websockets', 'ws://127.0.0.1:5900/', cookie='a=b')
    await line.send([b'one ', b'message'])     # a fragment each
    data = await line.receive()                # None: it has ended; line.code and line.reason say how
    await line.ping(b'body')                   # returns when the answer with this body is there
    await line.say_text('text')
    await line.close(1000, 'reason')           # returns when the desktop has answered and hung up
"""
import asyncio
import importlib
import ssl

PROTOCOLS = ['base64', 'binary']  # a list in which ours is not the first


class Websockets:
    """python3-websockets. Offers permessage-deflate, and pings by itself while it waits."""

    @classmethod
    async def connect(cls, url, tls, headers):
        library = importlib.import_module('websockets')
        self = cls()
        self._line = await library.connect(url, ssl=tls, subprotocols=PROTOCOLS, extra_headers=headers, max_size=None,
                                           ping_interval=0.2, ping_timeout=5, open_timeout=10, close_timeout=5)
        self.protocol = self._line.subprotocol
        self._closed = library.ConnectionClosed
        return self

    async def send(self, fragments):
        await self._line.send(fragments)

    async def say_text(self, text):
        await self._line.send(text)

    async def receive(self):
        try:
            return await self._line.recv()
        except self._closed:
            return None

    async def ping(self, body):
        answer = await self._line.ping(body)
        await asyncio.wait_for(answer, 5)

    async def close(self, code, reason):
        await self._line.close(code, reason)

    @property
    def code(self):
        return self._line.close_code

    @property
    def clean(self):
        return self.code != 1006


class WebsocketClient:
    """python3-websocket, whose module is named websocket. Its calls block, so each runs in a thread."""

    @classmethod
    async def connect(cls, url, tls, headers):
        self = cls()
        self._library = importlib.import_module('websocket')
        self._line = self._library.WebSocket(sslopt={'context': tls} if tls else {}, enable_multithread=True)
        self._line.settimeout(10)
        lines = [f'{name}: {value}' for name, value in headers.items()]
        await asyncio.to_thread(self._line.connect, url, header=lines, subprotocols=PROTOCOLS)
        # It takes the first of its own list for what was chosen when the answer names none.
        self.protocol = self._line.getheaders().get('sec-websocket-protocol')
        self._line.settimeout(None)
        self.code, self.clean, self._pongs = None, False, asyncio.Queue()
        return self

    def _send_fragments(self, fragments):
        abnf = self._library.ABNF
        for i, fragment in enumerate(fragments):
            last = i == len(fragments) - 1
            frame = abnf.create_frame(fragment, abnf.OPCODE_BINARY if i == 0 else abnf.OPCODE_CONT, int(last))
            self._line.send_frame(frame)

    async def send(self, fragments):
        await asyncio.to_thread(self._send_fragments, fragments)

    async def say_text(self, text):
        await asyncio.to_thread(self._line.send, text)

    async def receive(self):
        abnf = self._library.ABNF
        while True:
            try:
                opcode, data = await asyncio.to_thread(self._line.recv_data, True)
            except (self._library.WebSocketConnectionClosedException, OSError):
                return None
            if opcode == abnf.OPCODE_PONG:
                self._pongs.put_nowait(data)
            elif opcode == abnf.OPCODE_CLOSE:
                # The library has answered it.
                self.code, self.clean = int.from_bytes(data[:2], 'big') if data else 1005, True
                return None
            elif opcode == abnf.OPCODE_BINARY:
                return data

    async def ping(self, body):
        await asyncio.to_thread(self._line.ping, body)
        while await asyncio.wait_for(self._pongs.get(), 5) != body:
            pass

    async def close(self, code, reason):
        self._line.send_close(code, reason.encode())
        while await self.receive() is not None:
            pass
        self._line.shutdown()


LIBRARIES = {'websockets': Websockets, 'websocket': WebsocketClient}


async def connect(library, port, certificate=None, **headers):
    """Connects to 127.0.0.1; `certificate` is to be trusted, and asks for TLS."""
    tls = ssl.create_default_context(cafile=certificate) if certificate else None
    url = f'{"wss" if tls else "ws"}://127.0.0.1:{port}/spice'
    line = await LIBRARIES[library].connect(url, tls, headers)
    assert line.protocol == 'binary', line.protocol
    return line
