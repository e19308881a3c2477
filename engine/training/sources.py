"""Where the pictures and words come from: icon sets on npm, clip art and WordNet from Debian.

Nothing is fetched but by the ordinary clients (`npm pack`, `apt-get download`), into
`<root>/downloads`; a file that is already there is used as it is.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FIRST_PATH = re.compile(r"<path[^>]*/>")

Use = Literal["train", "judge", "evaluate"]
"""What a source's pictures may be used for, which is one thing only."""

Slugs = Literal["plain", "joined", "interface"]
"""How a set spells what it draws: `love-letter`; `loveletter`; or, among icons that stand for what
a program does, `mail-love-letter-2`."""


@dataclass(frozen=True)
class IconSet:
    """A set of icons in Iconify's JSON form, in the npm package `@iconify-json/<prefix>`.

    Attributes:
        prefix: what Iconify calls the set.
        single_colour: drawn in `currentColor`, or in shades of one colour that says nothing of the
            thing, so that each picture takes a random colour.
        on_disc: each thing lies on a coloured disc, the first path, which is taken away.
        slugs: how the set spells what it draws.
        ending: only slugs with this ending count, without it: one of several weights.
        use: what the pictures may be used for.

    """

    prefix: str
    single_colour: bool = False
    on_disc: bool = False
    slugs: Slugs = "plain"
    ending: str = ""
    use: Use = "train"

    @property
    def package(self) -> str:
        """The npm package that holds the set."""
        return f"@iconify-json/{self.prefix}"


ICON_SETS = (
    IconSet("noto"),
    IconSet("noto-v1"),
    IconSet("twemoji"),
    IconSet("emojione"),
    IconSet("fluent-emoji"),
    IconSet("fluent-emoji-flat"),
    IconSet("fxemoji", slugs="joined"),
    IconSet("streamline-emojis"),
    IconSet("streamline-kameleon-color", on_disc=True),
    IconSet("flat-color-icons"),
    IconSet("flat-ui"),
    IconSet("meteocons"),
    IconSet("game-icons", single_colour=True),
    # Never trained on: the style on which retrieval is measured.
    IconSet("openmoji", use="evaluate"),
    # Made for programs, but with things among their icons.
    IconSet("streamline-color", single_colour=True, slugs="interface"),
    IconSet("streamline-plump-color", single_colour=True, slugs="interface"),
    IconSet("streamline-flex-color", single_colour=True, slugs="interface"),
    IconSet("streamline-sharp-color", single_colour=True, slugs="interface"),
    IconSet("streamline-cyber-color", single_colour=True, slugs="interface"),
    IconSet("streamline-stickies-color", single_colour=True, slugs="interface"),
    IconSet("streamline-ultimate-color", slugs="interface"),
    IconSet("streamline-pixel", single_colour=True, slugs="interface"),
    IconSet("mingcute", single_colour=True, slugs="interface", ending="-fill"),
    # What the judge alone learns from. Microsoft's emoji in 3D (`@lobehub/fluent-emoji-3d`) are
    # not here: they are the drawings of fluent-emoji.
    IconSet("emojione-v1", use="judge"),
    IconSet("emojione-monotone", single_colour=True, use="judge"),
    IconSet("fluent-emoji-high-contrast", single_colour=True, use="judge"),
    IconSet("icon-park", single_colour=True, slugs="interface", use="judge"),
    IconSet("fa6-solid", single_colour=True, slugs="interface", use="judge"),
    IconSet("lucide-lab", single_colour=True, slugs="interface", use="judge"),
    IconSet("mdi", single_colour=True, slugs="interface", use="judge"),
    IconSet("ph", single_colour=True, slugs="interface", ending="-fill", use="judge"),
    IconSet("tabler", single_colour=True, slugs="interface", use="judge"),
)

CLIP_ART = "openclipart"
STAMPS = "tuxpaint"

USE_OF: dict[str, Use] = {icon_set.prefix: icon_set.use for icon_set in ICON_SETS} | {
    CLIP_ART: "train",
    STAMPS: "judge",
}
"""What the pictures of each source may be used for."""

KEYWORDS_PACKAGE = "emojilib"
DEBIAN_PACKAGES = {
    CLIP_ART: "openclipart-svg",
    STAMPS: "tuxpaint-stamps-default",
    "wordnet": "wordnet-base",
}


@dataclass(frozen=True)
class Licence:
    """What one source asks of those who use it, as its own package states it."""

    source: str
    package: str
    version: str
    author: str
    homepage: str
    licence: str
    use: str


@dataclass(frozen=True)
class Icon:
    """One drawing of an icon set: a slug such as `red-apple`, and a complete SVG document."""

    slug: str
    category: str
    svg: str


def fetch(root: Path) -> None:
    """Download every source into `root/downloads`, and unpack the Debian ones into `root/<name>`.

    Raises:
        subprocess.CalledProcessError: npm or apt could not fetch a package.

    """
    downloads = root / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    npm = [icon_set.package for icon_set in ICON_SETS] + [KEYWORDS_PACKAGE]
    for package in npm:
        if not _archives(root, package):
            command = [_client("npm"), "pack", "--silent", package]
            subprocess.run(command, cwd=downloads, check=True)
    for name, package in DEBIAN_PACKAGES.items():
        if (root / name).is_dir():
            continue
        if not list(downloads.glob(f"{package}_*.deb")):
            subprocess.run([_client("apt-get"), "download", package], cwd=downloads, check=True)
        archive = next(downloads.glob(f"{package}_*.deb"))
        subprocess.run([_client("dpkg"), "-x", str(archive), str(root / name)], check=True)


