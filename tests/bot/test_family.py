"""/family: the tree of a picture, who is on it, and how it is laid out."""

import io
from pathlib import Path

import pytest
import simcord
from PIL import Image

from bot.jobs import Job
from bot.sheets import MOST_KIN
from bot.store import Store
from bot.workshop.orders import Kin, Tile, Tree
from bot.workshop.tiles import ACCENT, GROUND, QUIET
from bot.workshop.trees import tree
from tests.bot.helpers import add
from tests.bot.places import Place, a_place, answer, listed, picture


async def family(
    place: Place, job: Job, who: simcord.MemberActor | None = None
) -> simcord.ResponseMessage:
    who = who or place.server.alice
    return await answer(await who.slash(place.server.channel, "family", id=job.id))


async def test_a_family_is_one_sheet_with_ancestors_above_and_children_below(
    tmp_path: Path,
) -> None:
    async with a_place(tmp_path) as place:
        grandmother = await place.paint("an apple")
        mother = await place.paint(parent=grandmother.id, relation="remix")
        await place.paint("her sister", parent=grandmother.id, relation="reroll")
        job = await place.paint("a red apple", parent=mother.id, relation="variation")
        child = await place.paint(parent=job.id, relation="start")
        grandchild = await place.paint(parent=child.id, relation="again")
        page = await family(place, job)
        assert page.embeds[0].title == f"The family of #{job.id}"
        assert "a red apple" in page.embeds[0].description
        expected = [grandmother.id, mother.id, job.id, child.id, grandchild.id]
        assert listed(page) == expected
        assert page.attachments[0].description == "#1, #2 remix, #4 variation, #5 start, #6 again"
        sheet = await picture(page)
        # Five generations of one, below each other.
        assert sheet.height > 4 * sheet.width
        assert (200, 40, 30) in {colour for _, colour in sheet.getcolors(10**6)}


