"""The label below a picture: what is drawn, how far it is, and how to draw it again."""

from collections.abc import Mapping

import discord

from bot.jobs import Frame, Group, Job, State
from bot.options import chosen, summary
from bot.places import Place
from bot.texts import bar, duration, harmless
from engine.settings import picture_names

PROMPT_LIMIT = 1500
_VALUE_LIMIT = 1000

_COLOURS = {
    State.QUEUED: discord.Colour(0x80848E),
    State.RUNNING: discord.Colour(0x5865F2),
    State.DONE: discord.Colour(0x3BA55D),
    State.FAILED: discord.Colour(0xED4245),
    State.CANCELLED: discord.Colour(0x80848E),
}
# Instead of the prompt where AutoMod refuses it.
UNTOLD = "*A picture whose words this server's AutoMod does not let me repeat*"
# Whose colour several pictures have.
_LOUDEST = (State.RUNNING, State.QUEUED, State.DONE, State.FAILED, State.CANCELLED)
_RELATIONS = {
    "reroll": "Reroll of",
    "again": "The same as",
    "variation": "Variation of",
    "remix": "Remix of",
    "start": "Started from",
}


def label(
    job: Job,
    *,
    place: Place | None = None,
    frame: Frame | None = None,
    parent: Job | None = None,
    show_prompt: bool = True,
    notice: str | None = None,
) -> discord.Embed:
    """A job's label in its present state.

    Args:
        job: the row.
        place: where it stands while it waits.
        frame: its newest look while it is drawn.
        parent: the job it was made from.
        show_prompt: False where a server's AutoMod refuses the prompt.
        notice: what it says instead of where the job stands.

    """
    by = f"for <@{job.user_id}>"
    words = f"**{prompt_of(job)}**" if show_prompt else UNTOLD
    lines = [words, by if job.relation is None else f"{by} · {origin(job, parent)}"]
    if status := notice or _status(job, place, frame):
        lines += ["", status]
    embed = discord.Embed(description="\n".join(lines), colour=_COLOURS[job.state])
    if job.state is State.DONE:
        embed.add_field(name="Seed", value=f"`{job.seed}`")
        if job.drawing_seconds is not None:
            embed.add_field(name="Drawn in", value=duration(job.drawing_seconds))
        if job.score is not None:
            embed.add_field(name="Score", value=f"{job.score:.2f}")
        details = [f"{name}: {value}" for name, value in chosen(job.asked)]
        if job.resolved is not None:
            details.append(summary(job.resolved))
        if details:
            embed.add_field(name="Settings", value="\n".join(details)[:_VALUE_LIMIT], inline=False)
    if job.note is not None and job.state in (State.RUNNING, State.DONE):
        embed.add_field(name="Note", value=job.note, inline=False)
    embed.set_footer(text=f"pixel #{job.id}")
    return embed


def prompt_of(job: Job, limit: int = PROMPT_LIMIT) -> str:
    """A job's prompt, which may say as much as its picture shows: behind a spoiler if that is."""
    prompt = harmless(job.prompt, limit)
    return f"||{prompt}||" if job.spoiler else prompt


def group_label(
    group: Group,
    *,
    frames: Mapping[int, Frame],
    place: Place | None = None,
    parent: Job | None = None,
    show_prompt: bool = True,
    notice: str | None = None,
) -> discord.Embed:
    """The label of pictures that share a message; a line for each.

    Args:
        group: the row and its jobs.
        frames: the newest looks of those that are drawn.
        place: where the first one stands while it waits.
        parent: the job that they were made from.
        show_prompt: as for a single one.
        notice: what it says of those that are not finished instead of where they stand.

    """
    first = group.first
    words = f"**{prompt_of(first)}**" if show_prompt else UNTOLD
    by = f"for <@{group.user_id}>"
    lines = [words, by if first.relation is None else f"{by} · {origin(first, parent)}", ""]
    for number, job in enumerate(group.jobs, start=1):
        at = place if job is first else None
        status = notice if not job.state.final else None
        status = status or _status(job, at, frames.get(job.id)) or f"#{job.id} · seed `{job.seed}`"
        lines.append(f"**{number}** {status}")
    states = {job.state for job in group.jobs}
    shown = next(state for state in _LOUDEST if state in states)
    embed = discord.Embed(description="\n".join(lines), colour=_COLOURS[shown])
    embed.set_footer(text=f"pixel {', '.join(f'#{job.id}' for job in group.jobs)}")
    return embed


def place_sentence(place: Place) -> str:
    """Where a job stands in the queue, for people."""
    if place.before == 0:
        return f"It is next. About {duration(place.seconds)}."
    pictures = "picture is" if place.before == 1 else "pictures are"
    return f"{place.before} {pictures} before it: about {duration(place.seconds)}."


def progress_line(frame: Frame) -> str:
    """How far a picture is, for people."""
    share = frame.iteration / frame.iterations
    parts = [f"{bar(share)} {share:.0%}", f"step {frame.iteration} of {frame.iterations}"]
    if frame.score is not None:
        parts.append(f"score {frame.score:.2f}")
    if frame.seconds_left is not None:
        parts.append(f"about {duration(frame.seconds_left)} left")
    return " · ".join(parts)


def message_link(job: Job) -> str:
    """The job's number, linked to its message if it has one."""
    if job.message_id is None:
        return f"#{job.id}"
    url = f"https://discord.com/channels/{job.guild_id}/{job.channel_id}/{job.message_id}"
    return f"[#{job.id}]({url})"


def no_picture(job: Job) -> str:
    """Why a finished picture cannot be shown, and what helps."""
    why = (
        "This picture was removed to save space"
        if job.kept == "nothing"
        else "The picture's file is not there any more"
    )
    needs = " if what it started from is still there" if picture_names(job.asked) else ""
    return f"{why}; “Again” draws it anew{needs}."


def origin(job: Job, parent: Job | None) -> str:
    """How a job that was made from another one was made, with a link to that if it is given."""
    assert job.relation is not None
    if parent is not None:
        source = message_link(parent)
    else:
        source = f"#{job.parent_id}" if job.parent_id is not None else "a picture that is gone"
    return f"{_RELATIONS[job.relation]} {source}"


def _status(job: Job, place: Place | None, frame: Frame | None) -> str:
    match job.state:
        case State.QUEUED if job.attempt > 0:
            return "It was interrupted, and goes on in a moment."
        case State.QUEUED:
            return place_sentence(place) if place is not None else "Waiting."
        case State.RUNNING if job.cancelling:
            return "Cancelling …"
        case State.RUNNING if frame is not None:
            return progress_line(frame)
        case State.RUNNING:
            return "Being drawn …"
        case State.FAILED:
            return f"It could not be drawn. {harmless(job.error or '', _VALUE_LIMIT)}"
        case State.CANCELLED:
            return "Cancelled."
        case _:
            return ""
