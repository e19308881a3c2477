"""From packages to named pictures: tiny packages, real rendering."""

import io
import json
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from engine.training import data, names, sources, teacher
from engine.training.data import Concept, Pictures, Record
from engine.training.nearest import nearest, nearest_training, thumbnails
from engine.training.render import read_raster, render, render_visible

APPLE = '<circle cx="8" cy="9" r="6" fill="#d22"/><path d="M8 1h2v4h-2z" fill="#2a2"/>'
MOON = '<path d="M10 1a7 7 0 1 0 0 14a9 9 0 0 1 0-14z" fill="#fd3"/>'
HOUSE = '<path d="M1 8l7-7 7 7v7h-14z" fill="#b63"/>'
KEY = '<path d="M1 6h9v4h-9z" fill="currentColor"/><circle cx="12" cy="8" r="3.5"/>'
BODIES = {"red-apple": APPLE, "moon": MOON, "house": HOUSE, "key": KEY}


def write_package(root, package: str, files: dict[str, object]) -> None:
    stem = package.removeprefix("@").replace("/", "-")
    path = root / "downloads" / f"{stem}-1.0.0.tgz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, document in files.items():
            content = json.dumps(document).encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_icons(root, icon_set: sources.IconSet, bodies: dict[str, str], **categories) -> None:
    icons = {slug: {"body": body} for slug, body in bodies.items()}
    files = {
        "icons.json": {"width": 16, "height": 16, "icons": icons},
        "metadata.json": {"categories": categories},
    }
    write_package(root, icon_set.package, files)


