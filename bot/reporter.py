"""The progress of a job or a group → its message in the channel, as often as Discord allows.

Whoever changes a job says so with `notify`; what its message then shows is taken from its row. So
it does not matter how many changes there were in between, nor in which process they happened.
"""

import asyncio
import contextlib
import hashlib
import io
import logging
import math
import sqlite3
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
import discord

from bot import metrics
from bot.errors import AUTO_MODERATION
from bot.jobs import Frame, Group, Job, State
from bot.label import group_label, label, no_picture
from bot.logs import about_job
from bot.pictures import Pictures, fit, quartet
from bot.places import Places
from bot.posted import posted_messages
from bot.store import Store, Subject
from bot.texts import alt_text
from bot.views.buttons import job_buttons
from bot.views.groups import group_buttons

log = logging.getLogger(__name__)

# Messages older than an hour may hardly be edited (error 30046); a new one is begun before.
OLDEST_MESSAGE_SECONDS = 50 * 60

_NOW = -math.inf
_LONGEST_BACKOFF_SECONDS = 60.0
_PAUSE_SECONDS = 1.0
# Where the server is not known (yet), the limit of a server without boosts.
_UPLOAD_LIMIT = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

# A picture of so few bytes that is refused as too large is not sent at all.
_WORTH_A_RETRY = 2 * 1024

_TOO_LARGE = 40005
_TOO_OLD_TO_EDIT = 30046

_NOTHING_FITS = "The picture is too large to be posted here."


@dataclass
class _Shown:
    """What a message shows, and what was learned about what it may show.

    Attributes:
        text: the last label and buttons that were sent, as plain data.
        picture: which frame, or “final”; of a group those of all its pictures.
        edited: when it was last edited, on the loop's clock.
        limit: the largest upload that may work, in bytes, after one was refused.
        hide_prompt: whether AutoMod refused the prompt.
        renew: whether the message cannot be edited any more and a new one is due.
        sent: whether a new message may be there that the row does not know of; None while it is
            not known whether a former process sent one.
        failures: how many requests in a row were lost on the way.

    """

    text: object = None
    picture: str | None = None
    edited: float = _NOW
    limit: int | None = None
    hide_prompt: bool = False
    renew: bool = False
    sent: bool | None = None
    failures: int = 0


# A job's or a group's number, and which of them it is.
_Key = tuple[Literal["job", "group"], int]


@dataclass
class _Channel:
    """What has news in one channel, from when on each may be told, and who tells it."""

    due: dict[_Key, float] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    quiet_until: float = _NOW
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True)
class _Sheet:
    """What a message is to show, and whether in a new one; the files by their names."""

    new: bool
    embed: discord.Embed
    buttons: discord.ui.View
    picture: str | None
    files: Mapping[str, bytes]

    @property
    def text(self) -> object:
        return self.embed.to_dict(), self.buttons.to_components()


