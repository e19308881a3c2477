"""The buttons that make something of a finished picture: Upscale, Time-lapse, Export."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import discord

from bot.answers import made, picture_file, post_answer
from bot.errors import Refusal
from bot.gallery.command import command
from bot.jobs import Job
from bot.label import no_picture
from bot.texts import one_line
from bot.views.base import JOB, JobButton, check_finished
from bot.workshop.orders import Enlarge, Export, TimeLapse

if TYPE_CHECKING:
    from bot.app import PixelBot

# The largest that Discord takes is the best.
_FACTORS = (4, 2)
# What browsers and phones still show.
_LARGEST_SIDE = 8192
# A time-lapse is looked at in a channel; the sheet in a game engine.
_MOVING = (640, 640)
_CELL = (256, 256)
_SHEET_FRAMES = 36
# Of a longer drawing so many frames are shown, evenly taken.
_MOST_FRAMES = 96


class UpscaleButton(JobButton, template=rf"pixel:upscale:{JOB}"):
    """The picture four times as large, or twice: a whole factor, so that every cell stays sharp."""

    action = "upscale"
    label = "Upscale"
    emoji = "🔍"

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Post it."""
        path = await _file(interaction, job)

        async def make() -> bytes:
            for factor in _FACTORS:
                if factor * max(_size(job)) > _LARGEST_SIDE:
                    continue
                task = Enlarge(path, factor, _is_crisp(job))
                png = await made(interaction, task)
                if len(png) <= interaction.filesize_limit:
                    return png
            raise Refusal("This picture is as large as can be posted here already.")

        await post_answer(interaction, job, "enlargement", make, ending="-large.png")


class TimeLapseButton(JobButton, template=rf"pixel:time-lapse:{JOB}"):
    """How the picture grew, as a GIF."""

    action = "time-lapse"
    label = "Time-lapse"
    emoji = "🎞️"

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Post it."""
        path = await _file(interaction, job)
        frames = await interaction.client.pictures.frames(job.id)
        if not frames:
            raise Refusal(
                "How this picture grew was removed to save space."
                if job.kept == "picture"
                else "Nothing was kept of how this picture grew."
            )

        async def make() -> bytes:
            size, crisp = _fitting(job, _MOVING), _is_crisp(job)
            limit = interaction.filesize_limit
            task = TimeLapse((*_evenly(frames, _MOST_FRAMES), path), size, crisp, limit)
            return await made(interaction, task)

        await post_answer(interaction, job, "time-lapse", make, ending="-time-lapse.gif")


class ExportButton(JobButton, template=rf"pixel:export:{JOB}"):
    """All files of the picture in one ZIP, for whoever presses it alone."""

    action = "export"
    label = "Export"
    emoji = "📦"

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Make and send it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        path = await _file(interaction, job)
        pictures = interaction.client.pictures
        name = f"pixel-{job.id}"
        files = pictures.files(job.id)
        frames = await pictures.frames(job.id)
        crisp = _is_crisp(job)
        task = Export(
            name=name,
            files={f"{name}{ending}": file for ending, file in files.items()},
            native=files["-native.png"],
            frames=(*_evenly(frames, _SHEET_FRAMES - 1), path) if frames else (),
            cell=_native(job) if crisp else _fitting(job, _CELL),
            crisp=crisp,
            text=f"{one_line(job.prompt)}\n\nDraw it again:\n{' '.join(command(job))}\n",
        )
        archive = await made(interaction, task)
        if len(archive) > interaction.filesize_limit:
            raise Refusal("The ZIP would be larger than what can be posted here.")
        await interaction.edit_original_response(
            content=f"Everything that there is of #{job.id}.",
            attachments=[picture_file(job, archive, ".zip")],
        )


async def _file(interaction: discord.Interaction["PixelBot"], job: Job) -> str:
    """Where the finished picture lies; raises `Refusal`."""
    found = await interaction.client.pictures.find(check_finished(job))
    if found is None:
        raise Refusal(no_picture(job))
    return str(found)


def _is_crisp(job: Job) -> bool:
    """Whether it is made of cells, whose edges are kept; strokes and codes are smooth."""
    return job.settings.pixel_size is not None


def _native(job: Job) -> tuple[int, int]:
    return job.settings.pixel_size or _size(job)


def _size(job: Job) -> tuple[int, int]:
    """Of a finished picture the settings are resolved."""
    assert job.settings.size is not None
    return job.settings.size


def _fitting(job: Job, room: tuple[int, int]) -> tuple[int, int]:
    """The picture's size, or as much smaller as there is room for."""
    width, height = _size(job)
    scale = min(1.0, room[0] / width, room[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _evenly(frames: Sequence[Path], at_most: int) -> tuple[str, ...]:
    """The paths of so many frames, with the first and the last."""
    if len(frames) > at_most:
        last = at_most - 1
        frames = [frames[round(i * (len(frames) - 1) / last)] for i in range(at_most)]
    return tuple(map(str, frames))
