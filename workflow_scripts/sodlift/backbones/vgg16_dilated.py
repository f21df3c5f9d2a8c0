"""VGG16 whose last two blocks are dilated in place of pooled, as dense prediction uses it (LPS, CVPR 2018, Sec. 3.3).

Blocks 4 and 5 keep a quarter of the image's size. Parameters and weights files are VGG16's.
"""

from functools import partial

from sodlift.backbones._base import Backbone, Tap
from sodlift.backbones.vgg16 import BLOCKS, CHANNELS, WEIGHTS, Vgg16

BACKBONE = Backbone(
    title="VGG16 (dilated)",
    source="Simonyan and Zisserman, ICLR 2015; dilated as in Zeng et al., CVPR 2018",
    taps=tuple(map(Tap, BLOCKS, CHANNELS, (1, 2, 4, 4, 4))),
    build=partial(Vgg16, dilations=(1, 1, 1, 2, 4), skipped=0),
    weights=WEIGHTS,
)
