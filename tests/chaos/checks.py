"""What must be true in the end, each thing with a sentence of what was seen."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bot.jobs import Job, State
from bot.pictures import Pictures
from engine.client import LocalEngine
from engine.protocol import Done
from engine.settings import Settings, picture_names
from tests.chaos.records import ended_once
from tests.discord_server.client import custom_ids
from tests.discord_server.world import Payload

_NAMED = 5
_TOO_LARGE = "The picture is too large to be posted here."
_EASELS = 4
_BUTTON = re.compile(r"pixel:(cancel|again|take):(\d+)")
_NEVER_IN_THE_LOG = (
    "it is left running until the next start",
    "was never retrieved",
    "was never awaited",
    "the reporter",
)
# What may lie in the data directory besides pictures of rows.
_KEPT_FILES = re.compile(
    r"pixel\.db(-wal|-shm)?|lock|commands\.sha256|snapshots/lock|pictures/init/[0-9a-f]{64}\.png"
)
_OF_A_JOB = re.compile(
    r"pictures/(\d+)/(\d+)/"
    r"(frames/\d{6}\.png|final\.(png|svg)|native\.png|walk\.gif|thumbnail\.png|time-lapse\.webp)"
)
_OPEN_FILES = re.compile(r"pixel\.db(-wal|-shm)?|lock|snapshots/lock")


@dataclass
class Checks:
    """What was looked at, and what it was like.

    Attributes:
        failed: how many were not as they must be.
        lines: one a check.

    """

    lines: list[str] = field(default_factory=list)
    failed: int = 0

    @property
    def passed(self) -> int:
        """How many were as they must be."""
        return len(self.lines) - self.failed

    def check(self, what: str, wrong: Iterable[object], seen: str = "") -> None:
        """Note one: it is as it must be if there is nothing `wrong`."""
        wrong = list(wrong)
        self.failed += bool(wrong)
        told = f" ({seen})" if seen else ""
        if wrong:
            more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
            told += f": {'; '.join(map(str, wrong[:_NAMED]))}{more}"
        self.lines.append(f"{'FAILED' if wrong else 'ok':<6}  {what}{told}")


def check_ends(
    checks: Checks,
    jobs: Sequence[Job],
    steps: Mapping[int, list[tuple[str, str]]],
    *,
    wanted: int,
    cancelled_by_owner: set[int],
) -> None:
    """Every job came to an end that somebody can explain, and to one only."""
    states = Counter(job.state.value for job in jobs)
    seen = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    checks.check("every picture that was asked for has a row", _unless(len(jobs) == wanted, jobs))
    checks.check("every job ended", [job.id for job in jobs if not job.state.final], seen)
    checks.check(
        "whoever failed was told why",
        [job.id for job in jobs if job.state is State.FAILED and not (job.error or "").strip()],
        "; ".join(sorted({job.error or "" for job in jobs if job.state is State.FAILED})),
    )
    checks.check(
        "nobody cancelled but the owner",
        [
            job.id
            for job in jobs
            if job.state is State.CANCELLED and job.id not in cancelled_by_owner
        ],
    )
    checks.check(
        "each job ended once, and nothing happened to it after that",
        [job.id for job in jobs if not ended_once(steps.get(job.id, []))],
        f"{sum(map(len, steps.values()))} steps",
    )


def check_messages(
    checks: Checks,
    jobs: Sequence[Job],
    groups: Mapping[int, int | None],
    messages: Sequence[Payload],
) -> None:
    """One message for each job or group, and it shows the end."""
    there = {message["id"]: message for message in messages if not message["deleted"]}
    group_of = {job.id: job.group_id for job in jobs}
    shown: dict[tuple[str, int], list[str]] = {}
    for number, message in there.items():
        for subject in _subjects(message, group_of):
            shown.setdefault(subject, []).append(number)
    wanted = {("job", job.id): job.message_id for job in jobs if job.group_id is None}
    wanted |= {("group", group): message for group, message in groups.items()}
    gone = sum(message["deleted"] for message in messages)
    checks.check(
        "no job has two messages",
        [f"{kind} {number}: {ids}" for (kind, number), ids in shown.items() if len(ids) > 1],
        f"{len(there)} messages stay, {gone} doubled ones were removed",
    )
    checks.check(
        "every job has the message that its row names",
        [
            f"{kind} {number}"
            for (kind, number), message in wanted.items()
            if [str(message)] != shown.get((kind, number))
        ],
    )
    checks.check(
        "every message shows the end",
        [
            job.id
            for job in jobs
            if job.group_id is None
            and (message := there.get(str(job.message_id))) is not None
            and (f"pixel:cancel:{job.id}" in custom_ids(message) or job.report != "posted")
        ],
    )
    checks.check("nothing could ping anybody", [m["id"] for m in messages if m["pings"]])


async def check_pictures(
    checks: Checks, jobs: Sequence[Job], data: Path, engine: LocalEngine
) -> None:
    """Every picture has the bytes of the same row drawn once more, with nothing in its way."""
    pictures = Pictures(data)
    easels = asyncio.Semaphore(_EASELS)
    wrong: list[str] = []
    done = [job for job in jobs if job.state is State.DONE]
    rows = {msgspec.json.encode(_asked(job)): job for job in done}

    async def drawn_again(job: Job) -> tuple[bytes, bytes]:
        async with easels:
            return await _undisturbed(engine, job, pictures)

    again = await asyncio.gather(*map(drawn_again, rows.values()))
    drawn = dict(zip(rows, again, strict=True))
    for job in done:
        assert job.picture is not None
        assert job.native is not None
        kept = (await pictures.read(job.picture), await pictures.read(job.native))
        if kept != drawn[msgspec.json.encode(_asked(job))]:
            wrong.append(f"#{job.id} of attempt {job.attempt}")
    checks.check(
        "every picture has the bytes of an undisturbed run of its row",
        wrong,
        f"{len(done)} pictures of {len(drawn)} different rows, "
        f"{sum(job.attempt > 1 for job in done)} of them begun more than once",
    )


async def check_posted(
    checks: Checks, jobs: Sequence[Job], posted: Mapping[int, bytes | None], data: Path
) -> None:
    """What the channel shows is what lies on the disk, or less of it where Discord wanted less.

    Of a picture that was refused however small it was, the message says so (`posted` is None).
    """
    pictures = Pictures(data)
    wrong, smaller = [], 0
    for job in jobs:
        if job.state is not State.DONE or job.group_id is not None or job.picture is None:
            continue
        kept, shown = await pictures.read(job.picture), posted.get(job.id, b"")
        if shown is None or (kept is not None and 0 < len(shown) < len(kept)):
            smaller += 1
        elif shown != kept:
            wrong.append(job.id)
    seen = f"{len(posted)} looked at, {smaller} smaller or told in words after a refused upload"
    checks.check("every finished picture is in its channel", wrong, seen)


def check_files(checks: Checks, jobs: Sequence[Job], data: Path) -> None:
    """Every file belongs to a row, or is one of the few that always are there."""
    numbers = {job.id for job in jobs}
    used = {name for job in jobs for name in picture_names(job.asked)}
    orphans, count = [], 0
    for path in sorted(data.rglob("*")):
        if path.is_dir():
            continue
        count += 1
        name = str(path.relative_to(data))
        of_job = _OF_A_JOB.fullmatch(name)
        known = (
            int(of_job[2]) in numbers and int(of_job[2]) // 1000 == int(of_job[1])
            if of_job is not None
            else _KEPT_FILES.fullmatch(name) is not None
        )
        if known and name.startswith("pictures/init/"):
            known = path.stem in used
        if not known:
            orphans.append(name)
    checks.check("no file is there that belongs to nothing", orphans, f"{count} files")


def check_handles(checks: Checks, open_files: Sequence[str]) -> None:
    """Nothing is held open but the database and the locks."""
    wrong = [name for name in open_files if _OPEN_FILES.fullmatch(name) is None]
    checks.check("no file is left open", wrong, f"{len(open_files)} of database and locks")


def check_log(checks: Checks, log: Sequence[str]) -> None:
    """The log tells of nothing that nobody dealt with."""
    wrong = [line for line in log if any(words in line for words in _NEVER_IN_THE_LOG)]
    checks.check("nothing in the log was left undone", wrong, f"{len(log)} lines")


def single_pictures(
    jobs: Sequence[Job], messages: Sequence[Payload]
) -> Iterator[tuple[int, Payload]]:
    """The messages of finished jobs, except those of groups, that show a picture or say why not."""
    there = {message["id"]: message for message in messages if not message["deleted"]}
    for job in jobs:
        if job.state is State.DONE and job.group_id is None:
            message = there.get(str(job.message_id))
            if message is not None and (message["attachments"] or _TOO_LARGE in str(message)):
                yield job.id, message


def _subjects(message: Payload, group_of: Mapping[int, int | None]) -> set[tuple[str, int]]:
    """Which job or group a message shows, as its buttons say."""
    found: set[tuple[str, int]] = set()
    for custom_id in custom_ids(message):
        match = _BUTTON.fullmatch(custom_id)
        if match is None:
            continue
        number = int(match[2])
        group = group_of.get(number)
        if match[1] == "take" and group is not None:
            found.add(("group", group))
        else:
            found.add(("job", number))
    return found


def _asked(job: Job) -> Settings:
    """What a job's picture follows from: what was asked for, and the seed."""
    return msgspec.structs.replace(job.asked, seed=job.seed)


async def _undisturbed(engine: LocalEngine, job: Job, pictures: Pictures) -> tuple[bytes, bytes]:
    settings = _asked(job)
    given: dict[str, bytes] = {}
    for name in picture_names(settings):
        png = await pictures.read_init(name)
        assert png is not None
        given[name] = png
    async with contextlib.aclosing(engine.draw(f"again-{job.id}", settings, given)) as events:
        async for event in events:
            last = event
    assert isinstance(last, Done), last
    return last.png, last.native_png


def _unless(condition: bool, jobs: Sequence[Job]) -> list[str]:
    return [] if condition else [f"{len(jobs)} rows"]
