"""The engine process: ``python -m engine``, spoken to through stdin and stdout.

It ends by itself when its stdin closes, so that a killed bot leaves no orphan.
"""

import argparse
import logging
import os
import platform
import queue
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

from engine.importing import importing
from engine.one_engine import FolderInUse, working_in
from engine.processors import keep_memory, wait_politely
from engine.protocol import (
    HEADER_BYTES,
    HEARTBEAT_SECONDS,
    PROTOCOL_VERSION,
    Cancel,
    Cancelled,
    Done,
    Draw,
    Failed,
    Heartbeat,
    Hello,
    JobEvent,
    Ready,
    Reply,
    Request,
    Told,
    decode_request,
    encode_frame,
    frame_length,
)
from engine.settings import DRAWING_VERSION, PIXELCLIP

log = logging.getLogger("engine")

# How long the last snapshots may take once stdin is closed.
_FAREWELL_SECONDS = 1.5


class Wire:
    """The two pipes to the client; everything else that prints goes to stderr."""

    def __init__(self) -> None:
        # Taken away before anything can print into the protocol's pipe or read from it.
        self._input: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._output: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        self._lock = threading.Lock()
        self.requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self.tick_began: float | None = None

    def start(self) -> None:
        """Begin to read requests and to send heartbeats, each on a thread of its own."""
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def send(self, reply: Reply) -> None:
        """Write one reply; ends the process if the client is gone."""
        frame = memoryview(encode_frame(reply))
        try:
            with self._lock:
                while frame:
                    frame = frame[self._output.write(frame) :]
        except BrokenPipeError:
            os._exit(0)

    def _read(self) -> None:
        try:
            while header := self._input.read(HEADER_BYTES):
                body = self._input.read(frame_length(header))
                self.requests.put(decode_request(body))
        except Exception:
            log.exception("the client sent something that is no request")
        self.requests.put(None)
        time.sleep(_FAREWELL_SECONDS)
        os._exit(0)

    def _beat(self) -> None:
        while True:
            began = self.tick_began
            self.send(Heartbeat(0.0 if began is None else time.monotonic() - began))
            time.sleep(HEARTBEAT_SECONDS)


class Teller:
    """Says what becomes of jobs, each time with the attempt that it belongs to."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._attempts: dict[str, int] = {}

    def begin(self, draw: Draw) -> None:
        """What is told of this job from now on belongs to this attempt."""
        self._attempts[draw.job] = draw.attempt

    def leave(self, job: str) -> None:
        """Nothing more is told of a job."""
        self._attempts.pop(job, None)

    def tell(self, event: JobEvent) -> None:
        """Say what became of a job."""
        self._wire.send(Told(self._attempts[event.job], event))
        if isinstance(event, Done | Failed | Cancelled):
            self.leave(event.job)


def main() -> int:
    """Serve one client until it closes the pipe."""
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    parser.add_argument("--snapshots", type=Path, required=True, help="folder of running jobs")
    parser.add_argument("--snapshot-seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    wire = Wire()
    wire.start()
    hello = wire.requests.get()
    if not isinstance(hello, Hello):
        log.error("the first message must be Hello, not %r", hello)
        return 1
    if hello.version != PROTOCOL_VERSION:
        wire.send(Ready(PROTOCOL_VERSION, DRAWING_VERSION, "cpu", "unknown", ()))
        log.error("the client speaks version %d, this is %d", hello.version, PROTOCOL_VERSION)
        return 1

    try:
        with working_in(arguments.snapshots):
            return serve(wire, arguments.snapshots, arguments.snapshot_seconds)
    except FolderInUse as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence says it all
        return 1


def serve(wire: Wire, snapshots: Path, snapshot_seconds: float) -> int:
    """Draw what the client asks for until it is gone."""
    # torch takes seconds to import: heartbeats are under way by now, and a wrong peer is gone.
    wait_politely()
    keep_memory()
    with importing():
        import torch

        from engine.errors import EngineError, PerceptorError
        from engine.studio import Studio

    # The first picture should not wait for the weights.
    try:
        studio = Studio(snapshots, snapshot_seconds=snapshot_seconds)
        studio.perceptor(PIXELCLIP)
    except (EngineError, PerceptorError) as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence says it all
        return 1
    name = torch.cuda.get_device_name() if studio.device_class == "cuda" else platform.machine()
    wire.send(Ready(PROTOCOL_VERSION, DRAWING_VERSION, studio.device_class, name, (PIXELCLIP,)))
    teller = Teller(wire)
    while True:
        while studio.idle or not wire.requests.empty():
            match wire.requests.get():
                case None:
                    studio.save_all()
                    return 0
                case Draw() as draw:
                    teller.begin(draw)
                    teller.tell(studio.add(draw))
                case Cancel(job, keep=True):
                    for event in studio.put_aside(job):
                        teller.tell(event)
                    teller.leave(job)
                case Cancel(job):
                    cancelled = studio.cancel(job)
                    if cancelled is not None:
                        teller.tell(cancelled)
                case Hello():
                    log.warning("a second Hello is ignored")
        wire.tick_began = time.monotonic()
        for event in studio.tick():
            teller.tell(event)
        wire.tick_began = None


if __name__ == "__main__":
    sys.exit(main())
