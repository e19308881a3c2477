"""The one way into the queue, for commands, forms and buttons alike."""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import discord
import msgspec

from bot.errors import Refusal, say
from bot.jobs import Job, NewJob, Relation
from bot.label import place_sentence
from bot.logs import about_job
from bot.options import merged, pictures_of, settings_from_options
from bot.prompt_options import split_settings
from bot.rules import Rules
from engine.client import MAX_PICTURE_BYTES
from engine.settings import MAX_SEED, Settings, with_names

if TYPE_CHECKING:
    from bot.app import PixelBot

log = logging.getLogger(__name__)

# What it takes to show a picture, by discord.py's names and by those in Discord's settings.
_NEEDED = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "attach_files": "Attach Files",
    "embed_links": "Embed Links",
}
# What it takes to find, after a crash, a message that was sent and could not be written down.
_FINDING = {"read_message_history": "Read Message History"}
_NEEDED_IN_THREADS = {
    **{name: title for name, title in _NEEDED.items() if name != "send_messages"},
    "send_messages_in_threads": "Send Messages in Threads",
}


def missing_permissions(
    granted: discord.Permissions, *, in_thread: bool = False, finding: bool = False
) -> list[str]:
    """What the bot lacks to show a picture, and to find it again, as Discord's settings call it."""
    needed = _NEEDED_IN_THREADS if in_thread else _NEEDED
    if finding:
        needed = needed | _FINDING
    return [title for name, title in needed.items() if not getattr(granted, name)]


def check_permissions(interaction: discord.Interaction["PixelBot"]) -> None:
    """Make sure that a picture can be shown where it is asked for.

    Raises:
        Refusal: naming what the bot may not do there.

    """
    missing = missing_permissions(
        interaction.app_permissions, in_thread=isinstance(interaction.channel, discord.Thread)
    )
    if missing:
        raise Refusal(
            f"I cannot show a picture here: I lack the permission {' and '.join(missing)}. "
            "Somebody who manages this server can grant it to me."
        )


async def ask(
    interaction: discord.Interaction["PixelBot"],
    prompt: str,
    options: Mapping[str, object],
    *,
    lines: Mapping[str, object] | None = None,
    attachments: Mapping[str, discord.Attachment | None] | None = None,
    stored: Mapping[str, str] | None = None,
    parent: Job | None = None,
    relation: Relation | None = None,
) -> None:
    """Queue what somebody asks for in words, options and pictures.

    Everything is checked before a picture is fetched. What is left out is as the person, the
    channel or the server has set it, or as in the picture that this one is made from.

    Args:
        interaction: a deferred one.
        prompt: what to draw, with settings in it or none.
        options: settings by name; None for what was left out.
        lines: settings that were written in a place of their own.
        attachments: pictures by the settings that they are for; None for what was left out.
        stored: names of pictures that the bot has, by the settings that they are for.
        parent: the job that this one is made from; its pictures stand for those left out.
        relation: how.

    Raises:
        SettingsError: as `bot.options.settings_from_options` does, and for what is given twice.
        PictureError: for an attachment that cannot be read.
        Refusal: for one that is too large, for what the bot may not do there, for what the server
            does not want, and when their share of the queue is full.

    """
    check_permissions(interaction)
    bot = interaction.client
    rules = await Rules.of(interaction)
    written = split_settings(prompt)
    given = merged(
        ("as an option", options),
        ("in the prompt", written.settings),
        ("among the settings", lines or {}),
    )
    kept = {**(pictures_of(parent.asked) if parent is not None else {}), **(stored or {})}
    pictures = {name: picture for name, picture in kept.items() if name not in given}
    attached = {name: file for name, file in (attachments or {}).items() if file is not None}
    # Each stands under the name of its setting until it is fetched.
    settings = settings_from_options(
        {"prompts": written.prompt.strip() or None, **given},
        listed=bot.config.listed,
        pictures=pictures | {name: name for name in attached},
        base=rules.usual(given) if parent is None else None,
    )
    rules.check(settings)
    fetched = {name: await fetch_picture(interaction, file) for name, file in attached.items()}
    saved = {name: await bot.pictures.save_init(png) for name, png in fetched.items()}
    settings = with_names(settings, lambda name: saved.get(name, name))
    await enqueue(
        interaction, settings, init_image=settings.init_image, parent=parent, relation=relation
    )


