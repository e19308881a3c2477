"""The process that makes one thing: `python -m bot.workshop`, an `Order` on its stdin.

What it makes goes to stdout: the process itself may write no file.
"""

import resource
import sys

import msgspec

from bot.workshop.orders import (
    Copy,
    Enlarge,
    Export,
    Order,
    Palette,
    Recolouring,
    Sheet,
    TimeLapse,
    Tree,
    Walk,
)

_MEMORY_BYTES = 1024 * 1024 * 1024
_CPU_SECONDS = 40


def make(order: Order) -> bytes:
    """What was ordered; each needs little of what the others need."""
    match order:
        case Copy():
            from bot.workshop.copies import copy

            return copy(order)
        case Sheet():
            from bot.workshop.sheets import sheet

            return sheet(order)
        case Tree():
            from bot.workshop.trees import tree

            return tree(order)
        case Palette():
            from bot.workshop.colours import colours

            return msgspec.msgpack.encode(colours(order))
        case Enlarge():
            from bot.workshop.keepsakes import enlarged

            return enlarged(order)
        case TimeLapse():
            from bot.workshop.keepsakes import time_lapse

            return time_lapse(order)
        case Walk():
            from bot.workshop.keepsakes import walk

            return walk(order)
        case Recolouring():
            from bot.workshop.keepsakes import recoloured

            return recoloured(order)
        case Export():
            from bot.workshop.keepsakes import export

            return export(order)


def _limit_this_process() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    _limit_this_process()
    sys.stdout.buffer.write(make(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Order)))
