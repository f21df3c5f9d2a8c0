"""Kinds of tables, one public module each: what a table of the kind is made of, and how."""

from sodlift.registry import Registry
from sodlift.tables.kinds._base import TableKind

KINDS: Registry[TableKind] = Registry("kind of table", "sodlift.tables.kinds", "KIND")
