"""The gallery in a real browser, Debian's chromium, at the width of a phone and of a desktop."""

import contextlib
import re
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page, async_playwright, expect

from bot.folder import database_path, upgrade
from bot.gallery.server import serve_gallery
from bot.store import Store
from tests.bot.gallery import Painter

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
SIZES = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])

LONG = "endless" * 140
SPOILER, SMOOTH, ENDLESS, ARABIC, PARENT, CHILD = range(1, 7)
NEWEST = 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gallery(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a gallery with twenty pictures."""
    data = tmp_path_factory.mktemp("gallery")
    upgrade(data)
    async with Store.open(database_path(data), time.time) as store:
        painter = Painter(store, data)
        await painter.open_channel()
        await painter.paint("a spider", spoiler=True)
        await painter.paint("a rocket", drawer="clipdraw", pixel_size=None)
        await painter.paint(LONG)
        await painter.paint("منارة عند الغسق")
        await painter.paint("a lighthouse", aspect="widescreen", pixel_size="80 45")
        await painter.paint("a lighthouse", aspect="portrait", parent=PARENT, relation="reroll")
        for number in range(CHILD + 1, NEWEST + 1):
            await painter.paint(f"picture number {number}")
        async with serve_gallery(data, "127.0.0.1", 0) as url:
            yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    assert path, "These tests need Debian's chromium: apt-get install chromium."
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path)
        yield browser
        await browser.close()


@dataclass
class Visit:
    """A page of the gallery.

    Attributes:
        asked_for: the addresses that the browser has requested.

    """

    page: Page
    asked_for: list[str] = field(default_factory=list)

    async def look_at_everything(self) -> None:
        """Scroll to each picture, so that those that wait for it are loaded."""
        for image in await self.page.locator("img:visible").all():
            await image.scroll_into_view_if_needed()
            await expect(image).to_have_js_property("complete", value=True)

    async def measure(self, expression: str) -> Any:
        return await self.page.evaluate(expression)


@pytest.fixture
def visit(browser: Browser, gallery: str):
    """Opens a page; whatever the browser complains of then, such as its policy, fails the test."""

    @contextlib.asynccontextmanager
    async def visit(path: str = "", **options: Any) -> AsyncIterator[Visit]:
        complaints: list[str] = []
        async with await browser.new_context(base_url=gallery, **(DESKTOP | options)) as context:
            page = await context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            visit = Visit(page)
            page.on("request", lambda request: visit.asked_for.append(request.url))
            await page.goto(path)
            yield visit
        assert complaints == []

    return visit


PATHS = [
    "",
    "?q=picture",
    "?q=nothing+like+it",
    "?before=7",
    f"p/{NEWEST}",
    f"p/{SPOILER}",
    f"p/{SMOOTH}",
    f"p/{ENDLESS}",
    f"p/{ARABIC}",
    f"p/{PARENT}",
    f"p/{CHILD}",
]


@SIZES
@pytest.mark.parametrize("path", PATHS)
async def test_everything_fits_and_every_picture_is_there(visit, size: Any, path: str) -> None:
    async with visit(path, **size) as visited:
        await visited.look_at_everything()
        width = size["viewport"]["width"]
        assert await visited.measure("innerWidth") == width
        assert await visited.measure("document.documentElement.scrollWidth") <= width
        images = await visited.measure(
            "[...document.images].filter(image => image.checkVisibility())"
            ".map(image => [image.naturalWidth, image.getBoundingClientRect().right])"
        )
        assert all(natural > 0 and right <= width for natural, right in images)


@SIZES
async def test_a_cell_on_the_wall_is_a_whole_number_of_pixels(visit, size: Any) -> None:
    async with visit("?before=7", **size) as visited:
        await visited.look_at_everything()
        for natural, wide, high, rendering in await visited.measure(
            "[...document.querySelectorAll('img.pixels')].map(image => [image.naturalWidth, "
            "image.clientWidth, image.clientHeight, getComputedStyle(image).imageRendering])"
        ):
            assert wide % natural == 0
            assert high > 0
            assert rendering == "pixelated"


@SIZES
@pytest.mark.parametrize("path", ["", f"p/{PARENT}", f"p/{SMOOTH}"])
async def test_nothing_moves_when_the_pictures_arrive(visit, size: Any, path: str) -> None:
    async with visit("?q=nothing", **size) as visited:
        arrivals: list[Any] = []
        await visited.page.route(re.compile(r"\.png$"), lambda route: arrivals.append(route))
        await visited.page.goto(path, wait_until="domcontentloaded")
        await visited.page.wait_for_timeout(200)
        before = await visited.measure("document.body.scrollHeight")
        assert arrivals
        for route in arrivals:
            await route.continue_()
        await visited.page.wait_for_load_state()
        assert await visited.measure("document.body.scrollHeight") == before
        shift = await visited.measure(
            "new Promise(done => { let sum = 0; new PerformanceObserver(list => {"
            "for (const entry of list.getEntries()) sum += entry.value; })"
            ".observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 100); })"
        )
        assert shift < 0.01


CONTRASTS = """
() => {
  const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const numbers = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = numbers(colour).slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (numbers(colour)[3] === 255) return colour;
    }
    return "white";
  };
  const contrast = (one, other) =>
    (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own && element.localName !== "input") continue;
    const colours = [getComputedStyle(element).color];
    if (element.localName === "input")
      colours.push(getComputedStyle(element, "::placeholder").color);
    const behind = light(ground(element));
    for (const colour of colours)
      found.push([element.className || element.localName, contrast(light(colour), behind)]);
  }
  return found;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", f"p/{PARENT}", f"p/{SPOILER}", "?q=nothing"])
