"""What looks wrong in files of answers made elsewhere: noted by kind, never mended in silence, never a reason to stop."""

from __future__ import annotations

MOST_SHOWN = 20
"""Places that a printed sentence names; the file beside the run has them all."""


class Suspects:
    """A list of places for each kind of oddity, in the order of finding."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def note(self, kind: str, where: str) -> None:
        """Notes a place.

        Args:
            kind: what is odd, in the plural ("answers that are empty").
            where: the sample, and the answer where one is meant.
        """
        self._found.setdefault(kind, []).append(where)

    def __bool__(self) -> bool:
        return bool(self._found)

    def as_json(self) -> dict[str, list[str]]:
        """{kind: [place, ...]}."""
        return {kind: list(places) for kind, places in self._found.items()}

    def sentences(self) -> list[str]:
        """One line for each kind, with its first places."""
        return [_sentence(kind, places) for kind, places in self._found.items()]


def _sentence(kind: str, places: list[str]) -> str:
    rest = len(places) - MOST_SHOWN
    return f"{kind}: {len(places)} ({', '.join(places[:MOST_SHOWN])}" + (f" and {rest} more)" if rest > 0 else ")")
