"""A walk through everything that the demo's page shows: `python -m tests.tour FOLDER`.

Headless Chromium types and clicks as a visitor does, and a screenshot is taken at each stop; a stop
that does not show what it should ends the tour.
"""

import argparse
import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Locator, Page, async_playwright, expect

from tests.e2e.visitor import demo

# A picture may have to wait for several others.
_PATIENCE_MS = 240_000
_TYPING_MS = 15
# What the page needs to settle after it has changed.
_BREATH_MS = 900


class Tour:
    """A visitor with a camera."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self._folder = folder
        self._stops = 0

    async def look(self, name: str) -> None:
        """Take a screenshot of the channel's end, numbered in the order of the stops."""
        status = self.page.locator("#action-status")
        await expect(status).not_to_have_text("Completing action…", timeout=_PATIENCE_MS)
        await self.page.wait_for_timeout(_BREATH_MS)
        await self.page.evaluate("document.querySelector('#channel-timeline').scrollTo(0, 1e6)")
        self._stops += 1
        path = self._folder / f"{self._stops:02}-{name}.png"
        await self.page.screenshot(path=path)
        print(path)

    async def begin(self, command: str) -> None:
        """Type a command's name and choose it."""
        await self.page.locator("#channel-composer-input").click()
        await self.page.keyboard.type(f"/{command}", delay=_TYPING_MS)
        listed = self.page.get_by_role("listbox", name="Application commands")
        await listed.get_by_role("option").filter(has_text=f"/{command}").first.click()

    async def slash(self, command: str, argument: str | None = None) -> None:
        """Type a command with its first option, and send it."""
        await self.begin(command)
        if argument is not None:
            await self.page.keyboard.type(argument, delay=_TYPING_MS)
        await self.page.locator("#send-message").click()

    def says(self, words: str) -> Locator:
        """The newest place that says something."""
        return self.page.locator("#channel-message-list").get_by_text(words).last

    def button(self, name: str) -> Locator:
        """The newest button of that name."""
        messages = self.page.locator("#channel-message-list")
        return messages.get_by_role("button", name=name).last

    async def press(self, name: str) -> None:
        """Press the newest button of that name."""
        await self.button(name).click()

    async def sees(self, words: str) -> None:
        """Wait until something is said."""
        await self.says(words).wait_for(timeout=_PATIENCE_MS)

    @contextlib.asynccontextmanager
    async def dialog(self) -> AsyncIterator[Locator]:
        """The form that has opened; closed again at the end unless it was sent."""
        dialog = self.page.get_by_role("dialog")
        await dialog.wait_for()
        yield dialog
        await expect(dialog).to_have_count(0)


async def walk(tour: Tour) -> None:
    """See everything once."""
    await tour.sees("Welcome to the garden!")
    await tour.look("welcome")
    await _asking(tour)
    await _buttons(tour)
    await _group(tour)
    await _finding(tour)
    await _settings(tour)
    await _endings(tour)


async def _asking(tour: Tour) -> None:
    await tour.begin("pixel")
    await tour.look("begun")
    await tour.page.keyboard.type("a lighthouse at dusk --pal", delay=_TYPING_MS)
    await tour.look("a-setting-is-completed")
    await tour.page.keyboard.type("ette resurrect64", delay=_TYPING_MS)
    await tour.page.locator("#send-message").click()
    await tour.sees("Your picture is #1")
    await tour.sees("step")
    await tour.look("growing")
    await tour.button("Reroll").wait_for(timeout=_PATIENCE_MS)
    await tour.look("finished")


async def _buttons(tour: Tour) -> None:
    for button, words in (
        ("Info", "About #1"),
        ("Upscale", "Enlargement of"),
        ("Time-lapse", "Time-lapse of"),
        ("Palette", "in other colours"),
        ("Export", "Everything that there is of #1"),
    ):
        await tour.press(button)
        await tour.sees(words)
        await tour.look(button.lower())
    await tour.press("Remix")
    async with tour.dialog() as dialog:
        await tour.look("remix")
        await dialog.get_by_role("textbox").first.fill("a lighthouse in a storm")
        await dialog.get_by_role("button", name="Submit").click()
    await tour.sees("lighthouse in a storm")
    await tour.look("remixed")


async def _group(tour: Tour) -> None:
    await tour.button("Variations").wait_for(timeout=_PATIENCE_MS)
    await tour.press("Variations")
    await tour.look("variations-grow")
    await tour.button("U4").wait_for(timeout=_PATIENCE_MS)
    await expect(tour.button("U4")).to_be_enabled(timeout=_PATIENCE_MS)
    await tour.look("variations")
    await tour.press("U2")
    await tour.look("taken-out")


async def _finding(tour: Tour) -> None:
    await tour.slash("history")
    await tour.look("history")
    await tour.slash("family", "1")
    await tour.look("family")
    await tour.slash("show", "1")
    await tour.look("shown-again")
    await tour.slash("queue")
    await tour.look("queue")


async def _settings(tour: Tour) -> None:
    await tour.slash("setup")
    await tour.look("setup")
    await tour.slash("privacy")
    await tour.look("privacy")


async def _endings(tour: Tour) -> None:
    await tour.slash("pixel", "a cat --palette nonsense")
    await tour.sees("The palette cannot have")
    await tour.look("refused")
    await tour.slash("pixel", "a cat --iterations 2000")
    await tour.sees("step")
    await tour.press("Cancel")
    await tour.look("cancelling")
    await tour.sees("ancelled")
    await tour.look("cancelled")


async def _take(folder: Path) -> None:
    chromium = shutil.which("chromium")
    assert chromium, "The tour needs Debian's chromium: apt-get install chromium."
    async with demo() as running, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium)
        page = await browser.new_page(viewport={"width": 1100, "height": 1000})
        await page.goto(running.url)
        await walk(Tour(page, folder))
        await browser.close()


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the screenshots are put")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_take(folder))


if __name__ == "__main__":
    _main()