async def test_words_can_be_read_in_both_themes(visit, scheme: str, path: str) -> None:
    async with visit(path, color_scheme=scheme) as visited:
        contrasts = await visited.measure(CONTRASTS)
        assert len(contrasts) > 4
        # WCAG 2.2, criterion 1.4.3, level AA.
        assert all(contrast >= 4.5 for _, contrast in contrasts), contrasts
        ground = await visited.measure("getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(number) for number in re.findall(r"\d+", ground)[:3])
        assert (brightness < 150) == (scheme == "dark")


async def test_the_keyboard_leads_from_the_top_to_the_pictures(visit) -> None:
    async with visit() as visited:
        order = []
        for _ in range(6):
            await visited.page.keyboard.press("Tab")
            order.append(
                await visited.measure(
                    "[document.activeElement.className || document.activeElement.localName, "
                    "getComputedStyle(document.activeElement).outlineStyle != 'none' || "
                    "getComputedStyle(document.activeElement.parentElement).boxShadow != 'none']"
                )
            )
        names = [name for name, _ in order]
        assert names == ["skip", "name", "input", "button", "frame", "frame"]
        assert all(can_be_seen for _, can_be_seen in order)
        await visited.page.keyboard.press("Enter")
        await expect(visited.page).to_have_url(re.compile(rf"/p/{NEWEST - 1}$"))


async def test_the_skip_link_leads_past_the_head(visit) -> None:
    async with visit() as visited:
        await visited.page.keyboard.press("Tab")
        await expect(visited.page.get_by_text("Skip to the pictures")).to_be_in_viewport()
        await visited.page.keyboard.press("Enter")
        await visited.page.keyboard.press("Tab")
        assert await visited.measure("document.activeElement.className") == "frame"


async def test_readers_of_screens_find_their_way(visit) -> None:
    async with visit() as visited:
        for landmark in ("banner", "search", "main", "contentinfo"):
            await expect(visited.page.get_by_role(landmark)).to_have_count(1)
        await expect(visited.page.get_by_role("heading", level=1)).to_have_count(1)
        link = visited.page.get_by_role("link", name=f"picture number {NEWEST}", exact=True)
        await expect(link).to_have_count(1)
        await expect(visited.page.get_by_role("link", name="Spoiler: a spider")).to_have_count(1)
        await expect(
            visited.page.get_by_role("searchbox", name="Words in the prompt")
        ).to_be_empty()


async def test_words_are_searched_from_the_page(visit) -> None:
    async with visit(**PHONE) as visited:
        await visited.page.get_by_role("searchbox").fill("lighth")
        await visited.page.keyboard.press("Enter")
        await expect(visited.page.get_by_role("heading", level=1)).to_have_text(
            "Pictures for “lighth”"
        )
        await expect(visited.page.locator(".frame")).to_have_count(2)


@SIZES
@pytest.mark.parametrize("way", ["new", "old"])
async def test_the_command_is_copied(visit, size: Any, way: str) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    async with visit(f"p/{PARENT}", permissions=permissions, **size) as visited:
        if way == "old":
            await visited.measure(
                "() => { navigator.clipboard.writeText = () => Promise.reject(); }"
            )
        await visited.page.get_by_role("button", name="Copy the command").click()
        await expect(visited.page.get_by_role("status")).to_have_text("The command is copied.")
        copied = await visited.measure("navigator.clipboard.readText()")
        assert copied == await visited.page.locator("#command").text_content()
        assert copied.startswith("/pixel prompt:a lighthouse --seed 7")


async def test_a_picture_grows_while_one_looks_at_it(visit) -> None:
    async with visit() as visited:
        frame = visited.page.locator(".frame").first
        image = frame.locator("img")
        resting = await image.get_attribute("src")
        await frame.hover()
        await expect(image).to_have_attribute("src", f"/p/{NEWEST}/time-lapse.webp", timeout=30_000)
        await visited.page.mouse.move(0, 0)
        await expect(image).to_have_attribute("src", resting or "")
        await visited.page.get_by_role("searchbox").focus()
        await visited.page.keyboard.press("Tab")
        await visited.page.keyboard.press("Tab")
        await expect(image).to_have_attribute("src", f"/p/{NEWEST}/time-lapse.webp")
        await visited.page.keyboard.press("Tab")
        await expect(image).to_have_attribute("src", resting or "")


async def test_nothing_moves_for_those_who_want_it_still(visit) -> None:
    async with visit(reduced_motion="reduce") as visited:
        await visited.page.locator(".frame").first.hover()
        await visited.page.wait_for_timeout(600)
        assert not any("time-lapse" in address for address in visited.asked_for)


@pytest.mark.parametrize("number", [PARENT, SMOOTH])
async def test_the_time_lapse_plays_in_the_picture_s_place(visit, number: int) -> None:
    async with visit(f"p/{number}", **PHONE) as visited:
        image = visited.page.locator("#picture")
        before = await image.bounding_box()
        await visited.page.get_by_role("button", name="Play the time-lapse").click()
        await expect(image).to_have_attribute("src", f"/p/{number}/time-lapse.webp", timeout=30_000)
        assert await image.bounding_box() == before
        await visited.page.get_by_role("button", name="Stop").click()
        await expect(image).not_to_have_attribute("src", f"/p/{number}/time-lapse.webp")


async def test_a_spoiler_stays_covered_until_it_is_opened(visit) -> None:
    async with visit(f"p/{SPOILER}") as visited:
        picture = visited.page.locator("#picture")
        await expect(picture).to_be_hidden()
        assert not any(address.endswith(".png") for address in visited.asked_for)
        await visited.page.locator("summary").focus()
        await visited.page.keyboard.press("Enter")
        await expect(picture).to_be_visible()


async def test_it_works_without_scripts(visit) -> None:
    async with visit(f"p/{PARENT}", java_script_enabled=False) as visited:
        await expect(visited.page.locator("#picture")).to_be_visible()
        await expect(visited.page.locator("#command")).to_contain_text("/pixel prompt:a lighthouse")
        await expect(visited.page.locator("#copy")).to_be_hidden()
        link = visited.page.get_by_role("link", name="Play the time-lapse")
        assert await link.get_attribute("href") == f"/p/{PARENT}/time-lapse.webp"


async def test_the_policy_stops_a_script_that_got_in(browser: Browser, gallery: str) -> None:
    async with await browser.new_context(base_url=gallery) as context:
        page = await context.new_page()
        await page.goto("")
        with pytest.raises(Error, match="Content Security Policy"):
            await page.add_script_tag(content="document.title = 'stolen'")
        assert await page.title() == "Gallery"
