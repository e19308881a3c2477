"""Everything that is known about a picture, for whoever wants to know it."""

from collections.abc import Sequence

import discord

from bot.gallery.command import command
from bot.jobs import Job, State
from bot.label import message_link, origin
from bot.options import chosen, summary
from bot.texts import code_block, duration, harmless

_PROMPT_LIMIT = 700
_FIELD_LIMIT = 1000
# Of more children so many are named.
_MOST_CHILDREN = 8
_COLOUR = discord.Colour(0x5865F2)


def info_embed(job: Job, *, parent: Job | None, children: Sequence[Job]) -> discord.Embed:
    """A job's settings, seed and lineage.

    Args:
        job: the row.
        parent: what it was made from, if that can be seen.
        children: what was made from it and can be seen, oldest first.

    """
    lines = [f"**{harmless(job.prompt, _PROMPT_LIMIT)}**", f"for <@{job.user_id}>"]
    embed = discord.Embed(title=f"About #{job.id}", description="\n".join(lines), colour=_COLOUR)
    embed.add_field(name="Seed", value=f"`{job.seed}`")
    embed.add_field(name="Asked for", value=f"<t:{int(job.asked_at)}:f>")
    if job.state is not State.DONE:
        embed.add_field(name="State", value=job.state.value)
    if job.drawing_seconds is not None:
        embed.add_field(name="Drawn in", value=duration(job.drawing_seconds))
    if job.score is not None:
        embed.add_field(name="Fits the prompt", value=f"{job.score:.3f} (at most 1)")
    details = [f"{name}: {harmless(value, 200)}" for name, value in chosen(job.asked)]
    if job.resolved is not None:
        details.append(summary(job.resolved))
    if details:
        embed.add_field(name="Settings", value=_lines(details), inline=False)
    if lineage := _lineage(job, parent, children):
        embed.add_field(name="Family", value=_lines(lineage), inline=False)
    again = " ".join(command(job))
    embed.add_field(name="Draws it again", value=code_block(again, _FIELD_LIMIT), inline=False)
    embed.set_footer(text=f"pixel #{job.id}")
    return embed


def _lineage(job: Job, parent: Job | None, children: Sequence[Job]) -> list[str]:
    lines = [origin(job, parent)] if job.relation is not None else []
    if children:
        named = [f"{message_link(child)} ({child.relation})" for child in children[:_MOST_CHILDREN]]
        rest = len(children) - len(named)
        lines.append(f"From it came {', '.join(named)}{f' and {rest} more' if rest else ''}")
    return lines


def _lines(lines: Sequence[str]) -> str:
    """As many of the lines as a field has room for."""
    kept: list[str] = []
    for line in lines:
        if sum(map(len, kept)) + len(kept) + len(line) > _FIELD_LIMIT:
            return "\n".join([*kept, "…"])
        kept.append(line)
    return "\n".join(kept)
