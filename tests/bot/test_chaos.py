"""The harness itself: its plan follows from the seed, and each of its checks can fail."""

import asyncio
import dataclasses
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from bot.jobs import Job, State
from bot.store import Store
from engine.protocol import Done, Statistics
from engine.settings import Settings, make_settings
from tests.bot import helpers
from tests.chaos import blows
from tests.chaos import checks as looks
from tests.chaos.checks import Checks
from tests.chaos.disk import Disk, own_namespace
from tests.chaos.plan import Plan, make_plan
from tests.chaos.records import Records, ended_once
from tests.chaos.stage import Stage

if TYPE_CHECKING:
    from engine.client import LocalEngine
    from tests.discord_server.client import DiscordServer

ROOT = Path(__file__).parent.parent.parent


def plan(seed: int = 1) -> Plan:
    return make_plan(jobs=200, kills=70, people=20, channels=4, seed=seed)


async def a_job(store: Store, **changes: object) -> Job:
    return dataclasses.replace(await helpers.done(store), report="posted", **changes)


def message(number: int, *custom_ids: str, **changes: object) -> dict[str, object]:
    buttons = [{"custom_id": custom_id} for custom_id in custom_ids]
    about = {"id": str(number), "deleted": False, "pings": False, "attachments": []}
    return {**about, "components": [{"components": buttons}], **changes}


def test_a_plan_follows_from_its_seed_and_holds_what_was_asked_for() -> None:
    assert plan() == plan()
    assert plan() != plan(2)
    kinds = Counter(blow.kind for blow in plan().blows)
    assert kinds["kill engine"] == 50
    assert kinds["kill bot"] + kinds["freeze engine and kill bot"] == 20
    assert min(kinds["freeze engine"], kinds["fill disk"], kinds["lock database"]) >= 3
    wishes = plan().wishes
    assert len(wishes) + 4 * plan().groups == 200
    assert len({(wish.person, wish.recipe) for wish in wishes}) == len(wishes)
    assert {wish.person for wish in wishes} == set(range(20))
    assert plan().wished_before(len(plan().blows) - 1) == len(wishes)
    recipes = {wish.recipe for wish in wishes}
    for recipe in recipes:
        words, _, settings = recipe.words.partition(" --")
        assert words
        assert make_settings({"prompts": words, "drawer": recipe.drawer}).drawer == recipe.drawer
        assert settings


async def test_each_end_that_must_not_be_is_found(store: Store) -> None:
    good = await a_job(store)
    path = [("queued", "running"), ("running", "done")]

    def failures(job: Job, steps: list[tuple[str, str]], *, wanted: int = 1) -> int:
        checks = Checks()
        looks.check_ends(checks, [job], {job.id: steps}, wanted=wanted, cancelled_by_owner=set())
        assert checks.passed + checks.failed == 5
        return checks.failed

    assert failures(good, path) == 0
    assert failures(good, path, wanted=2) == 1
    assert failures(good, [*path, path[-1]]) == 1
    assert failures(good, [*path, ("done", "queued")]) == 1
    assert failures(dataclasses.replace(good, state=State.CANCELLED), path) == 1
    assert failures(dataclasses.replace(good, state=State.FAILED, error=" "), path) == 1
    assert failures(dataclasses.replace(good, state=State.RUNNING), path[:1]) == 2
    assert not ended_once([])


async def test_doubled_missing_and_pinging_messages_are_found(store: Store) -> None:
    job = await a_job(store, message_id=5)
    shown = message(5, f"pixel:again:{job.id}")

    def failed(*messages: dict[str, object], of: Job = job) -> list[str]:
        checks = Checks()
        looks.check_messages(checks, [of], {}, messages)
        return [line for line in checks.lines if line.startswith("FAILED")]

    assert failed(shown) == []
    assert "two messages" in failed(shown, message(6, f"pixel:again:{job.id}"))[0]
    gone = message(6, f"pixel:again:{job.id}", deleted=True)
    assert failed(shown, gone) == []
    assert "that its row names" in failed()[0]
    assert "shows the end" in failed(message(5, f"pixel:cancel:{job.id}"))[0]
    assert "ping" in failed(shown, message(7, pings=True))[0]


async def test_files_and_handles_that_belong_to_nothing_are_found(
    store: Store,
    tmp_path: Path,
) -> None:
    job = await a_job(store)
    (tmp_path / "lock").touch()
    folder = tmp_path / f"pictures/0/{job.id}"
    folder.mkdir(parents=True)
    (folder / "final.png").touch()
    good = Checks()
    looks.check_files(good, [job], tmp_path)
    looks.check_handles(good, ["pixel.db", "pixel.db-wal", "lock"])
    assert good.failed == 0
    orphans = ("snapshots/1.safetensors", "pictures/parts/.a.part", "pictures/0/99/final.png")
    for orphan in (*orphans, f"pictures/init/{'0' * 64}.png"):
        path = tmp_path / orphan
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        checks = Checks()
        looks.check_files(checks, [job], tmp_path)
        assert checks.failed == 1, orphan
        path.unlink()
    checks = Checks()
    looks.check_handles(checks, ["pictures/0/1/final.png (deleted)"])
    looks.check_log(checks, ["Task exception was never retrieved"])
    assert checks.failed == 2


