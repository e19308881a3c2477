"""The operator's rules for the disk: what goes first, what never goes, and what is said of it."""

import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import discord
import pytest
from prometheus_client import REGISTRY

from bot.deleting import delete_pictures
from bot.jobs import Job, Kept
from bot.keeping import Keeper, Rules
from bot.pictures import Pictures
from bot.store import Store
from engine.settings import make_settings
from tests.bot.gallery import Painter
from tests.bot.helpers import BOB, Clock, add, claim, new_job, png, until
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, simulated

DAY = 24 * 60 * 60
FRAMES = {"1.png", "2.png", "3.png"}
ALL_GONE: set[str] = set()


@pytest.fixture
def painter(store: Store, tmp_path: Path) -> Painter:
    return Painter(store, tmp_path)


class Wall:
    """Pictures with real files, each an hour older than the next, and what is left of them."""

    def __init__(self, painter: Painter, clock: Clock) -> None:
        self.painter = painter
        self.store = painter.store
        self.clock = clock
        self.pictures = Pictures(painter.data)

    async def hang(self, count: int, **given: object) -> list[Job]:
        jobs = []
        for _ in range(count):
            self.clock.now += 3600
            jobs.append(await self.painter.paint(**given))
            await self.store.set_posted(jobs[-1])
        return jobs

    def files(self, job: Job) -> set[str]:
        folder = self.painter.data / f"pictures/0/{job.id}"
        return {path.name for path in folder.rglob("*") if path.is_file()}

    def size(self, *jobs: Job) -> int:
        folders = [self.painter.data / f"pictures/0/{job.id}" for job in jobs]
        return sum(file.stat().st_size for folder in folders for file in folder.rglob("*.png"))

    def has(self, *jobs: Job) -> list[Kept]:
        """What the disk has of each."""
        names = [self.files(job) for job in jobs]
        whole = {f"{number:06}.png" for number in (1, 2, 3)} | {"final.png", "native.png"}
        told: dict[frozenset[str], Kept] = {
            frozenset(whole): "all",
            frozenset({"final.png", "native.png"}): "picture",
            frozenset(): "nothing",
        }
        return [told[frozenset(found)] for found in names]

    async def kept(self, *jobs: Job) -> list[Kept]:
        """What the rows say."""
        rows = [await self.store.get(job.id) for job in jobs]
        return [row.kept for row in rows if row is not None]

    def keeper(self, **rules: float) -> Keeper:
        return Keeper(self.store, self.pictures, Rules(**rules), clock=self.clock)


@pytest.fixture
async def wall(painter: Painter, clock: Clock) -> AsyncIterator[Wall]:
    return Wall(painter, clock)


async def test_without_rules_everything_stays(wall: Wall) -> None:
    jobs = await wall.hang(3)
    keeper = wall.keeper()
    assert keeper.used is None
    wall.clock.now += 1000 * DAY
    await keeper.tidy()
    assert wall.has(*jobs) == ["all"] * 3
    assert keeper.used == wall.size(*jobs)
    await wall.pictures.save_frame(99, 1, b"12345")
    assert keeper.used == wall.size(*jobs) + 5


async def test_frames_go_before_pictures_and_the_oldest_first(wall: Wall) -> None:
    jobs = await wall.hang(4)
    whole = wall.size(*jobs)
    frames = sum(path.stat().st_size for path in wall.painter.data.rglob("frames/*.png"))
    # A twentieth more than is needed goes; so both go just after their second step.
    await wall.keeper(quota=int((whole - frames / 4 - 1) / 0.95)).tidy()
    assert wall.has(*jobs) == await wall.kept(*jobs) == ["picture", "picture", "all", "all"]
    final = (whole - frames) / 4
    await wall.keeper(quota=int((4 * final - final - 1) / 0.95)).tidy()
    assert wall.has(*jobs) == await wall.kept(*jobs) == ["nothing", "nothing", "picture", "picture"]
    row = await wall.store.get(jobs[0].id)
    assert row is not None
    assert (row.prompt, row.seed, row.state) == ("a red apple", 7, "done")


