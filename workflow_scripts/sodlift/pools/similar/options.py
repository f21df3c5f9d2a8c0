"""The options of a pool of similar images."""

from dataclasses import dataclass, field

from sodlift.alignment.linking import LinkOptions
from sodlift.alignment.sift_flow import SiftFlowOptions
from sodlift.errors import ConfigError


@dataclass(frozen=True)
class SimilarOptions:
    """How images are aligned with a pool.

    Attributes
    ----------
    superpixels : int
        About how many an image is divided into (Sec. III-A).
    partners : int
        Most similar images that each image is linked to.
    flow : SiftFlowOptions
        Weights and schedule of SIFT flow.
    link : LinkOptions
        How superpixels are linked; ``top`` is the K that the alternation ends with (Eq. 1).

    Raises
    ------
    ConfigError
        If a number is too small.
    """

    superpixels: int = 500
    partners: int = 5
    flow: SiftFlowOptions = field(default_factory=SiftFlowOptions)
    link: LinkOptions = field(default_factory=LinkOptions)

    def __post_init__(self) -> None:
        for name in ("superpixels", "partners"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{getattr(self, name)} is not allowed", where=name, expected="at least 1")
