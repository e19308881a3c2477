"""A process that answers as a broken engine would: ``scripted_engine.py KIND …``."""

import os
import sys
import time

from engine.protocol import (
    HEADER_BYTES,
    PROTOCOL_VERSION,
    Done,
    Draw,
    Heartbeat,
    Ready,
    Statistics,
    Told,
    decode_request,
    encode_frame,
    frame_length,
)


def receive():
    header = sys.stdin.buffer.read(HEADER_BYTES)
    if not header:
        sys.exit(0)
    return decode_request(sys.stdin.buffer.read(frame_length(header)))


def send(reply):
    os.write(1, encode_frame(reply))


def main(kind):
    receive()
    if kind == "other version":
        send(Ready(PROTOCOL_VERSION + 1, 1, "cpu", "scripted", ()))
        time.sleep(60)
    if kind == "never ready":
        while True:
            send(Heartbeat(0.0))
            time.sleep(0.05)
    sys.stderr.write("x" * 300_000 + "\n")
    send(Ready(PROTOCOL_VERSION, 1, "cpu", "scripted", ()))
    while True:
        request = receive()
        if not isinstance(request, Draw):
            continue
        match kind:
            case "silent":
                time.sleep(60)
            case "well":
                while True:
                    send(Heartbeat(0.0))
                    time.sleep(0.02)
            case "stalled":
                while True:
                    send(Heartbeat(999.0))
                    time.sleep(0.05)
            case "garbage":
                os.write(1, (9).to_bytes(4) + b"not a msg")
            case "no text":
                os.write(1, (22).to_bytes(4) + b"\x82\xa4type\xa9Cancelled\xa3job\xa1\xff")
            case "endless":
                nested = b"\x82\xa4type\xa9Cancelled\xa1x" + b"\x91" * 100_000
                os.write(1, len(nested).to_bytes(4) + nested)
            case "too long":
                os.write(1, (2**31).to_bytes(4))
            case "late":
                statistics = Statistics(1, 0.0, 0.0, 0.0)
                send(Told(request.attempt - 1, Done(request.job, b"old", b"", statistics)))
                send(Told(request.attempt, Done(request.job, b"new", b"", statistics)))
            case "token":
                told = f"{sorted(k for k in os.environ if 'PIXEL' in k or 'DISCORD' in k)}"
                statistics = Statistics(1, 0.0, 0.0, 0.0)
                send(Told(request.attempt, Done(request.job, told.encode(), b"", statistics)))


if __name__ == "__main__":
    main(sys.argv[1])
