"""`/admin`: what only the bot's owner may do."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.admission import Mode
from bot.easels import easels
from bot.errors import Refusal, say
from bot.jobs import MAX_JOB_ID
from bot.keeping import Keeper
from bot.texts import duration, harmless, size

if TYPE_CHECKING:
    from bot.app import PixelBot

_REASON_LIMIT = 300
_OWNERS = (discord.TeamMemberRole.admin, discord.TeamMemberRole.developer)
_PROC = Path("/proc")


class Admin(app_commands.Group):
    """The group; Discord shows it to administrators of a server, the bot answers its owner."""

    async def interaction_check(self, interaction: discord.Interaction["PixelBot"], /) -> bool:  # type: ignore[override]
        """Let the application's owner in; Discord is asked who that is, each time."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            owners = await _owners(interaction.client)
        except discord.HTTPException as error:
            raise _Denied("Discord does not say who my owner is; try again in a moment.") from error
        if interaction.user.id not in owners:
            raise _Denied("Only my owner can do this.")
        return True


class _Denied(app_commands.CheckFailure, Refusal):
    """A refusal that discord.py lets pass from a check to whoever answers errors."""


admin = Admin(
    name="admin",
    description="For this bot's owner.",
    guild_only=True,
    default_permissions=discord.Permissions.none(),
    allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
)


@admin.command(description="Begin no more pictures; those that are being drawn are finished.")
async def pause(interaction: discord.Interaction["PixelBot"]) -> None:
    """Stop to hand out jobs, also after a restart."""
    await interaction.client.set_mode(Mode.PAUSED)
    await say(interaction, f"Paused. {await _left(interaction.client)}")


@admin.command(description="Take no new pictures and begin none; those being drawn are finished.")
async def drain(interaction: discord.Interaction["PixelBot"]) -> None:
    """Get ready for an update: neither take nor hand out jobs, also after a restart."""
    await interaction.client.set_mode(Mode.DRAINING)
    await say(interaction, f"Draining. {await _left(interaction.client)}")


@admin.command(description="Take pictures and draw them again, after a pause or a drain.")
async def resume(interaction: discord.Interaction["PixelBot"]) -> None:
    """Take and hand out jobs."""
    # Before the first of them is handed out, which would be counted as neither.
    left = await _left(interaction.client)
    await interaction.client.set_mode(Mode.OPEN)
    await say(interaction, f"Resumed. {left}")


@admin.command(description="Stop a picture, whoever asked for it.")
@app_commands.describe(job="Its number, as below the picture.")
async def cancel(
    interaction: discord.Interaction["PixelBot"], job: app_commands.Range[int, 1, MAX_JOB_ID]
) -> None:
    """Cancel a job, waiting or running."""
    if not await interaction.client.dispatcher.cancel(job):
        raise Refusal(f"#{job} is not waiting or being drawn.")
    await say(interaction, f"#{job} is cancelled.")


@admin.command(description="Answer none of somebody's commands and buttons any more.")
@app_commands.describe(user="Who; an id works too.", reason="Why; they are told.")
async def ban(
    interaction: discord.Interaction["PixelBot"],
    user: discord.User,
    reason: app_commands.Range[str, 1, _REASON_LIMIT],
) -> None:
    """Shut somebody out."""
    if user.id in await _owners(interaction.client):
        raise Refusal("The bot's owner cannot be banned.")
    await interaction.client.admission.ban(user.id, reason)
    await say(interaction, f"<@{user.id}> is banned: {harmless(reason, _REASON_LIMIT * 2)}")


@admin.command(description="Let somebody use the bot again.")
@app_commands.describe(user="Who; an id works too.")
async def unban(interaction: discord.Interaction["PixelBot"], user: discord.User) -> None:
    """Let somebody in again."""
    if not await interaction.client.admission.unban(user.id):
        raise Refusal(f"<@{user.id}> is not banned.")
    await say(interaction, f"<@{user.id}> may use the bot again.")


@admin.command(description="See how the bot is doing.")
async def stats(interaction: discord.Interaction["PixelBot"]) -> None:
    """Show the figures of this moment and of the last 24 hours."""
    bot = interaction.client
    day = await bot.store.last_day()
    ready = bot.engine.ready
    fields = {
        "Mode": bot.admission.mode.capitalize(),
        "Health": bot.problem or "well",
        "Waiting": str(await bot.store.count_waiting()),
        "Being drawn": f"{len(await bot.store.running())} of {easels(bot.config, bot.engine)}",
        "Drawn in 24 h": str(day.done),
        "Median wait": "–" if day.median_wait is None else duration(day.median_wait),
        "Engine": "starting" if ready is None else f"{ready.device} ({ready.device_name})",
        "Memory": await asyncio.to_thread(_memory),
        "Pictures": _room(bot.keeper),
        "Up for": duration(bot.clock() - bot.started_at),
    }
    embed = discord.Embed(title="The bot")
    for name, value in fields.items():
        embed.add_field(name=name, value=value)
    await interaction.edit_original_response(embed=embed)


@admin.command(description="Register the slash commands with Discord now.")
async def sync(interaction: discord.Interaction["PixelBot"]) -> None:
    """Register the commands, whether they have changed or not."""
    try:
        await interaction.client.sync_commands()
    except discord.HTTPException as error:
        raise Refusal(f"Discord does not take the commands: {error.text}") from error
    await say(interaction, "The commands are registered.")


async def _owners(bot: "PixelBot") -> set[int]:
    """The application's owner, or its team's members who may change it."""
    application = await bot.application_info()
    if application.team is None:
        return {application.owner.id}
    accepted = discord.TeamMembershipState.accepted
    return {
        member.id
        for member in application.team.members
        if member.role in _OWNERS and member.membership_state is accepted
    } | {application.team.owner_id or application.owner.id}


async def _left(bot: "PixelBot") -> str:
    """What is in the queue, as a sentence."""
    running, waiting = len(await bot.store.running()), await bot.store.count_waiting()
    return f"{running} being drawn, {waiting} waiting."


def _room(keeper: Keeper) -> str:
    """How much of the disk the pictures take."""
    if keeper.used is None:
        return "being measured"
    quota = keeper.rules.quota
    return size(keeper.used) + (f" of {size(quota)}" if quota is not None else "")


def _memory() -> str:
    """The resident memory of the bot and of the processes that it has started."""
    resident = {}
    parents = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            # The name in parentheses may hold anything; the parent is the second field after it.
            status = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            # It has just ended.
            continue
        parents[int(folder.name)], resident[int(folder.name)] = int(status[1]), int(status[21])
    own = os.getpid()
    ours = (pid for pid, parent in parents.items() if own in (pid, parent))
    used = sum(resident[pid] for pid in ours) * os.sysconf("SC_PAGE_SIZE")
    return size(used)
