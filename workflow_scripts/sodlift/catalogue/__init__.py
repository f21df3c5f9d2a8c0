"""What has to be fetched: data sets, published maps, weights. A kind is one public module of this package."""

from typing import TYPE_CHECKING

from sodlift.registry import Registry

if TYPE_CHECKING:
    from sodlift.catalogue._base import Kind

KINDS: "Registry[Kind]" = Registry("kind of resource", "sodlift.catalogue", "KIND", exclude=("names", "status"))