def read_icons(root: Path, icon_set: IconSet) -> Iterator[Icon]:
    """Every icon of a fetched set, aliases left out, in the package's own order."""
    with tarfile.open(_archive(root, icon_set.package)) as archive:
        document = _json(archive, "package/icons.json")
        categories = _json(archive, "package/metadata.json").get("categories", {})
    category_of = {slug: name for name, slugs in categories.items() for slug in slugs}
    width, height = document.get("width", 16), document.get("height", 16)
    for slug, icon in document["icons"].items():
        if icon.get("hidden") or not slug.endswith(icon_set.ending):
            continue
        box = (
            icon.get("left", 0),
            icon.get("top", 0),
            icon.get("width", width),
            icon.get("height", height),
        )
        body = _FIRST_PATH.sub("", icon["body"], count=1) if icon_set.on_disc else icon["body"]
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" '
            'xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{box[0]} {box[1]} {box[2]} {box[3]}" '
            f'width="{box[2]}" height="{box[3]}">{body}</svg>'
        )
        yield Icon(slug.removesuffix(icon_set.ending), category_of.get(slug, ""), svg)


def read_keywords(root: Path) -> dict[str, list[str]]:
    """The words of emojilib for each emoji: its name first, then its keywords."""
    with tarfile.open(_archive(root, KEYWORDS_PACKAGE)) as archive:
        words: dict[str, list[str]] = _json(archive, "package/dist/emoji-en-US.json")
    return words


def licences(root: Path) -> list[Licence]:
    """The licence of every fetched source, read from its own package."""
    found = []
    for icon_set in ICON_SETS:
        with tarfile.open(_archive(root, icon_set.package)) as archive:
            information = _json(archive, "package/info.json")
            version = _json(archive, "package/package.json")["version"]
        found.append(
            Licence(
                information["name"],
                icon_set.package,
                version,
                information["author"]["name"],
                information["author"].get("url", ""),
                information["license"].get("spdx") or information["license"]["title"],
                icon_set.use,
            )
        )
    with tarfile.open(_archive(root, KEYWORDS_PACKAGE)) as archive:
        package_file = _json(archive, "package/package.json")
    found.append(
        Licence(
            "emojilib",
            KEYWORDS_PACKAGE,
            package_file["version"],
            "Mu-An Chiou",
            "https://github.com/muan/emojilib",
            package_file["license"],
            "train",
        )
    )
    found.append(
        Licence(
            "Open Clip Art Library",
            "openclipart-svg (Debian)",
            _debian_version(root, "openclipart-svg"),
            "the contributors of the Open Clip Art Library",
            "https://openclipart.org",
            "public domain dedication",
            USE_OF[CLIP_ART],
        )
    )
    found.append(
        Licence(
            "Tux Paint Stamps",
            "tuxpaint-stamps-default (Debian)",
            _debian_version(root, "tuxpaint-stamps-default"),
            "Bill Kendrick and the contributors of Tux Paint",
            "https://tuxpaint.org/stamps/",
            "GPL-2.0-or-later",
            USE_OF[STAMPS],
        )
    )
    found.append(
        Licence(
            "WordNet 3.0",
            "wordnet-base (Debian)",
            _debian_version(root, "wordnet-base"),
            "Princeton University",
            "https://wordnet.princeton.edu",
            "WordNet 3.0 license",
            "train (text tower)",
        )
    )
    return found


def write_licences(root: Path) -> None:
    """Record `licences(root)` in `root/licences.json`, from which the NOTICE is written."""
    document = json.dumps([asdict(licence) for licence in licences(root)], indent=2)
    (root / "licences.json").write_text(document + "\n", encoding="utf-8")


def _client(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        message = f"{name} is needed to fetch the training data and is not installed."
        raise FileNotFoundError(message)
    return found


def _archives(root: Path, package: str) -> list[Path]:
    stem = package.removeprefix("@").replace("/", "-")
    # A digit must follow: `noto` is not `noto-v1`.
    return sorted((root / "downloads").glob(f"{stem}-[0-9]*.tgz"))


def _archive(root: Path, package: str) -> Path:
    archives = _archives(root, package)
    if not archives:
        message = f"{package} has not been fetched into {root / 'downloads'}."
        raise FileNotFoundError(message)
    return archives[-1]


def _debian_version(root: Path, package: str) -> str:
    archive = next((root / "downloads").glob(f"{package}_*.deb"))
    return archive.name.split("_")[1].replace("%3a", ":")


def _json(archive: tarfile.TarFile, member: str) -> Any:  # noqa: ANN401 - a JSON document
    file = archive.extractfile(member)
    if file is None:
        message = f"{member} is missing from {archive.name!r}."
        raise FileNotFoundError(message)
    return json.load(file)
