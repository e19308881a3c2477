"""A whole run: the blows, the silence after them, the checks, and a report in numbers."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from engine.client import LocalEngine
from tests.chaos import checks as looks
from tests.chaos.blows import Blows
from tests.chaos.checks import Checks
from tests.chaos.disk import Disk, own_namespace, supported
from tests.chaos.people import People
from tests.chaos.plan import Plan, make_plan
from tests.chaos.records import Records
from tests.chaos.stage import CHANNELS, PEOPLE, Stage

ROOT = Path(__file__).parent.parent.parent

# How long it may take after the last blow until nothing is left to be done.
_LONGEST_QUIET = 420.0
_OWN_DISK = "own-disk"
# As a shell says it.
_INTERRUPTED = 130


def run_chaos(*, jobs: int, kills: int, seed: int) -> int:
    """Have a run in a folder of its own; returns the exit code: 1 if a check failed.

    The folder is removed, unless something is wrong: then it holds the log and the data.

    Raises:
        ValueError: for a run that cannot be planned.

    """
    make_plan(jobs=jobs, kills=kills, people=PEOPLE, channels=CHANNELS, seed=seed)
    if not supported():
        sys.stderr.write("Chaos watches processes as Linux shows them; it runs on Linux only.\n")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="pixel-chaos-"))
    (folder / "data").mkdir()
    namespace = own_namespace(folder / "data")
    arguments = [str(jobs), str(kills), str(seed), str(folder)]
    if namespace:
        arguments.append(_OWN_DISK)
    # In a process of its own, for what is mounted there.
    command = [*namespace, sys.executable, "-m", "tests.chaos.run", *arguments]
    try:
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        code = _INTERRUPTED
    if code in (0, _INTERRUPTED):
        shutil.rmtree(folder, ignore_errors=True)
    return code


async def _run(plan: Plan, seed: int, folder: Path, *, own_disk: bool) -> int:
    data, checks, began = folder / "data", Checks(), time.monotonic()
    disk = Disk(data, own=own_disk)
    records = Records(data)
    async with Stage.set(data, seed) as stage:
        people, blows = People(plan, stage, records), Blows(stage, records, disk)
        try:
            await stage.well()
            await blows.make_discord_unreliable()
            people.wish(plan.wished_before(-1))
            people.ask_for_variations(seed)
            for number, blow in enumerate(plan.blows):
                await blows.wait_for(blow)
                people.wish(plan.wished_before(number))
                await blows.strike(blow)
                _progress(f"{number + 1} of {len(plan.blows)} blows, {len(records.jobs())} jobs")
            people.wish(len(plan.wishes))
            stormed = time.monotonic() - began
            faults = await blows.make_discord_reliable()
            await _quiet(people, records, stage)
            quiet = time.monotonic() - began
        finally:
            await people.leave()
        messages = await stage.discord.messages()
        all_jobs = records.jobs()
        posted = {
            job_id: await stage.discord.picture(message) if message["attachments"] else None
            for job_id, message in looks.single_pictures(all_jobs, messages)
        }
        looks.check_handles(checks, stage.open_files())
        code = await stage.end_bot()
        checks.check("asked to end, the bot ends", [] if code == 0 else [f"exit code {code}"])
        checks.check("no process is left behind", await stage.orphans())
    jobs = records.jobs()
    looks.check_ends(
        checks,
        jobs,
        records.steps(),
        wanted=plan.jobs,
        cancelled_by_owner=people.cancelled_by_owner,
    )
    looks.check_messages(checks, jobs, records.messages_of_groups(), messages)
    looks.check_files(checks, jobs, data)
    await looks.check_posted(checks, jobs, posted, data)
    engine = LocalEngine(folder / "undisturbed")
    await engine.start()
    try:
        await looks.check_pictures(checks, jobs, data, engine)
    finally:
        await engine.close()
    checks.check("SQLite finds nothing wrong", records.problems())
    checks.check("no frozen engine was left alone", ["it was"] * blows.missed)
    checks.check(
        "the bot ended at most to be started again",
        [f"exit code {code}" for code in stage.exits if code != os.EX_TEMPFAIL],
        f"{len(stage.exits)} times",
    )
    looks.check_log(checks, stage.log)
    _progress("")
    _report(
        {
            "run": f"{plan.jobs} jobs of {PEOPLE} people in {CHANNELS} channels, seed {seed}",
            "blows": ", ".join(f"{count} × {kind}" for kind, count in sorted(blows.struck.items())),
            "faults of Discord": ", ".join(f"{n} × {kind}" for kind, n in sorted(faults.items())),
            "disk": str(disk),
            "bots started": str(stage.starts),
            "messages found again": str(sum("message is there already" in s for s in stage.log)),
            "attempts": f"{sum(job.attempt for job in jobs)} for {len(jobs)} jobs",
            "pressed and typed": ", ".join(f"{n} × {w}" for w, n in sorted(people.tries.items())),
            "strangers who pressed cancel": str(people.meddled),
            "time": f"{stormed:.0f} s of blows, {quiet - stormed:.0f} s until it was quiet, "
            f"{time.monotonic() - began:.0f} s in all",
        },
        checks,
    )
    if checks.failed:
        (folder / "bot.log").write_text("\n".join(stage.log))
        shutil.copytree(data, folder / "data-after", dirs_exist_ok=True)
        print(f"What is left of the run lies in {folder}.")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return int(checks.failed > 0)


async def _quiet(people: People, records: Records, stage: Stage) -> None:
    """Wait until everything is done and told; or for as long as it may take, and then go on."""
    try:
        async with asyncio.timeout(_LONGEST_QUIET):
            await people.content(_LONGEST_QUIET)
            while any(left := records.left()):
                _progress("{} jobs and {} messages to go".format(*left))
                await asyncio.sleep(0.5)
            await stage.well()
    except TimeoutError:
        _progress("")
        print(f"It was not quiet after {_LONGEST_QUIET:g} s.")


def _report(figures: dict[str, str], checks: Checks) -> None:
    for name, value in figures.items():
        print(f"{name + ':':<30}{value}")
    print()
    for line in checks.lines:
        print(line)
    print()


def _progress(text: str) -> None:
    """One line that is written over, for whoever sits in front of it."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def main(arguments: Sequence[str]) -> int:
    """``JOBS KILLS SEED FOLDER [own-disk]``, in the namespace that the disk may be mounted in."""
    jobs, kills, seed = map(int, arguments[:3])
    plan = make_plan(jobs=jobs, kills=kills, people=PEOPLE, channels=CHANNELS, seed=seed)
    folder = Path(arguments[3])
    return asyncio.run(_run(plan, seed, folder, own_disk=_OWN_DISK in arguments[4:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