class Reporter:
    """Keeps one message per job, or per group of them, up to date.

    Args:
        interval: seconds between two progress edits of one message; in a channel there is at least
            a quarter of it between any two.
        clock: seconds since 1970, as in the store.
        places: who waits how long.
        frames: the newest look of each job that is being drawn.
        notice: what an unfinished job's message says instead of where the job stands, if anything.

    """

    def __init__(
        self,
        store: Store,
        pictures: Pictures,
        *,
        interval: float,
        clock: Callable[[], float],
        places: Places,
        frames: Mapping[int, Frame],
        notice: Callable[[Job], str | None] = lambda _: None,
    ) -> None:
        self._store = store
        self._pictures = pictures
        self._interval = interval
        self._clock = clock
        self._places = places
        self._frames = frames
        self._notice = notice
        self._began = clock()
        self._leaving = False
        self._client: discord.Client | None = None
        self._connected = asyncio.Event()
        self._inbox: asyncio.Queue[tuple[_Key, int, bool]] = asyncio.Queue()
        self._channels: dict[int, _Channel] = {}
        self._shown: dict[_Key, _Shown] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to listen; nothing is sent before `connect`."""
        self._spawn(self._sort(), "reporter")

    def connect(self, client: discord.Client) -> None:
        """Send through this client, which is logged in, from now on."""
        self._client = client
        self._connected.set()

    async def close(self) -> None:
        """Stop; what was not sent is sent after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def leave(self, jobs: Sequence[Job], seconds: float) -> None:
        """Bring the messages of some jobs up to date for the last time, in at most `seconds`."""
        if not self._connected.is_set():
            return
        self._leaving = True
        for job in jobs:
            self.notify(job, urgent=True)
        for channel in self._channels.values():
            channel.news.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._inbox.join()
                while serving := [c.task for c in self._channels.values() if c.task is not None]:
                    await asyncio.wait(serving)

    def notify(self, job: Job, urgent: bool) -> None:
        """Something about a job is new; urgent if its state changed, else it waits its turn.

        A job that was in a group when it was handed out is told in the message of that.
        """
        key: _Key = ("job", job.id)
        if job.report == "grouped" and job.group_id is not None:
            key = ("group", job.group_id)
        self._inbox.put_nowait((key, job.channel_id, urgent))

    def notify_group(self, group: Group) -> None:
        """Something about a group is new."""
        self._inbox.put_nowait((("group", group.id), group.channel_id, True))

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the %s ended", task.get_name(), exc_info=error)

    async def _sort(self) -> None:
        """Take the news to their channels, each of which has a task while there are any."""
        loop = asyncio.get_running_loop()
        await self._connected.wait()
        for job in await self._unreported():
            self.notify(job, urgent=True)
        while True:
            key, channel_id, urgent = await self._inbox.get()
            channel = self._channels.get(channel_id)
            if channel is None:
                channel = self._channels[channel_id] = _Channel()
                channel.task = self._spawn(
                    self._serve(channel_id, channel), f"reporter of {channel_id}"
                )
            edited = self._shown[key].edited if key in self._shown else _NOW
            due = _NOW if urgent else max(loop.time(), edited + self._interval)
            channel.due[key] = min(due, channel.due.get(key, math.inf))
            channel.news.set()
            self._inbox.task_done()

    async def _unreported(self) -> list[Job]:
        while True:
            try:
                return await self._store.unreported()
            except sqlite3.OperationalError as error:
                log.warning("the messages cannot be looked through now: %s", error)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _serve(self, channel_id: int, channel: _Channel) -> None:
        loop = asyncio.get_running_loop()
        while channel.due:
            channel.news.clear()
            key, due = min(channel.due.items(), key=lambda item: item[1])
            at = _NOW if self._leaving or due == _NOW else max(due, channel.quiet_until)
            if at > loop.time():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(at):
                        await channel.news.wait()
                continue
            del channel.due[key]
            kind, number = key
            with about_job(number) if kind == "job" else contextlib.nullcontext():
                retry = await self._tell(key)
            if retry is not None and not self._leaving:
                channel.due[key] = loop.time() + retry
            channel.quiet_until = loop.time() + self._interval / 4
        del self._channels[channel_id]

    async def _tell(self, key: _Key) -> float | None:
        """Bring one message up to date; returns after how many seconds to retry, if at all."""
        shown = self._shown.setdefault(key, _Shown())
        try:
            while await self._try_to_tell(key, shown):
                pass
        except Exception as error:
            shown.failures += 1
            metrics.ERRORS.labels("message").inc()
            backoff = min(_LONGEST_BACKOFF_SECONDS, 2.0**shown.failures / 2)
            unexpected = not isinstance(
                error,
                discord.HTTPException | aiohttp.ClientError | OSError | sqlite3.OperationalError,
            )
            log.warning(
                "%s %d could not be shown, next try in %g s: %r",
                *key,
                backoff,
                error,
                exc_info=unexpected,
            )
            return backoff
        shown.failures = 0
        return None

    async def _try_to_tell(self, key: _Key, shown: _Shown) -> bool:
        """One try; returns whether to try once more at once, with what was learned."""
        kind, number = key
        subject = await (self._store.get(number) if kind == "job" else self._store.group(number))
        if subject is None or subject.report != "open":
            self._shown.pop(key, None)
            return False
        if self._is_new(subject, shown) and await self._take_up(subject, shown):
            return True
        if isinstance(subject, Job):
            sheet, final = await self._compose(subject, shown), subject.state.final
        else:
            sheet, final = await self._compose_group(subject, shown), subject.final
        if sheet is not None:
            size = max(map(len, sheet.files.values()), default=0)
            try:
                await self._send(subject, shown, sheet)
            except discord.HTTPException as error:
                return await self._learn(key, subject, shown, error, size)
        if final:
            await self._store.set_posted(subject)
            self._shown.pop(key, None)
        return False

    async def _take_up(self, subject: Subject, shown: _Shown) -> bool:
        """Before a new message is sent, find one that was sent already; returns whether there is.

        Discord itself gives back a message that was sent a moment ago (`_nonce`), but forgets that
        within minutes. If there are several, the first one stays.
        """
        assert self._client is not None
        if shown.sent is None:
            first = subject if isinstance(subject, Job) else subject.first
            shown.sent = first.asked_at < self._began
        if not shown.sent:
            return False
        messages = await posted_messages(self._client, subject)
        shown.sent = False
        for message in messages[1:]:
            with contextlib.suppress(discord.NotFound):
                await message.delete()
        if not messages:
            return False
        await self._store.set_message(subject, messages[0].id, messages[0].created_at.timestamp())
        shown.renew = False
        log.info("its message is there already")
        return True

    async def _learn(
        self,
        key: _Key,
        subject: Subject,
        shown: _Shown,
        error: discord.HTTPException,
        size: int,
    ) -> bool:
        """Draw the consequence of a refusal; returns whether another try can work at once.

        Raises:
            discord.HTTPException: `error`, when the same request may work later.

        """
        if (error.code == _TOO_LARGE or error.status == 413) and size:
            shown.limit = size // 4 if size > _WORTH_A_RETRY else 0
            return True
        if error.code in AUTO_MODERATION and not shown.hide_prompt:
            shown.hide_prompt = True
            return True
        if error.code == _TOO_OLD_TO_EDIT and not shown.renew:
            shown.renew = True
            return True
        if error.status >= 500 or error.status in (401, 429):
            raise error
        # Deleted, no access, or something that the same request will meet again: asking on and on
        # would get the bot's address banned. The picture is drawn and kept all the same.
        metrics.ERRORS.labels("message").inc()
        log.warning("%s %d is not shown any more: %s", *key, error)
        await self._store.silence(subject)
        self._shown.pop(key, None)
        return False

    async def _compose(self, job: Job, shown: _Shown) -> _Sheet | None:
        """What the message should show, or None when it does already."""
        new = self._is_new(job, shown)
        frame = self._frames.get(job.id)
        notice = self._notice(job)
        silent = frame is None and notice is None and not job.cancelling
        if job.state is State.RUNNING and silent and not new:
            # Its first frame will be here in a moment, and is worth more than “being drawn”.
            return None
        embed = label(
            job,
            place=await self._places.of(job),
            frame=frame,
            parent=await self._store.get(job.parent_id) if job.parent_id is not None else None,
            show_prompt=not shown.hide_prompt,
            notice=notice,
        )
        picture, png = await self._picture(job, frame)
        if job.state is State.DONE and png is None:
            embed.add_field(name="Picture", value=no_picture(job), inline=False)
        limit = self._upload_limit(job, shown)
        if png is not None and (png := await fit(png, limit)) is None:
            embed.add_field(name="Picture", value=_NOTHING_FITS, inline=False)
        files = {} if png is None else {f"pixel-{job.id}.png": png}
        if job.state is State.DONE and job.asked.blend_with is not None:
            walk = await self._pictures.read_walk(job.id)
            if walk is not None and len(walk) <= limit:
                files[f"pixel-{job.id}-walk.gif"] = walk
        favourites = await self._store.count_favourites(job.id)
        sheet = _Sheet(new, embed, job_buttons(job, favourites), picture, files)
        return None if _is_shown(sheet, shown) else sheet

    async def _compose_group(self, group: Group, shown: _Shown) -> _Sheet | None:
        """What the message of a group should show, or None when it does already."""
        new = self._is_new(group, shown)
        looks = [await self._picture(job, self._frames.get(job.id)) for job in group.jobs]
        parent_id = group.first.parent_id
        embed = group_label(
            group,
            frames=self._frames,
            place=await self._places.of(group.first),
            notice=self._notice(group.first) if not group.final else None,
            parent=await self._store.get(parent_id) if parent_id is not None else None,
            show_prompt=not shown.hide_prompt,
        )
        files: dict[str, bytes] = {}
        picture = None
        if any(png is not None for _, png in looks):
            picture = " ".join(name or "-" for name, _ in looks)
            limit = self._upload_limit(group, shown)
            sheet = await fit(await quartet([png for _, png in looks]), limit)
            if sheet is None:
                embed.add_field(name="Picture", value=_NOTHING_FITS, inline=False)
            else:
                files[f"pixel-group-{group.id}.png"] = sheet
        elif any(job.picture is not None for job in group.jobs):
            # The sheet that the message has may show what was deleted since.
            picture = "none"
            embed.add_field(name="Pictures", value=no_picture(group.first), inline=False)
        composed = _Sheet(new, embed, group_buttons(group), picture, files)
        return None if _is_shown(composed, shown) else composed

    async def _picture(self, job: Job, frame: Frame | None) -> tuple[str | None, bytes | None]:
        """The newest look of a job, by name and as a PNG."""
        if job.picture is not None:
            return "final", await self._pictures.read(job.picture)
        if frame is not None:
            return str(frame.iteration), frame.png
        return None, None

    async def _send(self, subject: Subject, shown: _Shown, sheet: _Sheet) -> None:
        assert self._client is not None
        channel = self._client.get_partial_messageable(
            subject.channel_id, guild_id=subject.guild_id
        )
        if sheet.new or subject.message_id is None:
            shown.sent = True
            try:
                message = await channel.send(
                    embed=sheet.embed,
                    view=sheet.buttons,
                    files=_files(subject, sheet),
                    # Discord gives back the message that is there already if this one was sent,
                    # but its answer, or this process, was lost.
                    nonce=_nonce(subject),
                )
            except discord.HTTPException as error:
                shown.sent = error.status >= 500
                raise
            metrics.MESSAGES.inc()
            if not await self._store.set_message(subject, message.id, self._clock()):
                await message.delete()
            shown.sent = shown.renew = False
        else:
            # Attachments that are not listed are removed, unless none are mentioned at all.
            attachments = discord.utils.MISSING
            if sheet.picture is not None and sheet.picture != shown.picture:
                attachments = _files(subject, sheet)
            shown_in = channel.get_partial_message(subject.message_id)
            await shown_in.edit(
                embed=sheet.embed,
                view=sheet.buttons,
                attachments=attachments,
                # The client's own setting is for new messages only.
                allowed_mentions=discord.AllowedMentions.none(),
            )
            metrics.EDITS.inc()
            shown.edited = asyncio.get_running_loop().time()
        shown.text, shown.picture = sheet.text, sheet.picture or shown.picture

    def _is_new(self, subject: Subject, shown: _Shown) -> bool:
        """Whether it is to be told in a new message."""
        return subject.message_id is None or shown.renew or self._too_old(subject)

    def _too_old(self, subject: Subject) -> bool:
        sent = subject.message_at
        return sent is not None and self._clock() - sent > OLDEST_MESSAGE_SECONDS

    def _upload_limit(self, subject: Subject, shown: _Shown) -> int:
        assert self._client is not None
        guild = self._client.get_guild(subject.guild_id)
        limit = guild.filesize_limit if guild is not None else _UPLOAD_LIMIT
        return limit if shown.limit is None else min(limit, shown.limit)


def _is_shown(sheet: _Sheet, shown: _Shown) -> bool:
    return not sheet.new and shown.text == sheet.text and shown.picture == sheet.picture


def _nonce(subject: Subject) -> str:
    """Equal for two tries to send the same message, and for nothing else; of 24 characters."""
    first = subject if isinstance(subject, Job) else subject.first
    kind = "" if isinstance(subject, Job) else "group "
    # The time tells jobs of the same number in two databases apart.
    what = f"{kind}{subject.id} {first.asked_at} {subject.message_id}"
    return hashlib.sha256(what.encode()).hexdigest()[:24]


def _files(subject: Subject, sheet: _Sheet) -> list[discord.File]:
    first = subject if isinstance(subject, Job) else subject.first
    return [
        discord.File(
            io.BytesIO(data), name, spoiler=first.spoiler, description=alt_text(first.prompt)
        )
        for name, data in sheet.files.items()
    ]
