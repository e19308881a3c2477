"""Everything that is known about a picture, for whoever wants to know it."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import discord

from bot.access import may_see
from bot.gallery.command import command
from bot.jobs import Job, State
from bot.label import message_link, origin
from bot.options import chosen, summary
from bot.texts import code_block, duration, harmless
from engine.protocol import Provenance

if TYPE_CHECKING:
    from bot.app import PixelBot

# Discord's limit for the embeds of one message, together, and what one holds beside its long texts.
_ALL = 6000
_SHORT_TEXTS = 400
_LONGEST_PROMPT = 700
_LONGEST_FIELD = 1000
_LONGEST_VALUE = 200
_MOST_CHILDREN = 20
# So many digits of a hash tell weights apart.
_DIGITS = 16
_COLOUR = discord.Colour(0x5865F2)


async def job_info(
    interaction: discord.Interaction["PixelBot"], job: Job, *, beside: int = 1
) -> discord.Embed:
    """A job as whoever asks may see it; `beside` is how many such one message is to hold."""
    store = interaction.client.store
    visible = partial(may_see, interaction)
    parent = await store.get(job.parent_id) if job.parent_id is not None else None
    children = await store.children(job.id, limit=_MOST_CHILDREN)
    return info_embed(
        job,
        parent=parent if parent is not None and visible(parent) else None,
        children=[child for child in children if visible(child)],
        provenance=await store.provenance(job),
        beside=beside,
    )


def info_embed(
    job: Job,
    *,
    parent: Job | None,
    children: Sequence[Job],
    provenance: Provenance | None = None,
    beside: int = 1,
) -> discord.Embed:
    """A job's settings, seed and lineage.

    Args:
        job: the row.
        parent: what it was made from, if that can be seen.
        children: what was made from it and can be seen, oldest first.
        provenance: what else its bytes depend on, if that is to be told.
        beside: how many such embeds one message is to hold.

    """
    limit = min(_LONGEST_FIELD, (_ALL // beside - _SHORT_TEXTS) // 5)
    prompt = harmless(job.prompt, min(_LONGEST_PROMPT, limit))
    lines = [f"**{prompt}**", f"for <@{job.user_id}>"]
    embed = discord.Embed(title=f"About #{job.id}", description="\n".join(lines), colour=_COLOUR)
    embed.add_field(name="Seed", value=f"`{job.seed}`")
    embed.add_field(name="Asked for", value=f"<t:{int(job.asked_at)}:f>")
    if job.finished_at is not None:
        embed.add_field(name="Finished", value=f"<t:{int(job.finished_at)}:f>")
    if job.state is not State.DONE:
        embed.add_field(name="State", value=job.state.value)
    if job.drawing_seconds is not None:
        embed.add_field(name="Drawn in", value=duration(job.drawing_seconds))
    if job.score is not None:
        embed.add_field(name="Fits the prompt", value=f"{job.score:.3f} (at most 1)")
    details = [f"{name}: {harmless(value, _LONGEST_VALUE)}" for name, value in chosen(job.asked)]
    if job.resolved is not None:
        details.append(summary(job.resolved))
    if details:
        embed.add_field(name="Settings", value=_lines(details, limit), inline=False)
    if provenance is not None:
        embed.add_field(name="Models", value=_lines(_models(provenance), limit), inline=False)
    if lineage := _lineage(job, parent, children):
        embed.add_field(name="Family", value=_lines(lineage, limit), inline=False)
    again = code_block(" ".join(command(job)), limit)
    embed.add_field(name="Draws it again", value=again, inline=False)
    embed.set_footer(text=f"pixel #{job.id}")
    return embed


def _models(provenance: Provenance) -> list[str]:
    """The weights by their hashes, and what drew with them."""
    lines = [f"{name} `{digest[:_DIGITS]}`" for name, digest in provenance.weights.items()]
    version = f"drawing version {provenance.drawing_version}"
    return [*lines, f"{version} · {provenance.device} · {provenance.dtype}"]


def _lineage(job: Job, parent: Job | None, children: Sequence[Job]) -> list[str]:
    lines = [origin(job, parent)] if job.relation is not None else []
    return lines + [f"↳ {message_link(child)} {child.relation}" for child in children]


def _lines(lines: Sequence[str], limit: int) -> str:
    """As many of the lines as there is room for."""
    kept = ""
    for line in lines:
        if len(kept) + len(line) > limit:
            return f"{kept}…"
        kept += f"{line}\n"
    return kept.rstrip()
