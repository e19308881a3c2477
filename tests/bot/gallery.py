"""A gallery for the tests: finished pictures with real files, in channels that opted in or not."""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bot.jobs import Job, NewJob, Relation
from bot.pictures import Pictures
from bot.store import Store
from engine.settings import make_settings, resolve
from tests.bot.helpers import ALICE, GUILD, PROVENANCE, claim

PUBLIC, PRIVATE = 20, 30
CELLS = {"aspect": "square", "pixel_size": "16 16"}


@dataclass
class Painter:
    """Puts finished pictures into a store and its folder, without an engine."""

    store: Store
    data: Path

    async def open_channel(self, channel: int = PUBLIC) -> None:
        await self.store.set_preference("channel", channel, "gallery", True)

    async def paint(
        self,
        prompt: str = "a red apple",
        *,
        channel: int = PUBLIC,
        frames: int = 3,
        parent: int | None = None,
        relation: Relation | None = None,
        spoiler: bool = False,
        user: int = ALICE,
        guild: int = GUILD,
        **given: object,
    ) -> Job:
        settings = make_settings({"prompts": prompt, **CELLS, **given})
        added = await self.store.add_job(
            NewJob(
                user_id=user,
                guild_id=guild,
                channel_id=channel,
                settings=settings,
                seed=7,
                parent_id=parent,
                relation=relation,
                spoiler=spoiler,
            ),
            waiting_per_user=1000,
        )
        job = await claim(self.store)
        assert job.id == added.id
        resolved = resolve(job.settings)
        await self.store.record_start(job, resolved, PROVENANCE, 0)
        pictures = Pictures(self.data)
        assert resolved.size is not None
        native = resolved.pixel_size or resolved.size
        for number in range(frames):
            shade = 40 * number
            await pictures.save_frame(job.id, number + 1, plain(resolved.size, (shade, 0, 99)))
        picture, small = await pictures.save_final(
            job.id, plain(resolved.size, (200, 40, 30)), plain(native, (200, 40, 30))
        )
        await self.store.finish(job, picture=picture, native=small, drawing_seconds=8, score=0.3)
        finished = await self.store.get(job.id)
        assert finished is not None
        return finished

    async def copies(self, count: int) -> None:
        """Rows like that of the first picture, without files."""
        columns = await self.store._read_all("PRAGMA table_info(jobs)")
        listed = ", ".join(row["name"] for row in columns if row["name"] != "id")
        await self.change(
            f"""
            WITH RECURSIVE number (n) AS (
                SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
            INSERT INTO jobs ({listed}) SELECT {listed} FROM number, jobs WHERE id = 1
            """,  # noqa: S608 - the names of columns
            count,
        )

    async def change(self, statement: str, *values: object) -> None:
        """Run one statement that the store has no method for."""
        async with self.store._transaction():
            await self.store._write(statement, values)


def plain(size: tuple[int, int], colour: tuple[int, int, int]) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", size, colour).save(output, "PNG")
    return output.getvalue()
