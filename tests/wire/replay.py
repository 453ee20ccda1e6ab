#!/usr/bin/env python3
"""A provider that answers with recordings, cut as one likes.

    replay.py --port PORT [--chunk whole|event|N] CORPUS...

Which recording answers: the one that the model `replay:ID` names; else the one that the header
`idempotency-key: replay:ID:CHUNK:…` names (gateways forward that header, and CHUNK overrules --chunk); else
one whose request is the same JSON, but for the options of its stream. Nothing else answers: 404.

A cut is an HTTP chunk: with `1`, every byte of a body comes in a chunk of its own. As a module it keeps
what it received, by idempotency key.
"""

import argparse
import asyncio
import base64
import json
import re
import threading

import corpus

NOT_SENT = ("content-length", "transfer-encoding", "connection", "content-encoding")
# Chunks are written together up to this size: what matters is where they are cut, not when they come.
BATCH = 16 * 1024


def fingerprint(document):
    """What two requests have in common that mean the same, options of the stream aside."""
    return json.dumps({k: v for k, v in document.items() if k != "stream_options"}, sort_keys=True)


def cut(body, how):
    """`body` in the pieces in which it is sent."""
    if how == "whole" or not body:
        return [body] if body else []
    if how == "event" and body.startswith(b"\0"):
        return frames(body)
    if how == "event":
        return [piece for piece in re.split(rb"(?<=\r\n\r\n)|(?<=[^\r]\n\n)", body) if piece]
    size = int(how)
    return [body[at : at + size] for at in range(0, len(body), size)]


def frames(body):
    """AWS's frames, each of which begins with its length."""
    pieces, at = [], 0
    while at < len(body):
        end = at + int.from_bytes(body[at : at + 4], "big")
        pieces.append(body[at:end])
        at = end
    return pieces


def response_bytes(recording):
    if recording.get("response_b64"):
        return base64.b64decode(recording["response_b64"])
    return (recording["response_text"] or "").encode()


class Replay:
    """The server. It runs in a thread of its own once started."""

    def __init__(self, recordings, chunk="event"):
        self.chunk = chunk
        self.by_id = {recording["id"]: recording for recording in recordings}
        self.by_request = {}
        for recording in recordings:
            if recording["request_text"]:
                key = recording["protocol"], fingerprint(json.loads(recording["request_text"]))
                self.by_request.setdefault(key, recording)
        self.received = {}
        self.port = None
        self.loop = None

    def start(self, port=0):
        ready = threading.Event()

        async def serve():
            server = await asyncio.start_server(self._connection, "127.0.0.1", port, limit=1 << 20)
            self.port = server.sockets[0].getsockname()[1]
            self.loop = asyncio.get_running_loop()
            ready.set()
            await server.serve_forever()

        self.thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self.thread.start()
        ready.wait(10)
        return self

    async def _connection(self, reader, writer):
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        body = await self._body(reader, headers)
        key = headers.get("idempotency-key", "")
        self.received.setdefault(key, []).append((path, headers, body))
        recording, how = self._find(path, key, body)
        await self._answer(writer, recording, how or self.chunk)
        return headers.get("connection", "").lower() != "close"

    @staticmethod
    async def _body(reader, headers):
        if "chunked" not in headers.get("transfer-encoding", ""):
            return await reader.readexactly(int(headers.get("content-length", 0)))
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body

    def _find(self, path, key, body):
        how = None
        if key.startswith("replay:"):
            _, identifier, how, *_ = key.split(":")
            if identifier in self.by_id:
                return self.by_id[identifier], how
        try:
            document = json.loads(body)
        except ValueError:
            return None, None
        model = document.get("model") if isinstance(document, dict) else None
        if isinstance(model, str) and model.startswith("replay:"):
            return self.by_id.get(model[7:]), how
        protocol = "anthropic.messages" if path.split("?")[0].endswith("/messages") else "openai.chat"
        return self.by_request.get((protocol, fingerprint(document))), how

    @staticmethod
    async def _answer(writer, recording, how):
        if recording is None:
            body = b'{"error":{"message":"no recording matches","type":"replay_no_match","param":null,"code":null}}'
            writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
            return await writer.drain()
        body = response_bytes(recording)
        headers = {name: value for name, value in recording["response_headers"].items() if name not in NOT_SENT}
        chunked = recording["stream"] or how != "whole"
        headers.update({"transfer-encoding": "chunked"} if chunked else {"content-length": str(len(body))})
        head = f"HTTP/1.1 {recording['status']} Recorded\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        batch = bytearray((head + "\r\n").encode("latin-1"))
        for piece in cut(body, how):
            batch += b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece
            # An event is worth a write of its own: that is how providers send them.
            if how == "event" or len(batch) > BATCH:
                writer.write(bytes(batch))
                await writer.drain()
                batch.clear()
        writer.write(bytes(batch) + (b"0\r\n\r\n" if chunked else b""))
        await writer.drain()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("corpus", nargs="+")
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--chunk", default="event")
    given = arguments.parse_args()
    replay = Replay(list(corpus.read(given.corpus)), given.chunk).start(given.port)
    print(f"{len(replay.by_id)} recordings on http://127.0.0.1:{replay.port}", flush=True)
    try:
        replay.thread.join()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
