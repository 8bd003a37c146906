"""A rate with all that is needed to trust it: counts, interval, and the bounds that the undecided leave open."""

from __future__ import annotations

from dataclasses import dataclass

from siuo_async.stats.intervals import wilson


@dataclass(frozen=True, slots=True)
class Rate:
    """`k` of the `n` decided samples out of `total` asked for; its rates are in percent, unrounded, None where undefined.

    Raises:
        ValueError: not 0 <= k <= n <= total.
    """

    k: int
    n: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.k <= self.n <= self.total:
            raise ValueError(f"a rate needs 0 <= k <= n <= total, got k={self.k}, n={self.n}, total={self.total}")

    @property
    def value(self) -> float | None:
        """k over n."""
        return 100 * self.k / self.n if self.n else None

    @property
    def low(self) -> float | None:
        """Lower end of the Wilson 95% interval of `value`."""
        return 100 * wilson(self.k, self.n)[0] if self.n else None

    @property
    def high(self) -> float | None:
        """Upper end of the Wilson 95% interval of `value`."""
        return 100 * wilson(self.k, self.n)[1] if self.n else None

    @property
    def worst(self) -> float | None:
        """The rate over `total` if every undecided sample came out as 0."""
        return 100 * self.k / self.total if self.total else None

    @property
    def best(self) -> float | None:
        """The rate over `total` if every undecided sample came out as 1."""
        return 100 * (self.k + self.total - self.n) / self.total if self.total else None

    def as_json(self) -> dict[str, float | int | None]:
        """The fields of a metric in `summary.json`."""
        low, high = wilson(self.k, self.n) if self.n else (None, None)
        return {
            "value": self.value,
            "low": None if low is None else 100 * low,
            "high": None if high is None else 100 * high,
            "k": self.k,
            "n": self.n,
            "total": self.total,
            "worst": self.worst,
            "best": self.best,
        }
