"""Takes out of a judge's reply what it copied from the answer, so that a verdict written by the model under test is never read.

Marks of quotation cannot be relied on: judges copy text bare, behind `>`, or across lines. What was copied can be told because the
answer is known: two or more lines of it that follow each other in the reply are no judge's own words.
"""

from __future__ import annotations

_LEAST_LINES = 2
"""A single line may be the verdict itself, which an answer can foresee."""
_MARGIN = " \t>*`\"'“”‘’«»"


def own_words(reply: str, answer: str) -> str:
    """`reply` without its copies of lines of `answer`."""
    if not _may_copy(reply, answer):
        return reply
    wanted = [line for each in answer.split("\n") if (line := each.strip(_MARGIN))]
    places: dict[str, list[int]] = {}
    for place, line in enumerate(wanted):
        places.setdefault(line, []).append(place)
    lines = reply.split("\n")
    found = [(number, line) for number, each in enumerate(lines) if (line := each.strip(_MARGIN))]
    copied: set[int] = set()
    start = 0
    while start < len(found):
        length = _copied(found, start, wanted, places)
        if length >= _LEAST_LINES:
            copied.update(number for number, _ in found[start : start + length])
        start += max(1, length if length >= _LEAST_LINES else 1)
    return "\n".join(line for number, line in enumerate(lines) if number not in copied)


def _may_copy(reply: str, answer: str) -> bool:
    """Whether a line of `reply` behind its first one begins like a line of `answer`; a quick look, for every verdict."""
    if "\n" not in answer or "\n" not in reply:
        return False
    wanted = tuple(line for each in answer.split("\n") if (line := each.strip(_MARGIN)))
    return any(each.strip(_MARGIN).startswith(wanted) for each in reply.split("\n")[1:])


def _copied(found: list[tuple[int, str]], start: int, wanted: list[str], places: dict[str, list[int]]) -> int:
    """How many lines from `start` on follow each other in the answer too; the first may begin, and the last end, with other words."""
    if start + 1 >= len(found):
        return 0
    most = 0
    for second in (*places.get(found[start + 1][1], ()), *_begun(found[start + 1][1], wanted)):
        if second == 0 or not found[start][1].endswith(wanted[second - 1]):
            continue
        length = 1
        while start + length < len(found) and second - 1 + length < len(wanted):
            said, meant = found[start + length][1], wanted[second - 1 + length]
            if not said.startswith(meant):
                break
            length += 1
            if said != meant:  # the copy ends within this line
                break
        most = max(most, length)
    return most


def _begun(line: str, wanted: list[str]) -> list[int]:
    """The lines of the answer, other than equal ones, that `line` begins with."""
    return [place for place, each in enumerate(wanted) if line != each and line.startswith(each)]
