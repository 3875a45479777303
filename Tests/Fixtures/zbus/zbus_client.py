#!/usr/bin/env python3
"""Calls a method over zbus, with nothing in common with the Swift code.

zbus_client.py BROKER MODULE OBJECT VERSION METHOD JSON_ARGUMENTS [--timeout SECONDS]

BROKER is a port of 127.0.0.1 or the path of a unix socket. JSON_ARGUMENTS is an array; whole numbers are sent as Go's
uint64, objects as structs. Prints {"data", "error", "protocol_error"}; exit code 3 when no answer came.
"""
import argparse
import json
import struct
import sys
import time
import uuid

import msgpack
import redis


def go(value):
    """The bytes that Go writes for the value."""
    if isinstance(value, bool) or value is None or isinstance(value, (str, float)):
        return msgpack.packb(value)
    if isinstance(value, int):
        return b"\xcf" + struct.pack(">Q", value)
    if isinstance(value, dict):
        head = msgpack.Packer().pack_map_header(len(value))
        return head + b"".join(go(part) for pair in value.items() for part in pair)
    return msgpack.Packer().pack_array_header(len(value)) + b"".join(go(part) for part in value)


def shown(value):
    return value.hex() if isinstance(value, bytes) else str(value)


def main():
    parser = argparse.ArgumentParser()
    for name in ("broker", "module", "object", "version", "method", "arguments"):
        parser.add_argument(name)
    parser.add_argument("--timeout", type=float, default=20)
    options = parser.parse_args()

    if options.broker.isdigit():
        bus = redis.Redis(host="127.0.0.1", port=int(options.broker))
    else:
        bus = redis.Redis(unix_socket_path=options.broker)
    name = str(uuid.uuid4())
    request = {
        "ID": name,
        "Inputs": [go(argument) for argument in json.loads(options.arguments)],
        "Object": {"Name": options.object, "Version": options.version},
        "ReplyTo": name,
        "Method": options.method,
    }
    bus.rpush(f"{options.module}.{options.object}@{options.version}", msgpack.packb(request))
    end = time.monotonic() + options.timeout
    answer = None
    while answer is None and time.monotonic() < end:
        answer = bus.blpop([name], timeout=1)
    if answer is None:
        print(json.dumps({"timeout": True}))
        return 3
    response = msgpack.unpackb(answer[1], raw=False)
    assert response["ID"] == name, response
    output = response["Output"]
    data = output["Data"]
    print(
        json.dumps(
            {
                "data": None if data is None else msgpack.unpackb(data, raw=False, timestamp=1),
                "error": output["Error"] and output["Error"]["Message"],
                "protocol_error": response["Error"],
            },
            default=shown,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
