"""Everything that is known of a picture, for somebody who wants to know it."""

import discord

from bot.gallery.command import command
from bot.jobs import Job
from bot.label import PROMPT_LIMIT, RELATIONS, message_link
from bot.options import for_people
from bot.store import Store
from bot.texts import code_block, duration, harmless
from engine.settings import OPTION, Settings

# Of a field's 1024 characters, with room for the marks around a code block.
_LONGEST = 1000
_LONGEST_LINEAGE = 8
# So many digits of a hash tell weights apart.
_DIGITS = 16


async def info(store: Store, job: Job) -> discord.Embed:
    """Settings, seed, models, times and lineage."""
    embed = discord.Embed(
        title=f"#{job.id}", description=f"**{harmless(job.prompt, PROMPT_LIMIT)}**"
    )
    embed.add_field(name="Asked for by", value=f"<@{job.user_id}>")
    embed.add_field(name="Seed", value=f"`{job.seed}`")
    embed.add_field(name="State", value=job.state.value)
    embed.add_field(name="Times", value=_times(job), inline=False)
    embed.add_field(name="Settings", value=_settings(job.settings), inline=False)
    provenance = await store.provenance(job)
    if provenance is not None:
        models = [f"{name} `{digest[:_DIGITS]}`" for name, digest in provenance.weights.items()]
        models.append(
            f"drawing version {provenance.drawing_version} · {provenance.device} · "
            f"{provenance.dtype}"
        )
        embed.add_field(name="Models", value="\n".join(models)[:_LONGEST], inline=False)
    if lineage := await _lineage(store, job):
        embed.add_field(name="Lineage", value=lineage, inline=False)
    if people := await store.count_favourites(job.id):
        embed.add_field(name="Favourite of", value=str(people))
    if job.score is not None:
        embed.add_field(name="Score", value=f"{job.score:.3f}")
    again = code_block(" ".join(command(job)), _LONGEST)
    embed.add_field(name="Draw it again", value=again, inline=False)
    return embed


def _times(job: Job) -> str:
    lines = [f"asked for {_moment(job.asked_at)}"]
    if job.started_at is not None:
        lines.append(f"begun {_moment(job.started_at)}")
    if job.finished_at is not None:
        lines.append(f"finished {_moment(job.finished_at)}")
    if job.drawing_seconds is not None:
        lines.append(f"drawn in {duration(job.drawing_seconds)}")
    return " · ".join(lines)


def _moment(seconds: float) -> str:
    """A time that Discord shows as on the reader's own clock."""
    return f"<t:{int(seconds)}:f>"


def _settings(settings: Settings) -> str:
    """All that differ from their defaults, one a line; more than there is room for is cut off."""
    usual = Settings(prompts=settings.prompts, seed=settings.seed)
    lines = [
        f"{name}: {for_people(name, value)}"
        for name in OPTION
        if (value := getattr(settings, name)) != getattr(usual, name)
    ]
    # Strangers' words may be among them.
    return code_block("\n".join(lines), _LONGEST) if lines else "—"


async def _lineage(store: Store, job: Job) -> str:
    """What it was made from, the nearest first, and how many were made from it."""
    lines = []
    child = job
    for parent in await store.ancestors(job, _LONGEST_LINEAGE):
        assert child.relation is not None
        lines.append(f"{RELATIONS[child.relation].lower()} {message_link(parent)}")
        child = parent
    if children := await store.count_children(job):
        lines.append(f"{children} made from it")
    return "\n".join(lines)
