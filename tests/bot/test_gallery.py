"""The gallery over HTTP: what is shown, to whom, with which headers, and what never is."""

import asyncio
import html
import io
import re
import sqlite3
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from bot.folder import database_path
from bot.gallery.app import PAGE_SIZE, gallery_app
from bot.pictures import Pictures
from bot.store import Gallery, Store
from tests.bot.gallery import PRIVATE, PUBLIC, Painter
from tests.bot.helpers import BOB, Clock, add

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def painter(store: Store, tmp_path: Path) -> Painter:
    painter = Painter(store, tmp_path)
    await painter.open_channel()
    return painter


@pytest.fixture
async def client(painter: Painter, clock: Clock) -> AsyncIterator[Client]:
    path = database_path(painter.data)
    async with (
        Gallery.open_read_only(path, clock) as gallery,
        TestClient(TestServer(gallery_app(gallery, Pictures(painter.data)))) as client,
    ):
        yield client


async def text(client: Client, path: str, status: int = 200) -> str:
    async with client.get(path) as answer:
        assert answer.status == status
        return await answer.text()


async def content(client: Client, path: str) -> bytes:
    async with client.get(path) as answer:
        assert answer.status == 200
        return await answer.read()


def shown(page: str) -> list[int]:
    """The numbers of the pictures on a page, in its order."""
    return [int(number) for number in re.findall(r'class="frame" href="[^"]*/p/(\d+)"', page)]


ADDRESSES = ("", "/picture.png", "/thumbnail.png", "/time-lapse.webp")


async def test_the_newest_pictures_hang_first(client: Client, painter: Painter) -> None:
    jobs = [await painter.paint(prompt) for prompt in ("a red apple", "a blue fish")]
    page = await text(client, "/")
    assert shown(page) == [jobs[1].id, jobs[0].id]
    assert 'alt="a blue fish"' in page
    # What the clock of the test says.
    assert '<time datetime="1970-01-12T13:46:40+00:00">12 January 1970</time>' in page


async def test_only_channels_that_opted_in_are_shown(client: Client, painter: Painter) -> None:
    public = await painter.paint("a red apple")
    await painter.paint("a secret fish", channel=PRIVATE)
    page = await text(client, "/")
    assert shown(page) == [public.id]
    assert "secret" not in page
    await painter.open_channel(PRIVATE)
    assert "secret" in await text(client, "/")
    await painter.store.set_preference("channel", PRIVATE, "gallery", False)
    assert "secret" not in await text(client, "/")


@pytest.mark.parametrize("value", [False, None, "true", 1, {"on": True}])
async def test_only_true_is_consent(client: Client, painter: Painter, value: object) -> None:
    await painter.store.set_preference("channel", PRIVATE, "gallery", value)
    job = await painter.paint(channel=PRIVATE)
    assert shown(await text(client, "/")) == []
    await text(client, f"/p/{job.id}", 404)


async def test_consent_of_a_person_or_a_server_with_the_same_number_is_none(
    client: Client, painter: Painter
) -> None:
    await painter.store.set_preference("user", PRIVATE, "gallery", True)
    await painter.store.set_preference("guild", PRIVATE, "gallery", True)
    await painter.paint(channel=PRIVATE)
    assert shown(await text(client, "/")) == []


async def test_who_keeps_their_pictures_private_is_not_on_the_page(
    painter: Painter,
) -> None:
    await painter.open_channel()
    mine, theirs = await painter.paint("a fish"), await painter.paint("a fish", user=BOB)
    store = painter.store
    await store.set_preference("user", mine.user_id, "private", True)
    assert [job.id for job in await store.gallery_page(before=None, limit=9)] == [theirs.id]
    found = await store.gallery_search("fish", before=None, limit=9)
    assert [job.id for job in found] == [theirs.id]
    assert await store.gallery_picture(mine.id) is None
    await store.set_preference("user", mine.user_id, "private", False)
    assert await store.gallery_picture(mine.id) is not None


