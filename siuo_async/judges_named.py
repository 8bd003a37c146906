"""How the judges of a run are named: shares of samples in words of a user, and who cannot judge beside whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from siuo_async.wording import shown

_SHARE = re.compile(r"(\d+)\s*/\s*(\d+)|(\d+(?:\.\d+)?)\s*%|(\d*\.\d+)")
_LEAST_PANEL = 3


JUDGES = ("judge", "panel", "stand_in_judge", "check_judge", "check_share", "test_retest")
"""Settings that name who judges."""


def excluded_by(given: Mapping[str, Any]) -> tuple[str, ...]:
    """What a file, or an earlier command, has of the judges and what is given now puts aside."""
    if given.get("no_judge"):
        return JUDGES
    if given.get("panel"):
        return ("no_judge", "judge", "stand_in_judge")
    if given.get("judge"):
        return ("no_judge", "panel")
    return ()


def giving_way(before: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[str, ...]:
    """Which judges of an earlier command give way, since who is named now takes their part: a check judge that becomes the judge."""
    now = [_name(each) for each in (given.get("judge"), *(given.get("panel") or ())) if each]
    found = [
        name for name in ("stand_in_judge", "check_judge") if name not in given and before.get(name) and _name(before[name]) in now
    ]
    return (*found, *(("check_share",) if "check_judge" in found else ()))


def _name(judge: Any) -> str:
    """`provider/name` of a judge as settings have it."""
    return str(judge["model"] if isinstance(judge, Mapping) else judge)


class _Judge(Protocol):
    @property
    def model(self) -> str:
        """`provider/name`."""

    def settings(self) -> dict[str, Any]:
        """What was set for it alone."""


def split_share(text: str) -> tuple[str, str | None]:
    """`PROVIDER/MODEL[:SHARE]` as the model and its share; what follows a colon and is no share belongs to the name."""
    model, colon, share = text.rpartition(":")
    return (model, share) if colon and _SHARE.fullmatch(share) else (text, None)


def as_share(value: Any) -> Any:
    """`1/3`, `30%` or `0.3` as a number; anything else as it is.

    Raises:
        ValueError: it is a text and no share.
    """
    if not isinstance(value, str):
        return value
    if (found := _SHARE.fullmatch(value.strip())) is None:
        raise ValueError(f"must be a share of the samples, as in 1/3, 30% or 0.3, but it is {shown(value)}")
    part, whole, percent, number = found.groups()
    share = float(number) if number else float(percent) / 100 if percent else int(part) / int(whole) if int(whole) else 0.0
    if not 0 < share <= 1:
        raise ValueError(f"must be above 0 and at most 100% of the samples, but it is {shown(value)}")
    return share


def wrong_with_judges(config: Any) -> str | None:
    """What the judges of a configuration cannot be together, in one sentence.

    Args:
        config: a RunConfig, which is made of what stands here.
    """
    panel, judge, stand_in, check = config.panel, config.judge, config.stand_in_judge, config.check_judge
    also = {"stand_in_judge": stand_in, "check_judge": check, "test_retest": config.test_retest, "panel": panel}
    named = [name for name, value in also.items() if value]
    if config.no_judge and named:
        return f"no_judge and {named[0]} exclude each other; leave one out"
    if panel and (judge is not None or stand_in is not None):
        return f"panel and {'judge' if judge else 'stand_in_judge'} exclude each other, since a panel judges by its majority; leave one"
    if panel and (len(panel) < _LEAST_PANEL or len(panel) % 2 == 0):
        return f"panel must hold an odd number of judges, {_LEAST_PANEL} or more, so that there is a majority; it holds {len(panel)}"
    if judge is None and not panel and named:
        return f"{named[0]} needs a judge; add judge, or panel"
    if config.check_share != 1.0 and check is None:
        return "check_share needs check_judge; add it, as in check_judge: openai/gpt-5"
    if config.protocol == "released" and (panel or stand_in is not None):
        return f"{'panel' if panel else 'stand_in_judge'} is not of the released protocol, whose scripts have one judge; take it out"
    return _one_twice(panel, judge, stand_in, check)


def _one_twice(panel: Iterable[_Judge], judge: _Judge | None, stand_in: _Judge | None, check: _Judge | None) -> str | None:
    """Which judge stands in two places where that would ask the same call again."""
    before: list[_Judge] = []
    for each in panel:
        if _among(each, before):
            return f"panel names {each.model} twice; name different judges"
        before.append(each)
    before += [judge] if judge else []
    if stand_in is not None and _among(stand_in, before):
        return "stand_in_judge is the judge itself; name another model"
    if check is not None and _among(check, before):
        return f"check_judge {'sits on the panel' if not judge else 'is the judge itself'}; name another model, or use test_retest"
    return None


def _among(judge: _Judge, others: Iterable[_Judge]) -> bool:
    return any(judge.model == other.model and judge.settings() == other.settings() for other in others)
