"""Stores to fetch from: redis-server and nginx on loopback, and a long line to them."""
import os, socket

from .work import free_port, need


class Redis:
    """Without persistence, in memory."""

    def __init__(self, work):
        need("redis-server", "redis-server")
        self.work, self.port = work, free_port()
        self.process = work.start("redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                                  "--dir", work.folder, port=self.port)
        self.url = f"redis://127.0.0.1:{self.port}"

    def command(self, *words):
        """One command over a connection of its own: an integer, or text."""
        request = b"*%d\r\n" % len(words)
        for word in words:
            word = word if isinstance(word, bytes) else str(word).encode()
            request += b"$%d\r\n%s\r\n" % (len(word), word)
        with socket.create_connection(("127.0.0.1", self.port), 30) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as reply:
                line = reply.readline().strip()
                if line[:1] == b":":
                    return int(line[1:])
                if line[:1] == b"$":
                    return reply.read(int(line[1:])).decode()
                if line[:1] == b"+":
                    return line[1:].decode()
                raise RuntimeError(f"redis-server: {line!r}")

    def asked(self):
        """Begins to count; what it answers tells, when it is called, the GETs since then and the bytes of the replies."""
        gets, sent = self.counters()
        # What asking costs by itself.
        asking = self.counters()[1] - sent

        def since():
            gets_now, sent_now = self.counters()
            return gets_now - gets, sent_now - sent - 2 * asking
        return since

    def counters(self):
        facts = dict(line.split(":", 1) for section in ("commandstats", "stats")
                     for line in self.command("INFO", section).splitlines() if ":" in line)
        calls = facts.get("cmdstat_get", "calls=0").split(",")[0]
        return int(calls.removeprefix("calls=")), int(facts["total_net_output_bytes"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.work.stop(self.process)


class Nginx:
    """Serves a folder of blocks, as a hub does."""

    def __init__(self, work, folder):
        need("nginx", "nginx-light")
        self.port = free_port()
        here = work.new_folder("nginx")
        temporary = "".join(f"{name}_temp_path {here}/{name}; "
                            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = os.path.join(here, "nginx.conf")
        with open(conf, "w") as out:
            out.write(f"daemon off; user root; worker_processes 1; pid {here}/pid; error_log {here}/log crit;\n"
                      f"events {{ worker_connections 1024; }}\nhttp {{ access_log off; sendfile on; {temporary}\n"
                      f"keepalive_requests 1000000; "
                      f"server {{ listen 127.0.0.1:{self.port} backlog=1024; root {folder}; }} }}\n")
        work.start("nginx", "-e", f"{here}/log", "-c", conf, port=self.port)
        self.url = f"http://127.0.0.1:{self.port}"


class Line:
    """A server as it is seen from far away: `line.c` between."""

    def __init__(self, work, server, round_trip, rate=0):
        """`round_trip` in seconds; `rate` in bytes per second and direction, 0 for no limit."""
        self.work, port = work, free_port()
        self.process = work.start(work.tool("line"), port, server.port, round_trip, rate, port=port)
        self.url = f"{server.url.split(':')[0]}://127.0.0.1:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.work.stop(self.process)