@pytest.mark.parametrize("rest", ADDRESSES)
async def test_a_private_number_is_answered_exactly_like_an_unknown_one(
    client: Client, painter: Painter, rest: str
) -> None:
    private = await painter.paint("a secret fish", channel=PRIVATE)
    waiting = await add(painter.store, BOB)
    answers = []
    for number in (private.id, waiting.id, 999_999):
        async with client.get(f"/p/{number}{rest}") as answer:
            headers = {name: value for name, value in answer.headers.items() if name != "Date"}
            answers.append((answer.status, headers, await answer.read()))
    assert answers[0][0] == 404
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("rest", ADDRESSES)
async def test_a_deleted_picture_is_gone_at_once(
    client: Client, painter: Painter, rest: str
) -> None:
    job = await painter.paint("an unwanted fish")
    async with client.get(f"/p/{job.id}{rest}") as answer:
        assert answer.status == 200
    # Its files, and the copies that were made of them, may still be there.
    await painter.change("UPDATE jobs SET deleted_at = 1 WHERE id = ?", job.id)
    async with client.get(f"/p/{job.id}{rest}") as answer:
        assert answer.status == 404
    for page in ("/", "/?q=unwanted"):
        assert shown(await text(client, page)) == []


async def test_a_picture_that_was_removed_to_save_space_says_so_at_its_own_address(
    client: Client, painter: Painter
) -> None:
    parent = await painter.paint("an old fish")
    child = await painter.paint("a young fish", parent=parent.id, relation="remix")
    await painter.change("UPDATE jobs SET kept = 'nothing' WHERE id = ?", parent.id)
    await Pictures(painter.data).remove(parent.id)
    page = await text(client, f"/p/{parent.id}")
    assert "This picture was removed to save space. The command draws it anew." in page
    assert "/pixel prompt:an old fish" in page
    assert "Download" not in page
    assert f"/p/{parent.id}/" not in page
    # Nothing is to be looked at on the wall.
    for address in ("/", "/?q=fish"):
        assert shown(await text(client, address)) == [child.id]
    page = await text(client, f"/p/{child.id}")
    assert "Removed" in page
    assert f"/p/{parent.id}/" not in page
    await painter.change("UPDATE jobs SET kept = 'nothing' WHERE id = ?", child.id)
    assert shown(await text(client, f"/p/{parent.id}")) == []


async def test_without_its_frames_a_picture_offers_no_time_lapse(
    client: Client, painter: Painter
) -> None:
    job = await painter.paint("a fish")
    assert f"/p/{job.id}/time-lapse.webp" in await text(client, "/")
    await painter.change("UPDATE jobs SET kept = 'picture' WHERE id = ?", job.id)
    await Pictures(painter.data).remove_frames(job.id)
    for address in ("/", f"/p/{job.id}"):
        assert "time-lapse" not in await text(client, address)
    async with client.get(f"/p/{job.id}/picture.png") as answer:
        assert answer.status == 200


async def test_a_forgotten_row_is_gone_at_once(client: Client, painter: Painter) -> None:
    job = await painter.paint("an unwanted fish")
    await painter.change("DELETE FROM jobs WHERE id = ?", job.id)
    await text(client, f"/p/{job.id}", 404)
    assert shown(await text(client, "/?q=unwanted")) == []


@pytest.mark.parametrize(
    "path",
    [
        "/p/../../pixel.db",
        "/p/1/../../../pixel.db",
        "/p/1/%2e%2e/%2e%2e/pixel.db",
        "/p/1/..%2f..%2fpixel.db",
        "/p/1/picture.png/../native.png",
        "/p/1/native.png",
        "/p/1/frames/000001.png",
        "/pictures/0/1/final.png",
        "/pixel.db",
        "/p/0/picture.png",
        "/p/-1",
        "/p/01",
        "/p/1e0",
        "/p/١",
        "/p/9999999999999999999999",
        "/static/x/gallery.css",
        "/static/../pages.py",
        "/static/x/..%2fpages.py",
    ],
)
async def test_no_other_path_leads_to_a_file(client: Client, painter: Painter, path: str) -> None:
    await painter.paint()
    reader, writer = await asyncio.open_connection(client.host, client.port)
    # Sent as it is: a client would tidy it up first.
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    status = int(answer.split()[1])
    assert status in (400, 404)
    assert b"SQLite format" not in answer
    assert b"PNG" not in answer