async def fetch_picture(
    interaction: discord.Interaction["PixelBot"], attachment: discord.Attachment
) -> bytes:
    """Fetch and check a picture that a drawing needs; returns it as a plain PNG.

    That is done when it is given: links to attachments expire. Of one person one picture is
    decoded at a time, so that nobody's slow ones keep those of all others waiting.

    Raises:
        PictureError: when it cannot be read.
        Refusal: when it is larger than what is read at all.

    """
    check_size(attachment)
    bot = interaction.client
    own_turn = bot.answering.setdefault(("picture", interaction.user.id), asyncio.Lock())
    async with own_turn, bot.decoding:
        return (await bot.engine.read_picture(await attachment.read())).png


def check_size(attachment: discord.Attachment) -> None:
    """Make sure that an attachment is worth fetching.

    Raises:
        Refusal: when it is larger than what is read at all.

    """
    if attachment.size > MAX_PICTURE_BYTES:
        raise Refusal(
            f"The picture has {attachment.size / 2**20:.1f} MiB; "
            f"allowed are {MAX_PICTURE_BYTES // 2**20} MiB."
        )


async def enqueue(
    interaction: discord.Interaction["PixelBot"],
    settings: Settings,
    *,
    init_image: str | None = None,
    parent: Job | None = None,
    relation: Relation | None = None,
    count: int = 1,
) -> None:
    """Put a picture into the queue for whoever typed or clicked, and tell them their place.

    A seed that is left open is drawn here, so that it is in the row from the beginning.

    Args:
        interaction: a deferred one.
        settings: as asked.
        init_image: SHA-256 of the stored picture to start from.
        parent: the job that this one is made from.
        relation: how; “again” takes the parent's seed and resolved settings.
        count: how many pictures, each with a seed of its own; several share a message.

    Raises:
        Refusal: for what the server does not want, and when their share of the queue is full.

    """
    bot = interaction.client
    rules = await Rules.of(interaction)
    rules.check(settings)
    assert interaction.guild_id is not None
    assert interaction.channel_id is not None
    bot.admission.check_intake()
    again = parent if relation == "again" else None
    seed = secrets.randbelow(MAX_SEED + 1) if settings.seed is None else settings.seed
    new = NewJob(
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id,
        settings=msgspec.structs.replace(settings, init_image=init_image),
        seed=again.seed if again is not None else seed,
        resolved=again.resolved if again is not None else None,
        init_image=init_image,
        parent_id=parent.id if parent is not None else None,
        relation=relation,
        # What is made of a hidden picture is not shown openly.
        spoiler=rules.hides(settings) or (parent is not None and parent.spoiler),
    )
    limit = bot.config.waiting_per_user
    if count == 1:
        jobs = [await bot.store.add_job(new, waiting_per_user=limit, limits=rules.limits)]
    else:
        seeds = [secrets.randbelow(MAX_SEED + 1) for _ in range(count)]
        jobs = await bot.store.add_group(
            [replace(new, seed=seed) for seed in seeds],
            waiting_per_user=limit,
            limits=rules.limits,
        )
    for job in jobs:
        with about_job(job.id):
            log.info("asked for by user %d in server %d", job.user_id, job.guild_id)
    place = await bot.places.of(jobs[0])
    bot.reporter.notify(jobs[0], urgent=True)
    bot.dispatcher.wake()
    where = place_sentence(place) if place is not None else "It is being drawn."
    where = bot.admission.notice(jobs[0]) or where
    if count == 1:
        await say(interaction, f"Your picture is #{jobs[0].id}. {where}")
    else:
        await say(interaction, f"Your pictures are #{jobs[0].id} to #{jobs[-1].id}. {where}")