async def test_a_picture_of_the_family_is_looked_at(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint("a red apple")
        await place.paint("a blue one", parent=job.id, relation="remix")
        page = await family(place, job)
        result = await place.server.alice.select(page, ["2"])
        (shown,) = [*result.followups, *([result.response] if result.response else [])]
        assert shown.ephemeral
        assert "a blue one" in shown.embeds[0].description
        assert shown.attachments


async def test_what_may_not_be_seen_is_left_out_or_a_blank_between_others(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        moderator = place.server.moderator
        hidden = {"by": moderator, "channel": place.secret}
        root = await place.paint(**hidden)
        job = await place.paint(parent=root.id, relation="remix")
        between = await place.paint(parent=job.id, relation="reroll", **hidden)
        below = await place.paint(parent=between.id, relation="reroll")
        await place.paint(parent=below.id, relation="reroll", **hidden)
        waiting = await add(
            place.server.bot.store,
            place.server.alice.id,
            parent_id=job.id,
            relation="reroll",
            channel_id=place.server.channel.id,
            guild_id=place.server.guild.id,
        )
        page = await family(place, job)
        assert listed(page) == [job.id, below.id]
        three = await picture(page)
        assert f"#{root.id}" not in page.attachments[0].description
        everything = await family(place, job, moderator)
        assert waiting.id not in listed(everything)
        assert listed(everything) == [1, 2, 3, 4, 5]
        # Three generations, one of them blank, and five.
        assert (await picture(everything)).height > three.height * 1.5


async def test_a_family_of_a_picture_that_may_not_be_seen_is_refused(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint(by=place.server.moderator, channel=place.secret)
        page = await family(place, job)
        assert page.content == f"There is no picture #{job.id} that I could show you here."


async def test_a_picture_may_stand_alone(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        page = await family(place, await place.paint())
        assert "It stands alone" in page.embeds[0].description


async def test_of_a_large_family_the_nearest_are_on_the_sheet(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint()
        children = [await place.paint(parent=job.id, relation="reroll") for _ in range(MOST_KIN)]
        await place.paint(parent=children[0].id, relation="reroll")
        page = await family(place, job)
        assert "The family is larger" in page.embeds[0].description
        assert page.attachments[0].description.count("#") == MOST_KIN
        assert len(listed(page)) == 25


async def test_ancestors_and_descendants_of_a_job(store: Store) -> None:
    first = await add(store)
    second = await add(store, parent_id=first.id, relation="reroll")
    third = await add(store, parent_id=second.id, relation="remix")
    fourth = await add(store, parent_id=second.id, relation="again")
    fifth = await add(store, parent_id=third.id, relation="start")
    await add(store)
    up = await store.ancestors(fifth.id)
    assert [(kin.job.id, kin.generation) for kin in up] == [
        (first.id, -3),
        (second.id, -2),
        (third.id, -1),
    ]
    down = await store.descendants(first.id)
    assert [(kin.job.id, kin.generation) for kin in down] == [
        (second.id, 1),
        (third.id, 2),
        (fourth.id, 2),
        (fifth.id, 3),
    ]
    assert await store.ancestors(first.id) == []
    assert await store.descendants(fifth.id) == []


async def test_families_are_followed_for_twelve_generations(store: Store) -> None:
    job = await add(store)
    for _ in range(20):
        job = await add(store, parent_id=job.id, relation="reroll")
    up, down = await store.ancestors(job.id), await store.descendants(1)
    assert [kin.generation for kin in up] == [*range(-12, 0)]
    assert [kin.job.id for kin in up] == [*range(9, 21)]
    assert [kin.job.id for kin in down] == [*range(2, 14)]


def blank(*children: Kin, framed: bool = False) -> Kin:
    return Kin(Tile(None, "#1"), framed, children)


@pytest.fixture
def leaf(tmp_path: Path) -> Kin:
    """A picture without children."""
    path = tmp_path / "picture.png"
    Image.new("RGB", (16, 12), (1, 200, 3)).save(path)
    return Kin(Tile(str(path), "#2", "reroll"))


def drawn(root: Kin) -> Image.Image:
    with Image.open(io.BytesIO(tree(Tree(root)))) as image:
        return image.convert("RGB")


def rows_of(image: Image.Image) -> list[int]:
    """How many pictures stand side by side in each row, from the top."""
    counts: list[int] = []
    inside = False
    for y in range(image.height):
        row = [image.getpixel((x, y)) == (1, 200, 3) for x in range(image.width)]
        count = sum(now and not before for before, now in zip([False, *row], row, strict=False))
        if count and not inside:
            counts.append(count)
        inside = bool(count)
    return counts


def test_few_children_stand_in_one_row_and_many_in_several(leaf: Kin) -> None:
    assert rows_of(drawn(blank(leaf, leaf, leaf))) == [3]
    many = drawn(blank(*[leaf] * 39))
    rows = rows_of(many)
    assert sum(rows) == 39
    assert len(rows) > 3
    assert max(rows) - min(rows) <= 3
    assert 0.5 < many.width / many.height < 2


def test_those_with_children_come_after_those_without(leaf: Kin) -> None:
    mother = Kin(leaf.tile, children=(leaf, leaf))
    assert rows_of(drawn(blank(mother, leaf, leaf))) == [3, 2]
    rows = rows_of(drawn(blank(mother, *[leaf] * 6)))
    assert rows[-1] == 2
    assert rows[-2] == 1
    assert sum(rows[:-2]) == 6


def test_the_one_that_was_asked_for_is_framed(leaf: Kin) -> None:
    framed = drawn(Kin(leaf.tile, framed=True))
    assert ACCENT in {colour for _, colour in framed.getcolors(10**6)}
    assert ACCENT not in {colour for _, colour in drawn(leaf).getcolors(10**6)}


def test_lines_lead_from_parents_to_children(leaf: Kin) -> None:
    image = drawn(blank(leaf, leaf))
    pixels = [
        [image.getpixel((x, y)) == QUIET for x in range(image.width)] for y in range(image.height)
    ]
    bus = max(range(image.height), key=lambda y: sum(pixels[y]))
    ends = [x for x, on in enumerate(pixels[bus]) if on]
    # From the middle of the one child to that of the other, without a gap.
    assert ends == [*range(ends[0], ends[-1] + 1)]
    assert image.width / 3 < len(ends) < 2 * image.width / 3
    assert ends[0] + ends[-1] == pytest.approx(image.width, abs=4)
    assert image.getpixel((2, 2)) == GROUND
