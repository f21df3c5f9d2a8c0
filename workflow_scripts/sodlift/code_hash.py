"""A hash of the code that a script runs, so that editing a function re-runs the jobs that use it and no others.

A workflow engine sees a script's own text only. ``code_hash`` follows the script's imports through every local module
(those of sodlift and the script's siblings) and digests their syntax trees without comments, docstrings and layout:
what changes no result re-runs no job. Modification times play no part.
"""

import ast
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sodlift.atomic import atomic_file
from sodlift.errors import SodliftError

LIBRARY = Path(__file__).resolve().parent.parent
"""The folder that holds the package ``sodlift``."""

LEFT_OUT = "sodlift.fetch"
"""The package that brings files, which are checked whatever it does: a better download must train nothing again."""

_MEMO_SIZE = 4096


@dataclass(frozen=True)
class _Import:
    """One import statement: ``from <level dots><module> import <names>``; ``import x`` has no names and level 0."""

    module: str
    names: tuple[str, ...] = ()
    level: int = 0


@dataclass(frozen=True)
class _Code:
    """What counts of one file: the digest of its syntax tree and its imports."""

    digest: bytes
    imports: tuple[_Import, ...]


def code_hash(script: Path | str, extra: Iterable[str] = ()) -> str:
    """Return a hash over ``script`` and every local module that it can reach.

    An import counts wherever it stands, in a function or under a condition too, except under ``TYPE_CHECKING``, which
    never runs. Importing ``a.b.c`` counts the packages ``a`` and ``a.b`` as well, since their ``__init__`` runs. The
    hash depends on the version of Python in so far as the syntax tree does. A process reads each file once, so an edit
    is seen by the next process, or after ``clear_cache``. Since every job starts a process, what parsing the library's
    files gave is kept in the user's cache folder (``memo_file``), by the digest of each file's text. The package
    ``LEFT_OUT`` does not count.

    Parameters
    ----------
    script : path
        The file that a job runs.
    extra : iterable of str
        Dotted modules that the script loads by name, through a registry. A package stands for its ``__init__`` and
        what that imports, not for all its modules: of a registry's package only the chosen entry matters.

    Returns
    -------
    str
        16 hexadecimal digits.

    Raises
    ------
    SodliftError
        If a file is missing or cannot be parsed, or an extra module does not exist.
    """
    return _code_hash(Path(script).resolve(), frozenset(extra))


def content_hash(files: Iterable[Path | str]) -> str:
    """Return a hash (16 hexadecimal digits) over the names and bytes of files that are no code, in any order.

    Raises
    ------
    SodliftError
        If a file cannot be read.
    """
    digest = hashlib.sha256()
    for file in sorted(map(Path, files), key=lambda file: file.name):
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(_bytes(file)).digest())
    return digest.hexdigest()[:16]


@cache
def _code_hash(script: Path, extra: frozenset[str]) -> str:
    digest = hashlib.sha256()
    for name, file in sorted(local_files(script, extra).items()):
        digest.update(name.encode() + b"\0" + _read(file).digest)
    _save_memo()
    return digest.hexdigest()[:16]


def clear_cache() -> None:
    """Forget every file read so far, so that edits made since are seen."""
    for cached in (_code_hash, _find, _read, _memo, _learnt):
        cached.cache_clear()


def local_files(script: Path, extra: Iterable[str] = ()) -> dict[str, Path]:
    """Return the files behind ``code_hash`` by dotted name; the script itself has the name ``__main__``."""
    roots = (script.parent, LIBRARY) if script.parent != LIBRARY else (LIBRARY,)
    found = {"__main__": script}
    queue = list(_targets("", _read(script).imports, roots))
    for name in extra:
        if _find(name, roots) is None:
            raise SodliftError(
                f"no module '{name}' to hash", where=script, expected=f"a module or package below {roots[-1]}"
            )
        queue.append(name)
    while queue:
        name = queue.pop()
        file = _find(name, roots)
        if file is None or name in found or f"{name}.".startswith(f"{LEFT_OUT}."):
            continue
        found[name] = file
        queue.extend(_ancestors(name))
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        queue.extend(_targets(package, _read(file).imports, roots))
    return found


