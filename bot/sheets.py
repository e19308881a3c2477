"""Jobs → sheets: contact sheets and families, each made once while people leaf to and fro."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.gallery.sizes import is_pixel_art
from bot.jobs import Job, State
from bot.logs import about_job
from bot.pictures import Pictures
from bot.store import Relative
from bot.workshop.client import Workshop
from bot.workshop.orders import Kin, Order, Sheet, Tile, Tree

# Sheets that are kept in memory, of a few hundred KiB each.
_KEPT = 32
# As many pictures as a family's sheet has room for.
MOST_KIN = 40

_HIDDEN = Tile(None, "", instead="not shown")


@dataclass(frozen=True)
class Family:
    """Those of a family who are on its sheet.

    Attributes:
        jobs: the pictures that can be seen, eldest first.
        more: whether others had no room.
        png: the sheet, or None when it could not be made.

    """

    jobs: Sequence[Job]
    more: bool
    png: bytes | None


class Sheets:
    """What lays them out, and has the workshop draw them."""

    def __init__(self, workshop: Workshop, pictures: Pictures) -> None:
        self._workshop = workshop
        self._pictures = pictures
        self._kept: OrderedDict[Order, bytes] = OrderedDict()

    async def contact_sheet(self, jobs: Sequence[Job]) -> bytes | None:
        """Finished pictures in rows, or None when the sheet cannot be made."""
        return await self._make(Sheet(tuple([await self._tile(job) for job in jobs])), jobs[0])

    async def family(
        self,
        job: Job,
        ancestors: Sequence[Relative],
        descendants: Sequence[Relative],
        visible: Callable[[Job], bool],
    ) -> Family:
        """A picture, framed, between what it was made from and what was made from it.

        Args:
            job: a finished picture that can be seen.
            ancestors: the oldest first.
            descendants: nearest generation first.
            visible: whether somebody may see another one. In the place of those that cannot be
                seen is a blank if they join others, and else nothing.

        """

        def is_shown(other: Job) -> bool:
            return other.state is State.DONE and other.deleted_at is None and visible(other)

        line = [relative.job for relative in ancestors]
        while line and not is_shown(line[0]):
            del line[0]
        line.append(job)
        members = {member.id: member for member in line}
        below = {relative.job.id: relative.job for relative in descendants}
        more = False
        for descendant in below.values():
            if not is_shown(descendant):
                continue
            joined = [*_up_to(members, below, descendant)]
            if len(members) + len(joined) > MOST_KIN:
                more = True
                break
            members |= {member.id: member for member in joined}
        tiles = {
            member.id: await self._tile(member, member.relation or "")
            if member is job or is_shown(member)
            else _HIDDEN
            for member in members.values()
        }
        children: dict[int | None, list[int]] = {}
        for member in sorted(members):
            children.setdefault(members[member].parent_id, []).append(member)

        def kin(member: int) -> Kin:
            return Kin(tiles[member], member == job.id, tuple(map(kin, children.get(member, ()))))

        png = await self._make(Tree(kin(line[0].id)), job)
        seen = [member for member in members.values() if member is job or is_shown(member)]
        return Family(sorted(seen, key=lambda member: member.id), more, png)

    async def _tile(self, job: Job, note: str = "") -> Tile:
        title = f"#{job.id}"
        if job.spoiler:
            return Tile(None, title, note, "spoiler")
        # One pixel a cell says everything about squares; other shapes are in the whole picture.
        picture = job.native if is_pixel_art(job) else job.picture
        assert picture is not None
        path = await self._pictures.find(picture)
        if path is None:
            return Tile(None, title, note, "removed" if job.kept == "nothing" else "file is gone")
        return Tile(str(path), title, note)

    async def _make(self, order: Order, job: Job) -> bytes | None:
        if order in self._kept:
            self._kept.move_to_end(order)
            return self._kept[order]
        with about_job(job.id):
            png = await self._workshop.make(order)
        if png is not None:
            self._kept[order] = png
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return png


def _up_to(members: dict[int, Job], below: dict[int, Job], job: Job) -> list[Job]:
    """A descendant, and those between it and the members that there are."""
    joined = []
    while job.id not in members:
        joined.append(job)
        assert job.parent_id is not None
        # Whatever is below was found by way of its parent.
        job = below.get(job.parent_id) or members[job.parent_id]
    return joined