async def test_a_picture_that_the_channel_lacks_is_found(
    store: Store,
    tmp_path: Path,
) -> None:
    job = await a_job(store)
    (tmp_path / "final.png").write_bytes(b"whole")

    async def failures(posted: dict[int, bytes | None]) -> int:
        checks = Checks()
        await looks.check_posted(checks, [job], posted, tmp_path)
        return checks.failed

    assert await failures({job.id: b"whole"}) == 0
    assert await failures({job.id: b"less"}) == 0
    assert await failures({job.id: None}) == 0
    assert await failures({}) == 1
    assert await failures({job.id: b"something else"}) == 1


class Steady:
    """An engine that draws the same picture whatever it is asked for."""

    async def draw(
        self, job: str, _settings: Settings, _pictures: dict[str, bytes]
    ) -> AsyncGenerator[Done]:
        yield Done(job, b"whole", b"small", Statistics(1, 1.0, 0.0, 0.0))


async def test_a_picture_of_other_bytes_is_found(store: Store, tmp_path: Path) -> None:
    job = await a_job(store)

    async def failures(picture: bytes, native: bytes) -> int:
        (tmp_path / "final.png").write_bytes(picture)
        (tmp_path / "native.png").write_bytes(native)
        checks = Checks()
        await looks.check_pictures(checks, [job], tmp_path, cast("LocalEngine", Steady()))
        return checks.failed

    assert await failures(b"whole", b"small") == 0
    assert await failures(b"other", b"small") == 1
    assert await failures(b"whole", b"other") == 1


ASLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def a_sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(ASLEEP)


async def test_a_process_that_outlives_its_bot_is_found(tmp_path: Path) -> None:
    stage = Stage(cast("DiscordServer", None), tmp_path)
    assert await stage.orphans(patience=0.2) == []
    with a_sleeper() as orphan:
        assert await stage.orphans(patience=0.2) == [" ".join(ASLEEP)]
        orphan.kill()
    assert await stage.orphans(patience=5) == []


async def test_a_frozen_engine_that_nobody_ends_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blows, "_LONGEST_FREEZE", 0.2)
    stage = Stage(cast("DiscordServer", None), tmp_path)
    struck = blows.Blows(stage, Records(tmp_path), cast("Disk", None))
    with a_sleeper() as left, a_sleeper() as ended:
        await struck._freeze(left.pid)
        assert struck.missed == 1
        ending = asyncio.create_task(asyncio.to_thread(ended.kill))
        await struck._freeze(ended.pid)
        await ending
    assert struck.missed == 1


def test_steps_are_noted_whoever_takes_them_and_a_lock_keeps_others_out(tmp_path: Path) -> None:
    records = Records(tmp_path)
    settings = '{"prompts": "a cat"}'
    with records._connection() as connection:
        connection.execute(
            "INSERT INTO jobs (user_id, guild_id, channel_id, asked, seed, round, asked_at)"
            " VALUES (1, 2, 3, ?, 7, 0, 0.0)",
            (settings,),
        )
        connection.execute("UPDATE jobs SET state = 'running'")
        connection.execute("UPDATE jobs SET state = 'cancelled'")
    assert records.steps() == {1: [("queued", "running"), ("running", "cancelled")]}
    job = records.find("1", "a cat", 7)
    assert job is not None
    assert job.state is State.CANCELLED
    assert records.problems() == []


@pytest.mark.parametrize(
    ("own", "refusal"), [(True, "No space left on device"), (False, "File too large")]
)
def test_a_full_disk_takes_nothing_until_it_is_freed(
    tmp_path: Path, own: bool, refusal: str
) -> None:
    namespace = own_namespace(tmp_path) if own else ()
    if own and not namespace:
        pytest.skip("nothing may be mounted here")
    program = (
        "import os, sys, pathlib\n"
        "from tests.chaos.disk import Disk\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        f"disk = Disk(folder, own={own})\n"
        "disk.fill([os.getpid()])\n"
        "try:\n"
        "    (folder / 'a').write_bytes(b'a' * 5000)\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
        "disk.free([os.getpid()])\n"
        "(folder / 'a').write_bytes(b'a' * 5000)\n"
    )
    done = subprocess.run(
        [*namespace, sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"{refusal}\n", done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("jobs", "kills"), [(4, 1), (5, 0)])
def test_a_run_that_cannot_be_planned_is_refused(jobs: int, kills: int) -> None:
    with pytest.raises(ValueError, match="at least 5 jobs and 1 kill"):
        make_plan(jobs=jobs, kills=kills, people=20, channels=4, seed=1)


def test_without_the_projects_tests_chaos_says_where_it_runs() -> None:
    # An installed wheel holds the bot and the engine alone.
    program = "import sys; sys.modules['tests'] = None; from bot.cli import app; app(['chaos'])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "uv run --extra dev pixel chaos" in done.stderr
    assert "Traceback" not in done.stderr
