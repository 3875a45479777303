#!/usr/bin/env python3
"""Calls methods over zbus, with nothing in common with the Swift code.

zbus_client.py BROKER MODULE OBJECT VERSION METHOD JSON_ARGUMENTS [--timeout SECONDS]
zbus_client.py BROKER --session

BROKER is a port of 127.0.0.1, the path of a unix socket, or a URL of redis. JSON_ARGUMENTS is an array; whole numbers
are sent as Go's uint64, objects as structs, {"$raw": "c0"} as these bytes. Prints {"data", "error", "protocol_error"};
exit code 3 when no answer came.

A session reads lines of stdin, each an array of {"queue", "object", "version", "method", "arguments", "timeout"}, calls
all of a line at the same time, and prints a line with an array of what it prints otherwise; null where no answer came.
"""
import argparse
import json
import struct
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import msgpack
import redis


def go(value):
    """The bytes that Go writes for the value."""
    if isinstance(value, bool) or value is None or isinstance(value, (str, float)):
        return msgpack.packb(value)
    if isinstance(value, int):
        return msgpack.packb(value) if value < 0 else b"\xcf" + struct.pack(">Q", value)
    if isinstance(value, dict):
        if "$raw" in value:
            return bytes.fromhex(value["$raw"])
        head = msgpack.Packer().pack_map_header(len(value))
        return head + b"".join(go(part) for pair in value.items() for part in pair)
    return msgpack.Packer().pack_array_header(len(value)) + b"".join(go(part) for part in value)


def shown(value):
    return value.hex() if isinstance(value, bytes) else str(value)


def connect(broker):
    if broker.isdigit():
        return redis.Redis(host="127.0.0.1", port=int(broker))
    if "://" in broker:
        return redis.Redis.from_url(broker)
    return redis.Redis(unix_socket_path=broker)


def wait(bus, name, timeout):
    end = time.monotonic() + timeout
    answer = None
    while answer is None and time.monotonic() < end:
        try:
            answer = bus.blpop([name], timeout=1)
        except redis.ConnectionError:
            time.sleep(0.02)  # A redis that is started again.
    return answer


def call(bus, queue, name, version, method, arguments, timeout):
    """What the answer says; None if there is none."""
    identity = str(uuid.uuid4())
    request = {
        "ID": identity,
        "Inputs": [go(argument) for argument in arguments],
        "Object": {"Name": name, "Version": version},
        "ReplyTo": identity,
        "Method": method,
    }
    bus.rpush(queue, msgpack.packb(request))
    answer = wait(bus, identity, timeout)
    if answer is None:
        return None
    response = msgpack.unpackb(answer[1], raw=False)
    assert response["ID"] == identity, response
    output = response["Output"]
    data = output["Data"]
    return {
        "data": None if data is None else msgpack.unpackb(data, raw=False, timestamp=1),
        "error": output["Error"] and output["Error"]["Message"],
        "protocol_error": response["Error"],
    }


def session(bus):
    with ThreadPoolExecutor(max_workers=64) as pool:
        for line in sys.stdin:
            answers = pool.map(
                lambda one: call(
                    bus, one["queue"], one["object"], one["version"], one["method"], one["arguments"], one["timeout"]
                ),
                json.loads(line),
            )
            print(json.dumps(list(answers), default=shown), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("broker")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--timeout", type=float, default=20)
    parser.add_argument("--session", action="store_true")
    options = parser.parse_args()

    bus = connect(options.broker)
    if options.session:
        session(bus)
        return 0
    module, name, version, method, arguments = options.words
    queue = f"{module}.{name}@{version}"
    answer = call(bus, queue, name, version, method, json.loads(arguments), options.timeout)
    print(json.dumps({"timeout": True} if answer is None else answer, default=shown))
    return 3 if answer is None else 0


if __name__ == "__main__":
    sys.exit(main())