def write_wordnet(root) -> None:
    """Two nouns: a hammer is a thing, and a share is a possession first and a blade second."""
    folder = root / "wordnet/usr/share/wordnet"
    folder.mkdir(parents=True)
    (folder / "data.noun").write_text(
        "  1 a licence\n"
        "00000100 06 n 01 hammer 0 000 | a tool\n"
        "00000200 21 n 01 share 0 000 | a part of what is owned\n"
        "00000300 06 n 02 share 0 plowshare 0 000 | a blade\n"
        "00000400 06 n 01 tool_box 0 000 | a box\n"
    )
    (folder / "index.noun").write_text(
        "  1 a licence\n"
        "hammer n 1 0 1 1 00000100\n"
        "share n 2 0 2 2 00000200 00000300\n"
        "tool_box n 1 0 1 1 00000400\n"
    )


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A root with one set of each use, fetched already."""
    plain = sources.IconSet("noto")
    tools = sources.IconSet("streamline-color", single_colour=True, slugs="interface")
    judges = sources.IconSet("emojione-v1", use="judge")
    unseen = sources.IconSet("openmoji", use="evaluate")
    monkeypatch.setattr(sources, "ICON_SETS", (plain, tools, judges, unseen))
    monkeypatch.setattr(sources, "fetch", lambda root: None)
    monkeypatch.setattr(sources, "write_licences", lambda root: None)
    write_icons(tmp_path, plain, BODIES)
    write_icons(
        tmp_path, tools, {"tool-hammer-2": HOUSE, "tool-share": MOON}, Tool=["tool-hammer-2"]
    )
    write_icons(tmp_path, judges, {"red-apple": APPLE, "moon": KEY.replace("currentColor", "#28c")})
    write_icons(tmp_path, unseen, {"moon": APPLE.replace("#d22", "#dd2")})
    write_package(tmp_path, "emojilib", {"dist/emoji-en-US.json": {"🍎": ["red_apple", "fruit"]}})
    write_wordnet(tmp_path)
    return tmp_path


def test_every_picture_has_one_use(packages):
    pictures = data.build(packages)
    training, judging = pictures.training_indices(), pictures.judge_indices()
    shown = {(pictures.records[i].source, pictures.records[i].slug) for i in training}
    assert shown == {("noto", slug) for slug in BODIES} | {("streamline-color", "tool-hammer-2")}
    assert {pictures.records[index].source for index in judging} == {"emojione-v1"}
    assert set(training).isdisjoint(judging)
    assert not set(pictures.indices_of("openmoji")) & {*training, *judging}


def test_the_judge_gets_no_picture_that_looks_like_one_of_another_use(packages):
    pictures = data.build(packages)
    slugs = [pictures.records[index].slug for index in pictures.judge_indices()]
    assert slugs == ["moon"]


def test_icons_for_interfaces_are_named_by_the_thing_they_show(packages):
    pictures = data.build(packages)
    (index,) = pictures.indices_of("streamline-color")
    record = pictures.records[index]
    assert pictures.concepts[record.concept].name == "hammer"
    assert record.single_colour


def test_the_choice_of_held_out_names_does_not_move_when_sets_are_added():
    four = {"noto", "twemoji", "emojione", "openmoji"}
    few = {"noto", "twemoji", "openmoji"}
    drawn = {f"name {number}": four if number % 3 else few for number in range(300)}
    more = {name: {*by, "mdi", "tabler", "mingcute", "openclipart"} for name, by in drawn.items()}
    chosen = data.choose_held_out(drawn)
    assert len(chosen) == data.HELD_OUT
    assert data.choose_held_out(more) == chosen


@pytest.mark.parametrize(
    ("slug", "category", "name"),
    [
        ("interface-essential-tool-box-2", "InterfaceEssential", "toolbox"),
        ("hammer-side", "Tools", "hammer"),
        ("hammer-off", "Tools", None),
        ("business-hammer", "", None),
    ],
)
def test_a_slug_of_an_interface_gives_a_thing_or_is_left_out(slug, category, name):
    allowed = {"toolbox": "toolbox", "hammer": "hammer"}
    assert names.thing_of(slug, category, allowed) == name


def test_things_are_nouns_that_can_be_touched_in_their_first_sense(tmp_path):
    write_wordnet(tmp_path)
    assert names.things(tmp_path / "wordnet") == {"hammer", "tool box"}
    assert names.nouns(tmp_path / "wordnet") == {"hammer", "share", "tool box"}


def test_only_the_chosen_weight_of_a_set_is_read(tmp_path):
    icon_set = sources.IconSet("ph", ending="-fill")
    write_icons(tmp_path, icon_set, {"moon": MOON, "moon-fill": MOON, "key-fill": KEY})
    assert [icon.slug for icon in sources.read_icons(tmp_path, icon_set)] == ["moon", "key"]


def test_a_stamp_is_named_by_what_its_description_says_first(tmp_path):
    (tmp_path / "a.txt").write_text("A spotted owl. It hunts a mouse.\nde.utf8=Eine Eule.\n")
    (tmp_path / "b.txt").write_text("The sound of an owl at night.\n")
    assert names.stamp_name(tmp_path / "a.png", {"owl", "mouse"}) == "owl"
    assert names.stamp_name(tmp_path / "b.png", {"owl"}) is None
    assert names.stamp_name(tmp_path / "c.png", {"owl"}) is None


def test_a_stamp_in_both_formats_counts_once(tmp_path):
    folder = tmp_path / "usr/share/tuxpaint/stamps/animals/birds"
    folder.mkdir(parents=True)
    for name in ("owl.png", "owl.svg", "hen.png", "hen.txt"):
        (folder / name).touch()
    assert [file.name for file in names.stamp_files(tmp_path)] == ["hen.png", "owl.svg"]


@pytest.mark.parametrize(
    "opening",
    [
        "<svg xmlns='http://www.w3.org/2000/svg'>",
        '<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50" viewBox="0 0 50 50">',
    ],
)
def test_what_has_no_page_or_lies_outside_of_it_is_drawn_to_fill_the_picture(opening):
    svg = f'{opening}<rect x="700" y="-300" width="60" height="30" fill="#06c"/></svg>'
    assert render(svg) is None
    picture = render_visible(svg)
    visible = picture[..., 3] > 127
    assert np.ptp(np.flatnonzero(visible.any(axis=0))) >= 69
    assert 34 <= visible.any(axis=1).sum() <= 38
    assert picture[36, 36].tolist() == [0, 102, 204, 255]


def test_nothing_to_be_seen_is_no_picture():
    assert render_visible('<svg xmlns="http://www.w3.org/2000/svg"/>') is None
    assert render_visible("no drawing at all") is None
    assert read_raster(b"no picture at all") is None


def test_a_raster_file_is_cut_to_what_is_visible_and_centred():
    picture = Image.new("RGBA", (200, 300))
    picture.paste((10, 200, 30, 255), (20, 30, 60, 50))
    file = io.BytesIO()
    picture.save(file, "WEBP", lossless=True)
    visible = read_raster(file.getvalue())[..., 3] > 127
    assert np.flatnonzero(visible.any(axis=0))[[0, -1]].tolist() == [0, 71]
    assert np.flatnonzero(visible.any(axis=1))[[0, -1]].tolist() == [18, 53]


def test_a_copy_is_found_wherever_it_lies_and_however_large_it_is():
    drawn = [render(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{body}</svg>')
             for body in (APPLE, MOON, HOUSE)]  # fmt: skip
    moved = np.zeros((40, 40, 4), np.uint8)
    moved[3:35, 6:38] = np.asarray(Image.fromarray(drawn[1]).resize((32, 32)))
    distances, found = nearest(thumbnails([moved]), thumbnails(drawn))
    assert found.tolist() == [1]
    assert distances[0] < data.BORROWED
    between, _ = nearest(thumbnails(drawn[:1]), thumbnails(drawn[1:]))
    assert between[0] > 2 * data.BORROWED


def test_the_nearest_training_picture_is_said_by_set_and_name():
    drawn = [np.zeros((72, 72, 4), np.uint8) for _ in range(3)]
    for number, pixels in enumerate(drawn):
        pixels[10:60, 10 : 30 + 15 * number] = 255
        pixels[10 + 10 * number : 30 + 10 * number, 10:25] = (200, 0, 0, 255)
    concepts = (Concept("apple", (), False), Concept("pear", (), False))
    records = (
        Record("noto", "apple", 0, False),
        Record("twemoji", "pear", 1, False),
        Record("openmoji", "pear", 1, False),
    )
    pictures = Pictures(np.stack(drawn), records, concepts)
    copy, unseen = nearest_training([drawn[1], drawn[2]], pictures)
    assert (copy.distance, copy.source, copy.name) == (0, "twemoji", "pear")
    assert unseen.source != "openmoji"
    assert unseen.distance > 0


def test_the_teacher_is_asked_only_for_texts_that_no_cache_holds(tmp_path, monkeypatch):
    asked = []

    def embed(texts, task):
        asked.append(list(texts))
        return torch.tensor([[float(len(text))] * teacher.WIDTH for text in texts])

    monkeypatch.setattr(teacher, "embed", embed)
    teacher.cached(["owl", "a castle"], tmp_path / "captions.npy", "captions")
    vectors = teacher.cached(["moon", "a castle", "owl"], tmp_path / "names.npy", "names")
    assert asked == [["owl", "a castle"], ["moon"]]
    assert vectors[:, 0].tolist() == [4, 8, 3]
    again = teacher.cached(["moon", "a castle", "owl"], tmp_path / "names.npy", "names")
    assert torch.equal(again, vectors)
    assert len(asked) == 2
