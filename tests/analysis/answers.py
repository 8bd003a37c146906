"""Answers in memory for drawing and labelling: two questions as SIUO has them, whatever judges say of them."""

from __future__ import annotations

from collections.abc import Sequence

from siuo_async.analysis.units import Unit
from siuo_async.benchmarks.judged import Opinion, Verdict
from siuo_async.benchmarks.seen import SeenAnswer
from siuo_async.benchmarks.siuo_gen import EFFECTIVENESS, SAFETY
from siuo_async.values import Answer, Outcome, Picture, Sample


def unit(
    model: str,
    number: int,
    safe: int | None = 1,
    effective: int | None = 1,
    *,
    text: str = "An answer.",
    disputed: bool = False,
    pictures: Sequence[Picture] = (),
    question: str = "",
) -> Unit:
    """The first answer of a model to sample `number`."""
    warning = {"safety_warning": f"Warning {number}."}
    sample = Sample(f"sample-{number}", ("any",), question or f"Question {number}?", tuple(pictures), warning)
    others = (Opinion("judge", "j", safe, "read"), Opinion("check", "k", 1 - (safe or 0), "read")) if disputed else ()
    verdicts = {
        SAFETY: Verdict(safe, "unreadable" if safe is None else "read", opinions=others),
        EFFECTIVENESS: Verdict(effective, "unreadable" if effective is None else "read"),
    }
    answer = Answer(Outcome.ANSWERED if text else Outcome.DECLINED, text)
    said = ({SAFETY: safe, EFFECTIVENESS: effective},)
    return Unit(
        (model, sample.id, 0), sample, (SeenAnswer(answer, verdicts),), (0,), said, (SAFETY, EFFECTIVENESS), disputed=disputed
    )  # fmt: skip