async def test_a_row_that_points_out_of_the_pictures_is_not_followed(
    client: Client, painter: Painter
) -> None:
    job = await painter.paint()
    await painter.change("UPDATE jobs SET picture = 'pictures/../pixel.db' WHERE id = ?", job.id)
    await text(client, f"/p/{job.id}/picture.png", 404)


async def test_a_spoiler_is_covered(client: Client, painter: Painter) -> None:
    job = await painter.paint("a spider", spoiler=True)
    wall = await text(client, "/")
    assert shown(wall) == [job.id]
    assert "Spoiler" in wall
    # Not even for a moment: the wall has no picture of it, and no time-lapse.
    assert f"/p/{job.id}/" not in wall
    page = await text(client, f"/p/{job.id}")
    covered = re.search(r"<details.*?</details>", page, re.DOTALL)
    assert covered is not None
    assert "<summary>" in covered[0]
    assert 'alt="a spider"' in covered[0]
    assert "<img" not in page.replace(covered[0], "")


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }} {% raw %}",
    "</title><script>alert(1)</script>",
    "javascript:alert(1)",
    "&lt;script&gt;",
    "a\u202egnp.elppa\u202c \u2066b\u2069",
    "x" * 1000,
    "سمكة زرقاء",
]


DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Elements(HTMLParser):
    """What a browser makes of a page: its elements' names and attributes, in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def shape(self) -> list[tuple[str, frozenset[str]]]:
        """Names of elements and attributes, without what is in them."""
        return [(tag, frozenset(attributes)) for tag, attributes in self.found]


@pytest.mark.parametrize("prompt", HOSTILE, ids=range(len(HOSTILE)))
async def test_prompts_are_text_and_nothing_else(
    client: Client, painter: Painter, prompt: str
) -> None:
    # The page of a harmless prompt, and then the same page with this one in its place.
    job = await painter.paint("fish")
    paths = ["/", f"/p/{job.id}", "/?q=fish"]
    harmless = [Elements(await text(client, path)).shape() for path in paths]
    await painter.change(
        "UPDATE jobs SET asked = json_set(asked, '$.prompts', ?) WHERE id = ?", prompt, job.id
    )
    for path, shape in zip(paths, harmless, strict=True):
        page = await text(client, path)
        elements = Elements(page)
        assert elements.shape() == shape
        alts = [attributes["alt"] for tag, attributes in elements.found if tag == "img"]
        assert alts == [DIRECTIONS.sub("", prompt)]
        assert not DIRECTIONS.search(page)


async def test_the_words_of_a_search_are_text_as_well(client: Client) -> None:
    page = await text(client, "/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)" in page


async def test_nobody_is_named(client: Client, painter: Painter) -> None:
    user, guild, channel = 111_222_333, 444_555_666, 777_888_999
    await painter.open_channel(channel)
    job = await painter.paint(user=user, guild=guild, channel=channel)
    for path in ("/", f"/p/{job.id}"):
        page = await text(client, path)
        assert not any(str(number) in page for number in (user, guild, channel))


@pytest.mark.parametrize(
    "path", ["/", "/p/1", "/p/1/picture.png", "/p/999", "/nowhere", "/?before=x", "/static/1/x"]
)
async def test_every_answer_is_guarded(client: Client, painter: Painter, path: str) -> None:
    await painter.paint()
    async with client.get(path) as answer:
        policy = dict(
            part.strip().split(" ", 1)
            for part in answer.headers["Content-Security-Policy"].split(";")
        )
        assert policy == {
            "default-src": "'none'",
            "img-src": "'self'",
            "style-src": "'self'",
            "script-src": "'self'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "aiohttp" not in answer.headers["Server"]


async def test_a_page_holds_no_script_and_no_style_of_its_own(
    client: Client, painter: Painter
) -> None:
    job = await painter.paint()
    for path in ("/", f"/p/{job.id}", "/p/999"):
        async with client.get(path) as answer:
            page = await answer.text()
        assert " style=" not in page
        assert "<style" not in page
        assert re.findall(r"<script[^>]*>(.*?)</script>", page) == [""]
        assert '<html lang="en">' in page
        for landmark in ("<header>", '<form role="search"', '<main id="main"', "<footer>"):
            assert landmark in page


async def test_it_can_be_looked_at_and_nothing_else(client: Client) -> None:
    async with client.post("/") as answer:
        assert answer.status == 405
    async with client.head("/") as answer:
        assert answer.status == 200


async def test_a_page_is_sent_again_only_when_it_has_changed(
    client: Client, painter: Painter
) -> None:
    await painter.paint()
    async with client.get("/") as answer:
        tag = answer.headers["ETag"]
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Content-Encoding"] in ("gzip", "deflate")
    async with client.get("/", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
        assert await answer.read() == b""
    await painter.paint()
    async with client.get("/", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("name", ["picture.png", "thumbnail.png", "time-lapse.webp"])
async def test_pictures_are_kept_by_the_visitor_and_by_nobody_between(
    client: Client, painter: Painter, name: str
) -> None:
    job = await painter.paint()
    await client.get(f"/p/{job.id}/{name}")
    async with client.get(f"/p/{job.id}/{name}") as answer:
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert answer.content_type == f"image/{name.rpartition('.')[2]}"
        tag = answer.headers["ETag"]
    async with client.get(f"/p/{job.id}/{name}", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


async def test_style_and_script_never_grow_stale(client: Client) -> None:
    page = await text(client, "/")
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        async with client.get(address) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["Content-Encoding"] in ("gzip", "deflate")
        old = re.sub(r"/static/[^/]+/", "/static/000000000000/", address)
        await text(client, old, 404)


async def test_older_pictures_are_a_link_away_and_none_is_left_out(
    client: Client, painter: Painter
) -> None:
    await painter.paint()
    await painter.copies(2 * PAGE_SIZE)
    seen: list[int] = []
    path: str | None = "/"
    while path is not None:
        page = await text(client, path)
        seen += shown(page)
        link = re.search(r'rel="next" href="([^"]+)"', page)
        path = html.unescape(link[1]) if link is not None else None
    assert seen == list(range(2 * PAGE_SIZE + 1, 0, -1))
    assert shown(await text(client, "/?before=1")) == []


async def test_pages_hold_the_newest_of_all_open_channels(client: Client, painter: Painter) -> None:
    await painter.open_channel(PRIVATE)
    channels = [PUBLIC, PRIVATE, 40, PUBLIC, 40, PRIVATE]
    jobs = [await painter.paint(channel=channel) for channel in channels]
    expected = [job.id for job in reversed(jobs) if job.channel_id != 40]
    assert shown(await text(client, "/")) == expected
    assert shown(await text(client, f"/?before={expected[1]}")) == expected[2:]


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "1 OR 1=1", "99999999999999999999"])
async def test_an_odd_page_number_is_refused(client: Client, before: str) -> None:
    async with client.get("/", params={"before": before}) as answer:
        assert answer.status == 400
        assert "That address is not right." in await answer.text()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("apple", {"a red apple", "an apple tree"}),
        ("app", {"a red apple", "an apple tree"}),
        ("APPLE red", {"a red apple"}),
        ("apple -red", {"a red apple"}),
        ("cafe", {"a café at night"}),
        ("pple", set()),
        ("apple OR fish", set()),
        ("NOT apple", set()),
        ('"apple', {"a red apple", "an apple tree"}),
        ('app"le', set()),
        ("apple*", {"a red apple", "an apple tree"}),
        ("prompt:apple", set()),
        ("(apple)", {"a red apple", "an apple tree"}),
        ("apple NEAR(red", set()),
        ("^a", {"a red apple", "an apple tree", "a café at night", "a fish"}),
        ("!!!", set()),
        ('"', set()),
        ("\0", set()),
        ("x" * 3000, set()),
        ("a " * 2000, {"a red apple", "an apple tree", "a café at night", "a fish"}),
    ],
)
async def test_words_are_searched_and_never_obeyed(
    client: Client, painter: Painter, words: str, found: set[str]
) -> None:
    names = {}
    for prompt in ("a red apple", "an apple tree", "a café at night", "a fish"):
        names[(await painter.paint(prompt, frames=0)).id] = prompt
    await painter.paint("a red apple in a private place", channel=PRIVATE)
    async with client.get("/", params={"q": words}) as answer:
        assert answer.status == 200
        page = await answer.text()
    assert {names[number] for number in shown(page)} == found
    assert ("No prompt has these words." in page) == (not found)


async def test_a_search_goes_on_with_the_same_words(client: Client, painter: Painter) -> None:
    await painter.paint("a fish & a “boat”")
    await painter.copies(PAGE_SIZE)
    page = await text(client, "/?q=fish+%26+boat")
    link = re.search(r'rel="next" href="([^"]+)"', page)
    assert link is not None
    assert len(shown(page)) == PAGE_SIZE
    assert shown(await text(client, html.unescape(link[1]))) == [1]


async def test_a_picture_s_page_says_how_it_was_drawn_and_how_to_draw_it_again(
    client: Client, painter: Painter
) -> None:
    job = await painter.paint("a red apple", palette="pico8", quality="draft")
    page = await text(client, f"/p/{job.id}")
    for words in ('<th scope="row">Seed</th><td><bdi>7</bdi>', "16 × 16 cells", "pico8", "draft"):
        assert words in page
    assert "<span>/pixel prompt:a red apple</span> <span>--seed 7</span> " in page


async def test_a_picture_it_started_from_is_neither_shown_nor_named(
    client: Client, painter: Painter
) -> None:
    job = await painter.paint(init_image="5" * 64)
    page = await text(client, f"/p/{job.id}")
    assert "5" * 64 not in page
    assert "with the help of a picture" in page


async def test_lineage_leads_to_visible_pictures_only(client: Client, painter: Painter) -> None:
    parent = await painter.paint("a red apple")
    child = await painter.paint("a green apple", parent=parent.id, relation="remix")
    secret = await painter.paint("a secret", channel=PRIVATE, parent=parent.id, relation="reroll")
    public = await painter.paint("a child of it", parent=secret.id, relation="reroll")
    page = await text(client, f"/p/{parent.id}")
    assert shown(page) == [child.id]
    assert "Made from it" in page
    page = await text(client, f"/p/{child.id}")
    assert shown(page) == [parent.id]
    assert "A remix of" in page
    page = await text(client, f"/p/{public.id}")
    assert shown(page) == []
    assert "Rerolled from" not in page
    assert f"/p/{secret.id}" not in page


async def test_pixel_art_is_sent_with_one_pixel_a_cell_and_shown_by_whole_factors(
    client: Client, painter: Painter
) -> None:
    job = await painter.paint(pixel_size="50 20", aspect="widescreen")
    wall = await text(client, "/")
    assert re.search(r'width="300" height="120"[^>]*class="pixels"', wall)
    assert re.search(r'width="950" height="380" class="pixels"', await text(client, f"/p/{job.id}"))
    async with client.get(f"/p/{job.id}/thumbnail.png") as answer:
        assert Image.open(io.BytesIO(await answer.read())).size == (50, 20)


async def test_other_pictures_get_a_smaller_copy_once(client: Client, painter: Painter) -> None:
    job = await painter.paint(
        drawer="clipdraw", aspect="widescreen", pixel_size=None, size="1600 400"
    )
    wall = await text(client, "/")
    assert 'width="320" height="80"' in wall
    assert 'class="pixels"' not in wall
    copies = [painter.data / f"pictures/0/{job.id}/thumbnail.png"]
    assert not copies[0].exists()
    async with client.get(f"/p/{job.id}/thumbnail.png") as answer:
        first = await answer.read()
    assert Image.open(io.BytesIO(first)).size == (640, 160)
    assert copies[0].read_bytes() == first
    written = copies[0].stat().st_mtime_ns
    async with client.get(f"/p/{job.id}/thumbnail.png") as answer:
        assert await answer.read() == first
    assert copies[0].stat().st_mtime_ns == written


async def test_a_time_lapse_ends_with_the_picture(client: Client, painter: Painter) -> None:
    job = await painter.paint(frames=3)
    assert f'data-time-lapse="/p/{job.id}/time-lapse.webp"' in await text(client, "/")
    async with client.get(f"/p/{job.id}/time-lapse.webp") as answer:
        film = Image.open(io.BytesIO(await answer.read()))
    assert film.format == "WEBP"
    assert (film.n_frames, film.size) == (4, (16, 16))
    colours = []
    for number in range(4):
        film.seek(number)
        colours.append(film.convert("RGB").getpixel((0, 0)))
    assert colours == [(0, 0, 99), (40, 0, 99), (80, 0, 99), (200, 40, 30)]


async def test_without_frames_there_is_no_time_lapse(client: Client, painter: Painter) -> None:
    job = await painter.paint(frames=0)
    await text(client, f"/p/{job.id}/time-lapse.webp", 404)
    assert "time-lapse" not in (await text(client, f"/p/{job.id}"))


async def test_many_visitors_of_one_time_lapse_make_it_once(
    client: Client, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await painter.paint()
    started = 0
    start = asyncio.create_subprocess_exec

    async def count(*arguments: str, **options: object) -> asyncio.subprocess.Process:
        nonlocal started
        started += 1
        return await start(*arguments, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", count)
    await asyncio.gather(*(content(client, f"/p/{job.id}/time-lapse.webp") for _ in range(9)))
    assert started == 1


async def test_too_many_at_once_are_asked_to_come_again(
    client: Client, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.gallery.copies._MOST_WAITING", 0)
    job = await painter.paint()
    async with client.get(f"/p/{job.id}/time-lapse.webp") as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"


async def test_a_damaged_picture_is_none_and_takes_nothing_with_it(
    client: Client, painter: Painter
) -> None:
    job = await painter.paint()
    (painter.data / f"pictures/0/{job.id}/frames/000001.png").write_bytes(b"\x89PNG nonsense")
    await text(client, f"/p/{job.id}/time-lapse.webp", 404)
    assert not (painter.data / f"pictures/0/{job.id}/time-lapse.webp").exists()
    await text(client, "/")


async def test_a_worker_that_hangs_is_killed(
    client: Client, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workshop.client._WALL_SECONDS", 0.0)
    job = await painter.paint()
    await text(client, f"/p/{job.id}/time-lapse.webp", 404)
    monkeypatch.undo()
    await content(client, f"/p/{job.id}/time-lapse.webp")


async def test_a_picture_deleted_while_its_copy_is_made_leaves_none_behind(
    client: Client, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await painter.paint()

    async def make(*_: object) -> bytes:
        await painter.change("UPDATE jobs SET deleted_at = 1 WHERE id = ?", job.id)
        return b"copy"

    monkeypatch.setattr("bot.gallery.copies.Copies.make", make)
    await text(client, f"/p/{job.id}/time-lapse.webp", 404)
    assert not (painter.data / f"pictures/0/{job.id}/time-lapse.webp").exists()


async def test_below_another_path_every_link_leads_below_it(painter: Painter, clock: Clock) -> None:
    job = await painter.paint()
    await painter.copies(PAGE_SIZE)
    outer = web.Application()
    async with Gallery.open_read_only(database_path(painter.data), clock) as gallery:
        outer.add_subapp("/gallery", gallery_app(gallery, Pictures(painter.data)))
        async with TestClient(TestServer(outer)) as client:
            for path in ("/gallery/", f"/gallery/p/{job.id}", "/gallery/p/999", "/gallery/x"):
                async with client.get(path) as answer:
                    page = await answer.text()
                    assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
                links = re.findall(r'(?:href|src|action|data-time-lapse)="([^"]+)"', page)
                assert len(links) > 4
                assert all(link.startswith(("/gallery/", "#")) for link in links)


async def test_what_shows_it_cannot_write(painter: Painter, clock: Clock) -> None:
    async with Gallery.open_read_only(database_path(painter.data), clock) as gallery:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await gallery._change("DELETE FROM jobs", ())


async def test_the_queries_use_their_indexes(painter: Painter, store: Store) -> None:
    await painter.paint()
    await painter.copies(500)
    statements: list[str] = []
    await store._reader.set_trace_callback(statements.append)
    await store.gallery_page(before=None, limit=10)
    await store.gallery_search("apple", before=400, limit=10)
    await store.gallery_picture(5)
    await store.gallery_children(5, limit=10)
    with sqlite3.connect(database_path(painter.data)) as database:
        for statement in statements:
            if "gallery_" not in statement:
                continue
            plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
            for step in plan:
                assert not step.startswith("SCAN") or "VIRTUAL TABLE" in step, (statement, plan)
    database.close()
