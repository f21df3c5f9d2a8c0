"""Pool types: images that others are compared with, and how similar ones are found among them and linked."""

from sodlift.pools._base import PoolType
from sodlift.registry import Registry

POOLS: Registry[PoolType] = Registry("pool type", "sodlift.pools", "POOL")
