"""Keeps what f recorded, and hands g the same shape back: a tree of sites, loop keys and rewritten helpers.

`tape.order[i]`, `tape.order[i, j]` and `tape.dcg[i].order` are places in nested mappings; attribute and subscript are the
same thing.  Leaves are `Differences` in what f returns and `Given` in what g reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from metric2loss.runtime.failures import failure
from metric2loss.runtime.unseen import UnseenStep

Path = tuple[Any, ...]

MOST = 20_000  # steps of one run of own code: each is Python in f, and again in every run of g


def _plain(key: Any) -> Any:
    """Loop keys may be NumPy scalars or 0-d tensors; equal numbers must be equal keys."""
    return key.item() if hasattr(key, "item") else key


class Tape:
    """A tree whose inner places come into being when they are written to; `room` is for so many leaves, all places together."""

    def __init__(
        self, entries: dict[Any, Any] | None = None, open_: bool = True, room: Iterator[int] | None = None
    ) -> None:
        self.__dict__["_entries"] = {} if entries is None else entries
        self.__dict__["_open"] = open_
        self.__dict__["_room"] = iter(range(MOST)) if room is None else room

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            place: Any = self
            for part in key:
                place = place[part]
            return place
        key = _plain(key)
        if key not in self._entries:
            if not self._open:
                raise UnseenStep(f"no binaries were recorded at {key!r}; there are {list(self._entries)}")
            self._entries[key] = Tape(room=self._room)
        return self._entries[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, tuple):
            self[key[:-1]][key[-1]] = value
        elif next(self._room, None) is None:
            raise failure(
                "M2L401",
                f"more than {MOST:,} steps are executed one by one",
                "each needs Python to run it, in every evaluation of the metric",
                "compare whole arrays at once, as in `scores[:, None] > scores[None, :]`, or use smaller batches",
            )
        else:
            self._entries[_plain(key)] = value

    def __repr__(self) -> str:
        return f"Tape({self._entries})"


def leaves(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every leaf with its path, in the order of recording."""
    return _leaves(tree, path) if isinstance(tree, Tape) else iter(((path, tree),))


def _leaves(tree: Tape, path: Path) -> Iterator[tuple[Path, Any]]:
    for key, entry in tree._entries.items():
        yield from leaves(entry, (*path, key))


def rebuilt(tree: Any, replacements: Iterator[Any]) -> Any:
    """The same tree, closed, with its leaves replaced in order."""
    if not isinstance(tree, Tape):
        return next(replacements)
    return Tape({key: rebuilt(entry, replacements) for key, entry in tree._entries.items()}, open_=False)


def in_every_turn(tree: Any) -> None:
    """Gives a comparison in a loop binaries in all turns, if it meets scores in some of them only.

    `iou = inter / union if union > 0 else 0` is a score or not, as the scores have it, and `iou > 0.5` is a step either way.
    """
    if not isinstance(tree, Tape):
        return
    sites: dict[Path, list[tuple[Path, Any]]] = {}
    for path, leaf in leaves(tree):
        if path and getattr(leaf, "layout", None) is not None:
            sites.setdefault(tuple(part for part in path if isinstance(part, str)), []).append((path, leaf))
    for turns in sites.values():
        plain = [(path, leaf) for path, leaf in turns if leaf.counted is not None]
        if plain and any(leaf.layout.kind == "compare" for _, leaf in turns):
            for path, leaf in plain:
                tree[path[:-1]]._entries[path[-1]] = leaf.counted()
