"""Whether a model is right as often as it says: bins of confidence, and the expected calibration error.

Confidence is either stated (whole percent) or a probability (from log-probabilities). Only integers are summed, a probability
in units of 1e-9, so the order in which samples finish changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from siuo_async.values import Json

BIN_WIDTH: Final = 5
"""Percent points, as in the figure of the Chinese SafetyQA paper."""

_BINS: Final = 100 // BIN_WIDTH
_UNITS_OF_ONE: Final = 1_000_000_000


@dataclass(slots=True)
class _Bin:
    n: int = 0
    confidence: int = 0
    """Sum, in the calibration's units."""
    correct: int = 0


def _empty_bins() -> list[_Bin]:
    return [_Bin() for _ in range(_BINS)]


@dataclass(slots=True)
class Calibration:
    """Counters over the answers of one model.

    Args:
        probabilities: whether confidences are probabilities from 0 to 1; else whole percent from 0 to 100.
    """

    probabilities: bool = False
    unstated: int = 0
    """Answers without a readable confidence."""
    _bins: list[_Bin] = field(default_factory=_empty_bins)

    @property
    def _point(self) -> int:
        """Units in one percent point."""
        return _UNITS_OF_ONE // 100 if self.probabilities else 1

    def add(self, confidence: float | None, correct: int) -> None:
        """Counts one answer. A last bin takes 95 to 100, the others five points each.

        Args:
            confidence: None where none was stated; it is counted, and `correct` is not looked at.
            correct: 1 or 0.

        Raises:
            ValueError: a confidence outside its range, or one in percent that is no whole number.
        """
        if confidence is None:
            self.unstated += 1
            return
        units = self._units(confidence)
        chosen = self._bins[min(units // (BIN_WIDTH * self._point), _BINS - 1)]
        chosen.n += 1
        chosen.confidence += units
        chosen.correct += bool(correct)

    def _units(self, confidence: float) -> int:
        if not 0 <= confidence <= (1 if self.probabilities else 100):
            raise ValueError(f"a confidence of {confidence!r} is out of range")
        if self.probabilities:
            return round(confidence * _UNITS_OF_ONE)
        if confidence != int(confidence):
            raise ValueError(f"a stated confidence is a whole percentage, got {confidence!r}")
        return int(confidence)

    def as_json(self) -> dict[str, Json]:
        """`n`, `unstated`, `mean_confidence`, `accuracy`, `ece` and `bins`; in percent and percent points, None without answers.

        ece = sum over bins of n_b/n |accuracy_b - confidence_b|. A bin holds `low` and `high` (percent; whole numbers in the
        bin for stated confidence, its ends for probabilities), `n`, `mean_confidence` and `accuracy`; empty ones are left out.
        """
        n = sum(each.n for each in self._bins)
        last = 0 if self.probabilities else 1
        # n_b |100 correct_b/n_b - confidence_b/(n_b point)|: exact until the division at the end.
        off = sum(abs(100 * self._point * each.correct - each.confidence) for each in self._bins)
        return {
            "n": n,
            "unstated": self.unstated,
            "mean_confidence": sum(each.confidence for each in self._bins) / (n * self._point) if n else None,
            "accuracy": 100 * sum(each.correct for each in self._bins) / n if n else None,
            "ece": off / (n * self._point) if n else None,
            "bins": [
                {
                    "low": number * BIN_WIDTH,
                    "high": 100 if number == _BINS - 1 else (number + 1) * BIN_WIDTH - last,
                    "n": each.n,
                    "mean_confidence": each.confidence / (each.n * self._point),
                    "accuracy": 100 * each.correct / each.n,
                }
                for number, each in enumerate(self._bins)
                if each.n
            ],
        }
