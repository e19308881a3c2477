"""What the bot and the engine process say to each other: tagged structs in length-prefixed msgpack.

A frame is a big-endian unsigned 32-bit length and that many bytes of msgpack. The length is
checked before anything is read, so that a broken peer cannot make the other side allocate.
"""

import struct
from typing import Literal

import msgspec

from engine.settings import Settings

PROTOCOL_VERSION = 6
MAX_FRAME = 16 * 1024 * 1024
HEARTBEAT_SECONDS = 2.0

_LENGTH = struct.Struct(">I")
HEADER_BYTES = _LENGTH.size

FailureCode = Literal["settings", "memory", "perceptor", "internal"]
DeviceClass = Literal["cpu", "cuda"]


class ProtocolError(RuntimeError):
    """A frame that is too long, cut off, or not one of the known messages."""


# --- from the client to the engine ---


class Hello(msgspec.Struct, frozen=True, tag=True):
    """Opens the talk; an engine of another version answers with its own and ends."""

    version: int


class Draw(msgspec.Struct, frozen=True, tag=True):
    """Draw a job, or go on from its snapshot if one with the same settings is kept.

    Attributes:
        job: a name that is unique among the jobs at hand; also the snapshot's file name.
        settings: as asked or resolved; the engine resolves what is still open.
        pictures: for each name of `engine.settings.picture_names` a PNG as
            `engine.images.read_picture` returns it.
        partner: resolved settings of another drawing that a walk leads to; of these only what and
            where from is drawn counts (`engine.blend.partner_settings`). By default what
            `blend_with` says, if it says anything.
        attempt: what every answer (`Told`) is to carry, so that a late one to an earlier `Draw` of
            the same job is known for what it is.

    """

    job: str
    settings: Settings
    pictures: dict[str, bytes] = {}
    partner: Settings | None = None
    attempt: int = 0


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Stop a job and forget its snapshot; answered by `Cancelled` if the job is on an easel.

    With `keep` the job is put aside instead, without an answer: its snapshot is saved, and a later
    `Draw` goes on from there. What was said before that may still be on its way.
    """

    job: str
    keep: bool = False


# --- from the engine to the client ---


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Hello`: which engine this is and what it can do."""

    version: int
    drawing_version: int
    device: DeviceClass
    device_name: str
    perceptors: tuple[str, ...]


class Provenance(msgspec.Struct, frozen=True):
    """What, besides the resolved settings, the bytes of a picture depend on."""

    drawing_version: int
    device: DeviceClass
    dtype: str
    weights: dict[str, str]


class Started(msgspec.Struct, frozen=True, tag=True):
    """A job is on its easel; `iteration` is above zero when it goes on from a snapshot.

    It may begin a second time with settings that take less memory; `note` then says what is
    different, and why.
    """

    job: str
    settings: Settings
    provenance: Provenance
    iteration: int
    size: tuple[int, int]
    note: str | None = None


_PICTURES = ("png", "native_png", "svg", "walk")


class Frame(msgspec.Struct, frozen=True):
    """What has a picture: a notebook shows it, and its text says all but the picture."""

    def _repr_png_(self) -> bytes:
        picture: bytes = getattr(self, "png")  # noqa: B009 - a field of those that derive
        return picture

    def __repr__(self) -> str:
        told = (name for name in self.__struct_fields__ if name not in _PICTURES)
        said = (f"{name}={getattr(self, name)!r}" for name in told)
        return f"{type(self).__name__}({', '.join(said)})"


class Progress(Frame, frozen=True, tag=True):
    """A frame: the picture after `iteration` steps, as a PNG of the output size.

    The first one comes before the first step, unless the job goes on from a snapshot. `loss` and
    `score` are those of the last step, as in `Statistics`; before the first they are no numbers.
    """

    job: str
    iteration: int
    iterations: int
    loss: float
    score: float
    png: bytes


class Snapshot(msgspec.Struct, frozen=True, tag=True):
    """The job can go on from this iteration if the engine dies now."""

    job: str
    iteration: int


class Statistics(msgspec.Struct, frozen=True):
    """How a drawing went.

    Attributes:
        iterations: steps taken, those before a resume included.
        seconds: wall time on the easel since the last start, sharing the engine with others.
        loss: of the last step.
        score: mean cosine of views and prompts by weight in the last step, −1…1; not a number
            where there are no prompts.

    """

    iterations: int
    seconds: float
    loss: float
    score: float


class Done(Frame, frozen=True, tag=True):
    """The finished picture at output size and at native size (one pixel a cell), and as SVG.

    `walk` holds the frames on the way to the partner, if there is one, as PNGs: the first is this
    picture, the last the partner's. They are of the output size, or as much smaller as it takes to
    send them.
    """

    job: str
    png: bytes
    native_png: bytes
    statistics: Statistics
    svg: str | None = None
    walk: tuple[bytes, ...] = ()


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The job cannot be drawn; `sentence` is for people."""

    job: str
    code: FailureCode
    sentence: str


class Cancelled(msgspec.Struct, frozen=True, tag=True):
    """The job was stopped after `iteration` steps."""

    job: str
    iteration: int


class Heartbeat(msgspec.Struct, frozen=True, tag=True):
    """Sent every `HEARTBEAT_SECONDS`; `stalled` is the age in seconds of the current tick."""

    stalled: float


Request = Hello | Draw | Cancel
JobEvent = Started | Progress | Snapshot | Done | Failed | Cancelled


class Told(msgspec.Struct, frozen=True, tag=True):
    """What became of a job, in which of the attempts to draw it."""

    attempt: int
    event: JobEvent


Reply = Ready | Heartbeat | Told

# Names that are no UTF-8, and arrays in arrays without end, msgspec reports in Python's own words.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_encoder = msgspec.msgpack.Encoder()
_request_decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_reply_decoder: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def encode_frame(message: Request | Reply) -> bytes:
    """One message as a frame, length included.

    Raises:
        ProtocolError: when the frame would be longer than `MAX_FRAME`.

    """
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        raise ProtocolError(f"a {type(message).__name__} of {len(body)} bytes is too long to send")
    return _LENGTH.pack(len(body)) + body


def frame_length(header: bytes) -> int:
    """The number of bytes that follow a header.

    Raises:
        ProtocolError: when it is more than `MAX_FRAME`.

    """
    (length,) = _LENGTH.unpack(header)
    if length > MAX_FRAME:
        raise ProtocolError(
            f"a frame of {length} bytes was announced; at most {MAX_FRAME} may come"
        )
    return int(length)


def decode_request(body: bytes) -> Request:
    """Read a frame's body as something said to the engine; raises `ProtocolError`."""
    try:
        return _request_decoder.decode(body)
    except _UNREADABLE as error:
        raise ProtocolError(f"not a request: {error}") from error


def decode_reply(body: bytes) -> Reply:
    """Read a frame's body as something said by the engine; raises `ProtocolError`."""
    try:
        return _reply_decoder.decode(body)
    except _UNREADABLE as error:
        raise ProtocolError(f"not a reply: {error}") from error