async def test_what_somebody_likes_waits_is_drawn_or_not_shown_yet_is_never_removed(
    wall: Wall,
) -> None:
    plain, liked, starred, unshown = await wall.hang(4)
    await wall.store.toggle_favourite(BOB, liked)
    assert await wall.store.claim_star(starred.id, 5)
    await wall.painter.change("UPDATE jobs SET report = 'open' WHERE id = ?", unshown.id)
    group = await wall.store.add_group([new_job(BOB)], waiting_per_user=9)
    running = await claim(wall.store)
    assert running.id == group[0].id
    waiting = await add(wall.store)
    for job in (running, waiting):
        await wall.pictures.save_frame(job.id, 1, png())
    keeper = wall.keeper(quota=1)
    wall.clock.now += 1000 * DAY
    await keeper.tidy()
    assert wall.has(plain, liked, starred, unshown) == ["nothing", "all", "all", "all"]
    assert wall.files(running) == wall.files(waiting) == {"000001.png"}
    assert keeper.used == sum(map(wall.size, (liked, starred, unshown, running, waiting)))
    # Nobody likes it any more.
    await wall.store.toggle_favourite(BOB, liked)
    await keeper.tidy()
    assert wall.has(liked) == ["nothing"]


async def test_pictures_of_a_group_stay_until_its_message_shows_them(wall: Wall) -> None:
    (job,) = await wall.hang(1)
    await wall.store.add_group([new_job()], waiting_per_user=9)
    await wall.painter.change("UPDATE jobs SET group_id = 1, report = 'grouped' WHERE id = 1")
    await wall.keeper(quota=1).tidy()
    assert wall.has(job) == ["all"]
    await wall.painter.change("UPDATE groups SET report = 'posted'")
    await wall.keeper(quota=1).tidy()
    assert wall.has(job) == ["nothing"]


async def test_each_rule_of_days_has_its_own_age(wall: Wall) -> None:
    wall.clock.now += 1000 * DAY
    jobs = await wall.hang(3)
    for job, days in zip(jobs, (40, 20, 5), strict=True):
        await wall.painter.change(
            "UPDATE jobs SET finished_at = ? WHERE id = ?", wall.clock.now - days * DAY, job.id
        )
    await wall.keeper(frames_days=10).tidy()
    assert wall.has(*jobs) == await wall.kept(*jobs) == ["picture", "picture", "all"]
    await wall.keeper(frames_days=10, pictures_days=30).tidy()
    assert wall.has(*jobs) == await wall.kept(*jobs) == ["nothing", "picture", "all"]
    # Also without a rule for frames.
    await wall.keeper(pictures_days=3).tidy()
    assert wall.has(*jobs) == ["nothing"] * 3


async def test_what_nobody_can_look_at_goes_without_a_rule(wall: Wall) -> None:
    (deleted,) = await wall.hang(1)
    await wall.store.delete(deleted)
    await add(wall.store)
    failed = await claim(wall.store)
    await wall.store.fail(failed, "It failed.")
    cancelled = await add(wall.store)
    await wall.store.cancel(cancelled)
    for job in (failed, cancelled):
        await wall.pictures.save_frame(job.id, 1, png())
    await wall.keeper().tidy()
    for job in (deleted, failed, cancelled):
        assert wall.files(job) == ALL_GONE
    assert await wall.store.let_go_left_over(9) == []


async def test_half_written_files_of_a_killed_process_go(wall: Wall) -> None:
    await wall.hang(1)
    left = wall.painter.data / "pictures/parts/.final.png.ab.part"
    left.write_bytes(b"half")
    await wall.keeper().tidy()
    assert not left.exists()


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the keeper's runs after it."""


