"""A process that decodes one picture after another, within the limits of the one that does one.

python -m tests.engine.decoding  reads a list of them in MessagePack, and writes an `Outcome` for
each, as a line of JSON, before it begins with the next: whoever reads it knows which one ended it.
"""

import sys
import time
from pathlib import Path

import msgspec

from engine import images
from engine.errors import PictureError


class Outcome(msgspec.Struct):
    """What became of a picture.

    Attributes:
        answer: the first line of what the worker answers: the sentence, or width and height.
        raised: what the decoder raised that nobody expected.
        seconds: of processor time.
        peak: the most memory that the process has had in use so far, in bytes.

    """

    refused: bool
    answer: str
    raised: str
    seconds: float
    peak: int


def outcome(data: bytes) -> Outcome:
    began = time.process_time()
    refused, answer, raised = False, b"", ""
    try:
        answer = images.as_worker(data).partition(b"\n")[0]
    except PictureError as error:
        refused, answer = True, str(error).encode()
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        raised = repr(error)
    return Outcome(refused, answer.decode(), raised, time.process_time() - began, _peak())


def _peak() -> int:
    """Of this process alone; what `getrusage` says begins with that of whoever started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    images.limit_this_process()
    for picture in msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[bytes]):
        sys.stdout.buffer.write(msgspec.json.encode(outcome(picture)) + b"\n")
        sys.stdout.flush()
