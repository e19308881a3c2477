"""`/queue`: what is being drawn, and what waits."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.jobs import Job, State
from bot.label import message_link, prompt_of
from bot.texts import bar, duration

if TYPE_CHECKING:
    from bot.app import PixelBot

# Two such lists fit into an embed's 4096 characters.
_LONGEST_LIST = 8
_PROMPT_LIMIT = 60


@app_commands.command(description="See what is being drawn and what is waiting.")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def queue(interaction: discord.Interaction["PixelBot"]) -> None:
    """Show the running jobs with their progress, and the first of the waiting ones."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    bot = interaction.client
    running = await bot.store.running()
    waiting = await bot.store.waiting(_LONGEST_LIST)
    total = await bot.store.count_waiting()
    lines = []
    if running:
        lines.append("**Being drawn**")
        lines += [_line(bot, job, interaction.guild_id) for job in running[:_LONGEST_LIST]]
        lines += _more(len(running))
    if waiting:
        lines.append(f"**Waiting: {total}**")
        for number, job in enumerate(waiting, start=1):
            lines.append(f"{number}. {_line(bot, job, interaction.guild_id)}")
        lines += _more(total)
        if (last := await bot.places.of(waiting[-1])) is not None:
            lines.append(f"Number {len(waiting)} is drawn in about {duration(last.seconds)}.")
    if not lines:
        lines.append("Nothing is waiting; what you ask for is drawn at once.")
    await interaction.edit_original_response(
        embed=discord.Embed(title="The queue", description="\n".join(lines))
    )


def _line(bot: "PixelBot", job: Job, guild_id: int | None) -> str:
    """One job; of another server's nothing but that it is there."""
    if job.guild_id == guild_id:
        text = f"{message_link(job)} {prompt_of(job, _PROMPT_LIMIT)} · <@{job.user_id}>"
    else:
        text = "a picture for another server"
    frame = bot.frames.get(job.id)
    if job.state is not State.RUNNING or frame is None:
        return text
    share = frame.iteration / frame.iterations
    return f"{text} {bar(share)} {share:.0%}"


def _more(total: int) -> list[str]:
    return [f"… and {total - _LONGEST_LIST} more"] if total > _LONGEST_LIST else []