class Fate:
    """Kills whoever does things, just before one of them or just after it."""

    def __init__(self, moment: int) -> None:
        self._left = moment
        self.struck = False

    def watch(self, patched: pytest.MonkeyPatch, of: object, *names: str) -> None:
        for name in names:
            patched.setattr(of, name, self._mortal(getattr(of, name)))

    def _mortal(self, do: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def deed(*arguments: object, **options: object) -> object:
            self._pass()
            result = await do(*arguments, **options)
            self._pass()
            return result

        return deed

    def _pass(self) -> None:
        self._left -= 1
        if self._left < 0:
            self.struck = True
            raise Killed


async def test_killed_at_any_moment_it_goes_on_and_ends_the_same(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment in itertools.count():
        jobs = await wall.hang(3)
        await wall.store.toggle_favourite(BOB, jobs[0])
        wall.clock.now += DAY
        fate = Fate(moment)
        with monkeypatch.context() as patched:
            fate.watch(patched, wall.pictures, "remove", "remove_frames")
            fate.watch(patched, wall.store, "let_go", "set_tidied")
            with contextlib.suppress(Killed):
                await wall.keeper(pictures_days=0.5).tidy()
        if not fate.struck:
            break
        await wall.keeper(pictures_days=0.5).tidy()
        assert wall.has(*jobs) == await wall.kept(*jobs) == ["all", "nothing", "nothing"]
        assert await wall.store.untidied(after=0, limit=9) == {}
    assert moment > 8


async def test_a_file_that_cannot_be_removed_is_tried_again(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await wall.hang(2)
    remove = wall.pictures.remove

    async def stubborn(job_id: int) -> None:
        if job_id == first.id:
            raise PermissionError("no")
        await remove(job_id)

    with monkeypatch.context() as patched:
        patched.setattr(wall.pictures, "remove", stubborn)
        await wall.keeper(quota=1).tidy()
    assert wall.has(first, second) == ["picture", "nothing"]
    await wall.keeper(quota=1).tidy()
    assert wall.has(first, second) == ["nothing", "nothing"]


async def test_what_drawings_start_from_stays_while_one_of_them_needs_it(wall: Wall) -> None:
    names = [await wall.pictures.save_init(png((8, 8 + number))) for number in range(4)]
    shared, waited_for, unneeded, fresh = names
    for name in (shared, waited_for, unneeded):
        os.utime(wall.painter.data / f"pictures/init/{name}.png", (0, 0))
    first, second = [
        *await wall.hang(1, init_image=shared),
        *await wall.hang(1, image_prompts=f"{shared}:0.5"),
    ]
    await wall.store.toggle_favourite(BOB, second)
    settings = make_settings({"prompts": "a red apple", "init_image": waited_for})
    await add(wall.store, settings=settings)

    def there() -> set[str]:
        return {path.stem for path in (wall.painter.data / "pictures/init").iterdir()}

    await wall.keeper().tidy()
    assert there() == {shared, waited_for, fresh}
    await wall.keeper(quota=1).tidy()
    assert wall.has(first, second) == ["nothing", "all"]
    assert there() == {shared, waited_for, fresh}
    await wall.store.toggle_favourite(BOB, second)
    await wall.keeper(quota=1).tidy()
    assert there() == {waited_for, fresh}


async def test_what_pictures_started_from_goes_with_them(wall: Wall) -> None:
    name = await wall.pictures.save_init(png())
    path = wall.painter.data / f"pictures/init/{name}.png"
    os.utime(path, (0, 0))
    await wall.hang(1, init_image=name)
    wall.clock.now += 20 * DAY
    await wall.keeper(frames_days=1, pictures_days=30).tidy()
    assert path.exists()
    wall.clock.now += 20 * DAY
    await wall.keeper(frames_days=1, pictures_days=30).tidy()
    assert not path.exists()


async def test_no_query_of_it_reads_all_rows(wall: Wall) -> None:
    await wall.hang(1)
    statements: list[str] = []
    for connection in (wall.store._reader, wall.store._writer):
        await connection.set_trace_callback(statements.append)
    await wall.keeper(frames_days=1, pictures_days=2, quota=1).tidy()
    looked = [text for text in statements if text.lstrip().startswith(("SELECT", "UPDATE"))]
    assert len(looked) > 5
    for statement in looked:
        # What is printed for an infinite number is not SQL.
        plan = await wall.store._read_all(f"EXPLAIN QUERY PLAN {statement.replace('Inf', '9e999')}")
        for step in (row["detail"] for row in plan):
            assert not step.startswith("SCAN jobs") or "INDEX jobs_left_over" in step, statement
            assert "TEMP B-TREE" not in step, statement


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


async def drawn(server: Server, engine: ScriptedEngine) -> Job:
    """A finished picture with two frames that its message shows."""
    job_id = await server.ask()
    await engine.has(job_id)
    for iteration in (10, 20):
        engine.progress(job_id, iteration)
    engine.finish(job_id)
    await server.finished(job_id)

    async def posted() -> bool:
        return (await server.job(job_id)).report == "posted"

    await until(posted)
    return await server.job(job_id)


def files(data: Path, job_id: int) -> int:
    return len(list(data.glob(f"pictures/0/{job_id}/**/*.png")))


async def test_the_bot_removes_what_is_too_much_and_says_so_wherever_it_is_looked_for(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, quota=1) as server:
        old, liked = await drawn(server, engine), await drawn(server, engine)
        await server.alice.click(server.message(liked.id), label="Favourite")
        running = await server.ask()
        await engine.has(running)
        engine.progress(running, 10)
        await until(lambda: files(tmp_path, running))
        removed = {
            what: REGISTRY.get_sample_value("pixel_removed_total", {"what": what})
            for what in ("frames", "picture")
        }
        await server.bot.keeper.tidy()
        for what, before in removed.items():
            after = REGISTRY.get_sample_value("pixel_removed_total", {"what": what})
            assert before is not None
            assert after == before + 1
        assert [files(tmp_path, job_id) for job_id in (old.id, liked.id, running)] == [0, 4, 1]
        sentence = "This picture was removed to save space; “Again” draws it anew."
        # Its message goes on showing it, which costs nothing here.
        assert server.message(old.id).attachments
        for label in ("Upscale", "Time-lapse", "Export"):
            result = await server.alice.click(server.message(old.id), label=label)
            assert result.response.content == sentence
        result = await server.alice.slash(server.channel, "show", id=old.id)
        assert result.response.embeds[0].fields[-1].value == sentence
        assert not result.response.attachments
        result = await server.alice.slash(server.channel, "history")
        assert result.response.attachments
        again = await server.alice.click(server.message(old.id), label="Again")
        assert again.response.content.startswith("Your picture is #4.")


async def test_a_time_lapse_without_its_frames_is_explained(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job = await drawn(server, engine)
        keeper = Keeper(
            server.bot.store, server.bot.pictures, Rules(frames_days=-1), clock=server.bot.clock
        )
        await keeper.tidy()
        result = await server.alice.click(server.message(job.id), label="Time-lapse")
        assert result.response.content == "How this picture grew was removed to save space."


async def test_a_sheet_is_taken_down_when_one_of_its_pictures_is_deleted_and_none_is_left(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, quota=1) as server:
        parent = await drawn(server, engine)
        await server.alice.click(server.message(parent.id), label="Variations")
        for job_id in range(2, 6):
            await until(lambda job_id=job_id: job_id in engine.at_work)
            engine.finish(job_id)

        def sheet() -> discord.Message:
            return next(m for m in server.channel.history() if "#5" in m.embeds[0].footer.text)

        async def posted() -> bool:
            group = await server.bot.store.group(1)
            return group is not None and group.report == "posted"

        await until(posted)
        await server.bot.keeper.tidy()
        assert sum(files(tmp_path, job_id) for job_id in range(1, 6)) == 0
        assert sheet().attachments
        await delete_pictures(server.bot, [await server.job(2)])
        await until(lambda: not sheet().attachments)
        assert sheet().embeds[0].fields[-1].value.startswith("This picture was removed")
