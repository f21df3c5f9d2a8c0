"""The options of ARN: its network, its training, and what its maps are."""

from dataclasses import dataclass, replace

from sodlift.detectors._model import DeepOptions
from sodlift.training.recipe import Recipe
from sodlift.training.require import require

STRIDES = (2, 4, 8, 16)
"""Strides of the taps conv2_2, conv3_3, conv4_3 and conv5_3 of VGG16 (Sec. 3)."""

WIDTH_STEP = 16
"""Widths are its multiples: Eq. 8's window of width / 8 + 1 channels then has a middle, and attention two channels."""

NETWORK_OPTIONS = ("strides", "width", "recurrences", "attention", "side_weight")
"""The options that a model file must share with those that it is loaded for."""

AS_PUBLISHED = Recipe(
    optimiser="adam",
    head_lr=1e-4,
    backbone_lr=1e-4,
    betas=(0.9, 0.999),
    schedule="step",
    milestones=(0.75,),
    gamma=0.1,
    steps=47_500,
    batch=8,
    hflip=True,
)
"""Sec. 4: Adam at 1e-4, mirrored images. Ours: 40 epochs of 9500 images, 8 a step, a tenth of the rate from 30 on."""

DEFAULT = replace(AS_PUBLISHED, crop=0.9, validation=0.05, validate_every=2000, keep="best")
"""The same with crops, and the weights with the lowest loss on images held out."""


@dataclass(frozen=True)
class ArnOptions(DeepOptions):
    """Options of ARN beside those of every deep detector; defaults are the preset ``default``.

    Attributes
    ----------
    strides : tuple of int
        Strides of the backbone's taps that are used, powers of 2 from 2 on; of several taps of a stride the deepest.
        The decoder climbs from the largest to the smallest by factors of 2; a scale in between that is not named is
        passed without a recurrent layer, for backbones without such a tap.
    width : int
        Channels at stride 2, a multiple of 16; they double with the stride, as 64, 128 and 256 of VGG16's.
    recurrences : int
        T of Eq. 5: how often a recurrent layer takes its own output again.
    attention : tuple of int
        Strides of the scales with self-attention. All four as published; that of the finest costs most, since its time
        grows with the square of the number of positions.
    size : int
        Side of the network's square images, in training and when detecting.
    side_weight : float
        Weight of the losses of maps made at every coarser scale, for training alone; 0 has no such maps.
    stretch : bool
        Stretch each map to [0, 1]. Protocols that do so by themselves give the same scores either way.

    Raises
    ------
    ConfigError
        If a value makes no sense: the error names its key.
    """

    backbone: str = "vgg16"
    strides: tuple[int, ...] = STRIDES
    width: int = 64
    recurrences: int = 3
    attention: tuple[int, ...] = STRIDES
    size: int = 224
    side_weight: float = 0.5
    stretch: bool = False
    recipe: Recipe = DEFAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        rising = len(self.strides) >= 2 and list(self.strides) == sorted(set(self.strides))
        powers = all(stride >= 2 and stride.bit_count() == 1 for stride in self.strides)
        require(rising and powers, "strides", self.strides, "at least two rising powers of 2, the first 2 or more")
        wide = self.width > 0 and self.width % WIDTH_STEP == 0
        require(wide, "width", self.width, f"a multiple of {WIDTH_STEP}")
        scales = set(self.scales)
        require(set(self.attention) <= scales, "attention", self.attention, f"some of {sorted(scales)}, or none")
        require(self.recurrences >= 0, "recurrences", self.recurrences, "not negative")
        require(self.size >= self.strides[-1], "size", self.size, f"at least the largest stride, {self.strides[-1]}")
        require(self.side_weight >= 0, "side_weight", self.side_weight, "not negative")

    @property
    def scales(self) -> tuple[int, ...]:
        """The strides of all scales of the decoder, from the largest down to the smallest."""
        first, last = self.strides[-1].bit_length(), self.strides[0].bit_length()
        return tuple(1 << (power - 1) for power in range(first, last - 1, -1))

    @classmethod
    def presets(cls) -> "dict[str, ArnOptions]":
        """Return ``default``, and ``paper``: the published recipe, whose loss is on the final map alone."""
        return {"default": cls(), "paper": cls(side_weight=0.0, recipe=AS_PUBLISHED)}
