"""From the files of a release to a folder in place: obtained, unpacked, arranged, accepted, and only then named."""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from sodlift.atomic import atomic_folder, sweep
from sodlift.errors import DataError, listed
from sodlift.fetch.archive import extract
from sodlift.fetch.release import Release, ReleaseFile
from sodlift.fetch.store import Receipt, Store

ITSELF = "."
"""The pattern of a file that is taken as it is, since it is no archive."""


def install(
    release: Release,
    takes: Mapping[str, str],
    target: Path,
    of: str,
    store: Store,
    accept: Callable[[Path], None],
) -> Receipt:
    """Put what a release holds into the new folder ``target``, which appears whole or not at all.

    The files are pinned once ``accept`` finds the result good, so that a first download is verified by what it holds.
    Of several processes at once one installs, and the others return its receipt.

    Parameters
    ----------
    release : Release
        Its files are obtained through ``store``.
    takes : mapping of str to str
        By folder of the release's ``take``, the folder below ``target`` that it becomes; "" is ``target`` itself.
    target : Path
        A folder that is absent or empty.
    of : str
        Name of the receipt, such as "datasets/ECSSD".
    store : Store
        The folder of resources.
    accept : callable
        Looks at the folder, still aside, and raises what is wrong with it.

    Raises
    ------
    DataError
        If a file cannot be had, is another one, is no safe archive or does not hold what it should, and whatever
        ``accept`` raises.
    """
    files = [file for file in release.files if any(file.globs(folder) for folder in takes)]
    with store.alone(of):
        known = store.receipt(of)
        if known and known.target == target.as_posix() and target.is_dir() and any(target.iterdir()):
            return known
        sweep(target)
        got = [(file, store.obtain(file, release)) for file in files]
        with atomic_folder(target) as part:
            for file, path in got:
                _arrange(file, path, takes, part, store.progress)
            accept(part)
            pins = {file.name: store.pin(file, path).sha256 for file, path in got}
        return store.write_receipt(of, target, pins)


def _arrange(file: ReleaseFile, path: Path, takes: Mapping[str, str], part: Path, progress: bool) -> None:
    """Put what ``path`` holds into the folders of ``part``; raises DataError where a pattern finds nothing."""
    wanted = {takes[folder]: globs for folder in takes if (globs := file.globs(folder))}
    for folder in [folder for folder, globs in wanted.items() if ITSELF in globs]:
        _claim(part / folder / file.name, path)
        shutil.copyfile(path, part / folder / file.name)
        del wanted[folder]
    if wanted:
        _unpack(path, wanted, part, progress)


def _unpack(path: Path, wanted: Mapping[str, Sequence[str]], part: Path, progress: bool) -> None:
    seen: Counter[str] = Counter()
    placed: dict[str, str] = {}

    def place(member: str) -> str | None:
        seen[member.rpartition("/")[0]] += 1
        folder = next((f for f, globs in wanted.items() if any(matches(member, glob) for glob in globs)), None)
        if folder is None:
            return None
        name = f"{folder}/{member.rpartition('/')[2]}".lstrip("/")
        if placed.setdefault(name, member) != member:
            raise _collision(name, path, f"{placed[name]} and {member}")
        return name

    aside = part / ".unpacked"
    extract(path, aside, progress=progress, place=place)
    for globs in wanted.values():
        if not any(matches(member, glob) for member in placed.values() for glob in globs):
            held = listed(f"{folder or '.'} ({number} files)" for folder, number in sorted(seen.items()))
            raise DataError(
                f"no file in the archive matches '{' or '.join(globs)}'",
                where=path,
                expected="the layout that the row's release describes",
                mend=f"correct `take` in the row's release; the archive holds {held}",
            )
    for name in placed:
        _claim(part / name, path)
        (aside / name).replace(part / name)
    shutil.rmtree(aside)


def _claim(target: Path, source: Path) -> None:
    """Make the folder of ``target``; raises DataError if an earlier file of the release has put one there."""
    if target.exists():
        raise _collision(target.name, source, "one from an earlier file of the release, and one from here")
    target.parent.mkdir(parents=True, exist_ok=True)


def _collision(name: str, path: Path, both: str) -> DataError:
    return DataError(
        f"two files would both become {name}: {both}",
        where=path,
        expected="one file a name",
        mend="narrow `take` in the row's release, or remove one of the two from the archive",
    )


def matches(member: str, glob: str) -> bool:
    """Whether the path of a member fits a pattern, in any case; ``**`` stands for any folders, ``*`` for one name."""
    return _fits(member.casefold().split("/"), glob.casefold().split("/"))


def _fits(parts: list[str], globs: list[str]) -> bool:
    if not globs or not parts:
        return not parts and all(glob == "**" for glob in globs)
    if globs[0] == "**":
        return _fits(parts, globs[1:]) or _fits(parts[1:], globs)
    return fnmatchcase(parts[0], globs[0]) and _fits(parts[1:], globs[1:])
