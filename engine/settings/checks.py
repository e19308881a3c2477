"""What two settings say against each other, told in one sentence before anything is drawn."""

from collections.abc import Iterator, Mapping

from engine.errors import SettingsError
from engine.settings.defaults import DRAWER_DEFAULTS
from engine.settings.options import OPTIONS, Option
from engine.settings.record import Settings
from engine.tilings import TILINGS, wrapping

_SPOTS = ("spot_prompts", "spot_off_prompts")
_SCORED = ("prompts", "image_prompts", "labels", *_SPOTS)


def drawers_for(option: Option, palette_weight: float) -> tuple[str, ...]:
    """Those that an option means something to; none are named where it is all of them."""
    # Only cells can be of a palette exactly; any picture can be pulled towards one.
    pulled = option.name == "palette" and palette_weight > 0
    return () if pulled else option.drawers


def check_drawer(settings: Settings, given: Mapping[str, object]) -> None:
    """Refuse what means nothing to the drawer, and widths that leave no room.

    Raises:
        SettingsError: naming the setting, or the preset that brought it.

    """
    plain = Settings(prompts=settings.prompts)
    for option in OPTIONS:
        drawers = drawers_for(option, settings.palette_weight)
        foreign = drawers and settings.drawer not in drawers
        if not foreign or getattr(settings, option.name) == getattr(plain, option.name):
            continue
        culprit = option.name if option.name in given else f"preset={settings.preset}"
        means = "is" if option.name in given else f"sets {option.name}, which is"
        raise SettingsError(
            f"{culprit} {means} only for drawer={' or '.join(drawers)}, and the drawer is "
            f"{settings.drawer}; leave one of them out."
        )
    defaults = DRAWER_DEFAULTS[settings.drawer]
    thinnest = settings.min_stroke_width or defaults.min_stroke_width
    widest = settings.max_stroke_width or defaults.max_stroke_width
    if thinnest is not None and widest is not None and thinnest > widest:
        raise SettingsError(
            f"min_stroke_width={thinnest:g} is more than max_stroke_width={widest:g}; "
            "give a larger max_stroke_width or a smaller min_stroke_width."
        )


def check_pairs(settings: Settings, given: Mapping[str, object]) -> None:
    """Refuse settings that contradict each other, or mean nothing without another.

    Raises:
        SettingsError: naming both.

    """
    _check_pictures(settings)
    _check_colours(settings)
    _check_tiling(settings)
    if "size" in given and "scale" in given:
        raise SettingsError("size and scale contradict each other; give only one of them.")
    if "pixel_size" in given and "pixel_scale" in given:
        raise SettingsError(
            "pixel_size and pixel_scale contradict each other; give only one of them."
        )
    if (
        settings.iterations is not None
        and settings.display_every is not None
        and settings.display_every > settings.iterations
    ):
        raise SettingsError(
            f"display_every={settings.display_every} is more than "
            f"iterations={settings.iterations}; allowed are 1 to {settings.iterations}."
        )


def _check_pictures(settings: Settings) -> None:
    """Refuse what has no meaning without a picture that is not given, and what it rules out."""
    for wished, has, wish, what, remedy in _needs(settings):
        if wished and not has:
            raise SettingsError(f"{wish} {what}, and there is none; give {remedy}.")
    if settings.outline:
        _check_outline(settings)
    if settings.init_image is not None and settings.start != "auto":
        raise SettingsError(
            f"start={settings.start} and an init_image contradict each other; "
            "give only one of them."
        )
    if settings.init_noise is not None and settings.init_image is not None:
        raise SettingsError(
            f"init_noise={settings.init_noise} and an init_image contradict each other; "
            "give only one of them."
        )
    if settings.init_noise is not None and settings.start == "guess":
        raise SettingsError(
            f"init_noise={settings.init_noise} and start=guess contradict each other; "
            "give only one of them."
        )
    if settings.start == "guess" and not settings.said_everywhere:
        raise SettingsError("start=guess is drawn for a prompt, and there is none; give a prompt.")


