"""The settings of one drawing, as they are asked for, stored, sent and resolved."""

import msgspec


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person asked for; None stands for “left open”, which `resolve` fills in.

    Built by `make_settings`, which checks every value; sizes are (width, height) in pixels and
    `pixel_size` is (columns, rows) in cells. `prompts` is empty where something else says what to
    draw. `OPTIONS` holds ranges, defaults and meanings.
    """

    prompts: str
    drawer: str = "pixel"
    preset: str | None = None
    aspect: str = "widescreen"
    quality: str = "normal"
    scale: float | None = None
    size: tuple[int, int] | None = None
    iterations: int | None = None
    early_stop: bool = False
    display_every: int | None = None
    seed: int | None = None
    perceptors: tuple[str, ...] | None = None
    num_cuts: int | None = None
    batches: int = 1
    cut_power: float = 1.0
    pixel_size: tuple[int, int] | None = None
    pixel_scale: float = 1.0
    pixel_type: str = "rect"
    palette: str | None = None
    colors: int | None = None
    dither: str = "none"
    transparent: bool = False
    layers: bool | None = None
    tile: bool = False
    symmetry: str = "none"
    start: str = "auto"
    init_image: str | None = None
    init_weight: float = 0.0
    init_noise: str | None = None
    target_image: str | None = None
    target_weight: float | None = None
    image_prompts: str | None = None
    outline: bool = False
    mask: str | None = None
    spot_prompts: str | None = None
    spot_off_prompts: str | None = None
    dream: bool = False
    labels: str | None = None
    blend_with: str | None = None
    blend_frames: int | None = None
    learning_rate: float | None = None
    learning_rate_drops: tuple[float, ...] = (75.0,)
    optimizer: str = "adam"
    smoothness_weight: float = 0.0
    saturation_weight: float = 0.0
    symmetry_weight: float = 0.0
    palette_weight: float = 0.0
    edge_weight: float = 0.0
    style_weight: float = 0.0
    vector_prompts: tuple[str, ...] = ()
    strokes: int | None = None
    stroke_length: int | None = None
    min_stroke_width: float | None = None
    max_stroke_width: float | None = None
    allow_paper_color: bool = False
    vqgan_model: str | None = None

    @property
    def said_everywhere(self) -> bool:
        """Whether words say of every place in the picture what to draw there."""
        return bool(self.prompts or (self.spot_prompts and self.spot_off_prompts))

    @property
    def exact_palette(self) -> str | None:
        """The palette that every cell is taken from; None too where it is only asked for."""
        return None if self.palette_weight > 0 else self.palette