def _targets(package: str, imports: Iterable[_Import], roots: tuple[Path, ...]) -> Iterator[str]:
    """Yield the dotted names of local modules that a module of ``package`` imports."""
    for statement in imports:
        base = statement.module
        if statement.level:
            parts = package.split(".") if package else []
            parent = parts[: len(parts) - statement.level + 1]
            base = ".".join([*parent, *([base] if base else [])])
        # of `import a.b` the parent packages follow from the name, of `from a import b` the module a.b where it exists
        yield base
        yield from (name for n in statement.names if _find(name := f"{base}.{n}", roots) is not None)


def _ancestors(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


@cache
def _find(name: str, roots: tuple[Path, ...]) -> Path | None:
    """Return the file of a dotted module or package below one of ``roots``, None where it is not local."""
    if not name:
        return None
    for root in roots:
        place = root.joinpath(*name.split("."))
        for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if file.is_file():
                return file
    return None


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as cause:
        raise SodliftError(f"cannot read the file: {cause.strerror}", where=file) from None


@cache
def _read(file: Path) -> _Code:
    source = _bytes(file)
    digest = hashlib.sha256(source).hexdigest()
    known = _memo().get(digest)
    if known is not None:
        imports = (_Import(module, tuple(names), level) for module, names, level in known["imports"])
        return _Code(bytes.fromhex(known["digest"]), tuple(imports))
    code = _parse(file, source)
    if file.is_relative_to(LIBRARY):
        imported = [(i.module, i.names, i.level) for i in code.imports]
        _memo()[digest] = _learnt()[digest] = {"digest": code.digest.hex(), "imports": imported}
    return code


def memo_file() -> Path:
    """Return the file that keeps what is known of the library's code from earlier processes; it may be deleted."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return folder / "sodlift" / f"code_hash.{sys.implementation.cache_tag}.json"


@cache
def _memo() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(memo_file().read_text(encoding="utf-8"))
    except (OSError, RuntimeError, ValueError):  # no such file, no home folder, not JSON: start anew
        return {}
    return found


@cache
def _learnt() -> dict[str, Any]:
    """Return what this process adds to the memo."""
    return {}


def _save_memo() -> None:
    """Keep what was learnt; where that is not allowed, the next process parses again."""
    if _learnt():
        _learnt().clear()
        newest = dict(list(_memo().items())[-_MEMO_SIZE:])
        with suppress(OSError, RuntimeError), atomic_file(memo_file()) as part:
            part.write_text(json.dumps(newest), encoding="utf-8")


def _parse(file: Path, source: bytes) -> _Code:
    try:
        tree = ast.parse(source, filename=str(file))
    except (SyntaxError, ValueError) as cause:
        line = f", line {cause.lineno}" if isinstance(cause, SyntaxError) else ""
        raise SodliftError(
            f"cannot parse Python code: {cause}", where=f"{file}{line}", mend="correct the file"
        ) from None
    imports = tuple(_imports(tree))  # strips the docstrings, so it comes before the dump
    return _Code(hashlib.sha256(ast.dump(tree).encode()).digest(), imports)


def _imports(node: ast.AST) -> Iterator[_Import]:
    """Yield the imports below ``node`` and strip it of bare strings (docstrings) on the way.

    Only statements are walked: an expression holds no import.
    """
    match node:
        case ast.Import(names=names):
            yield from (_Import(alias.name) for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            yield _Import(module or "", tuple(alias.name for alias in names), level)
    blocks = ("body", "orelse", "finalbody", "handlers", "cases")
    for block in blocks[1:] if _is_type_checking(node) else blocks:
        children = getattr(node, block, [])
        children[:] = [child for child in children if not _is_string(child)]
        for child in children:
            yield from _imports(child)


def _is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_type_checking(node: ast.AST) -> bool:
    """Whether ``node`` is ``if TYPE_CHECKING:`` or ``if typing.TYPE_CHECKING:``."""
    if not isinstance(node, ast.If):
        return False
    return getattr(node.test, "id", getattr(node.test, "attr", "")) == "TYPE_CHECKING"