def _needs(settings: Settings) -> Iterator[tuple[bool, bool, str, str, str]]:
    """What means nothing without something else.

    Yields:
        whether it is wished, whether the other is there, what it is called, what it does with the
        other, and what to give.

    """
    init, target = settings.init_image is not None, settings.target_image is not None
    for wished, wish, what in (
        (settings.init_weight > 0, "init_weight", "keeps close to an init image"),
        (settings.outline, "outline", "keeps the lines of an init image"),
        (settings.dream, "dream", "amplifies what is seen in an init image"),
        (settings.dither != "none", "dither", "draws an init image in few colours"),
    ):
        yield wished, init, wish, what, f"an init_image or leave {wish} out"
    retain = settings.aspect == "retain"
    what = "takes the shape of the init image"
    yield retain, init, "aspect=retain", what, "an init_image or another aspect"
    style = settings.style_weight > 0
    what = "takes the style of a target image or an init image"
    yield style, init or target, "style_weight", what, "one of them or leave style_weight out"
    weight = settings.target_weight is not None
    what = "says how strongly a target image pulls"
    yield weight, target, "target_weight", what, "a target_image or leave target_weight out"
    scored = any(getattr(settings, name) for name in _SCORED)
    what = "ends a drawing whose fit with its prompts no longer rises"
    yield settings.early_stop, scored, "early_stop", what, "a prompt or leave early_stop out"
    mask = settings.mask is not None
    spots = {name: getattr(settings, name) is not None for name in _SPOTS}
    for name, wished in spots.items():
        yield wished, mask, name, "says what to draw by a mask", f"a mask or leave {name} out"
    what = "is a place for other prompts"
    yield mask, any(spots.values()), "mask", what, f"{' or '.join(spots)}, or leave mask out"
    frames, walk = settings.blend_frames is not None, settings.blend_with is not None
    what = "counts the steps of a walk to another picture"
    yield frames, walk, "blend_frames", what, "blend_with or leave blend_frames out"
    pull, palette = settings.palette_weight > 0, settings.palette is not None
    what = "pulls towards the colours of a palette"
    yield pull, palette, "palette_weight", what, "a palette or leave palette_weight out"


def _check_outline(settings: Settings) -> None:
    """Refuse what would break the lines of a drawing, or leave nothing to colour in."""
    for wished, wish, why in (
        (settings.transparent, "transparent", "leaves part of the picture out"),
        (bool(settings.layers), "layers", "puts a background behind the subject"),
        (settings.tile, "tile", "changes the picture at its borders"),
        (settings.symmetry != "none", f"symmetry={settings.symmetry}", "changes half of the lines"),
        (settings.dither != "none", f"dither={settings.dither}", "keeps the paper's colour"),
        (settings.init_weight > 0, "init_weight", "keeps the paper's colour"),
    ):
        if wished:
            raise SettingsError(
                f"outline colours in a whole line drawing, and {wish} {why}; give only one of them."
            )


def _check_colours(settings: Settings) -> None:
    if settings.colors == 1:
        raise SettingsError("colors cannot be 1; allowed are 2 to 64, or 0 for any.")
    if settings.transparent and settings.layers:
        raise SettingsError(
            "layers puts a background behind the subject, and transparent leaves it out; "
            "give only one of them."
        )
    if settings.dither != "none" and settings.exact_palette is None and not settings.colors:
        raise SettingsError(
            f"dither={settings.dither} mixes the colours of a palette, and there is none; "
            "give a palette or colors, or leave dither out."
        )


def _check_tiling(settings: Settings) -> None:
    tiling = TILINGS[settings.pixel_type]
    if not set(settings.symmetry) & set("xy") <= set(tiling.mirrors):
        raise SettingsError(
            f"symmetry={settings.symmetry} is not possible with pixel_type={settings.pixel_type}, "
            f"whose cells point down; allowed are none and {tiling.mirrors}."
        )
    if settings.pixel_size is None:
        return
    columns, rows = settings.pixel_size
    across, down = tiling.steps(wrapping(settings.symmetry, tile=settings.tile))
    if columns % across or rows % down:
        even = " and ".join(
            name for name, step in (("columns", across), ("rows", down)) if step > 1
        )
        wish = "tile" if settings.tile else f"symmetry={settings.symmetry}"
        raise SettingsError(
            f"pixel_size={columns} {rows} does not go with {wish} and "
            f"pixel_type={settings.pixel_type}; allowed are even numbers of {even}."
        )
