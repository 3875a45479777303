"""A proxy on loopback that breaks what it carries, as its standard input says: one word a line.

pass     everything as it is
refuse   connections are refused, those that are there are reset
reset    replies end in the middle by a reset
truncate replies end in the middle by an orderly close
stall    nothing comes any more, until another word
flip     a bit of most replies is another
trickle  replies come slowly
"""
import asyncio, random, socket, struct, sys

PIECE = 1 << 16


class Proxy:
    def __init__(self, port, upstream, seed):
        self.port, self.upstream, self.random = port, upstream, random.Random(seed)
        self.mode, self.server, self.writers = "pass", None, set()
        self.changed = asyncio.Event()

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=1024)

    async def set(self, mode):
        if self.mode == "refuse" and mode != "refuse":
            await self.listen()
        self.mode = mode
        self.changed.set()
        self.changed = asyncio.Event()
        if mode == "refuse" and self.server:
            self.server.close()
            self.server = None
            for writer in list(self.writers):
                self.cut(writer)

    def cut(self, writer):
        """A close that the other side sees as a reset."""
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def serve(self, reader, writer):
        self.writers.add(writer)
        other = None
        try:
            there, other = await asyncio.open_connection("127.0.0.1", self.upstream)
            forth = asyncio.create_task(self.copy(reader, other))
            await self.replies(there, writer)
            forth.cancel()
        except OSError:
            pass
        finally:
            self.writers.discard(writer)
            for each in (writer, other):
                if each:
                    each.close()

    async def copy(self, reader, writer):
        try:
            while data := await reader.read(PIECE):
                writer.write(data)
                await writer.drain()
            writer.close()
        except OSError:
            writer.close()

    async def replies(self, reader, writer):
        while data := await reader.read(PIECE):
            while self.mode == "stall":
                await self.changed.wait()
            if self.mode in ("reset", "truncate"):
                writer.write(data[:self.random.randrange(len(data))])
                if self.mode == "reset":
                    self.cut(writer)
                else:
                    await writer.drain()
                return
            if self.mode == "flip" and self.random.random() < 0.8:
                data = bytearray(data)
                data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
            if self.mode == "trickle":
                await asyncio.sleep(0.05)
            writer.write(data)
            await writer.drain()


async def main():
    proxy = Proxy(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    await proxy.listen()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        await proxy.set(line.decode().strip())
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
