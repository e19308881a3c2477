"""Drawers for tests, made as the studio makes them."""

import torch

from engine.drawers import grid_size, make_drawer, start_from_image

CPU = torch.device("cpu")


def begun(settings, image=None):
    """The drawer of resolved settings, begun from a picture if there is one."""
    start = None
    if image is not None:
        start = start_from_image(image, *grid_size(settings), clear=False)
    return make_drawer(settings, start, CPU)


def from_image(given, image):
    """The settings of a drawing that begins with a picture, if there is one."""
    return given if image is None else given | {"init_image": "x", "start": None}


def pulled(drawer, colour, steps, rate):
    """A drawer after some steps towards a picture of one colour."""
    optimizer = drawer.optimizer(rate, "adam")
    target = torch.tensor([*colour, 1.0])[:, None, None]
    for _ in range(steps):
        optimizer.zero_grad()
        torch.autograd.backward((drawer.grid()[0] - target).square().mean())
        optimizer.step()
    return drawer
