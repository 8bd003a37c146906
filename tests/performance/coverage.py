"""Whether intervals hold what they say, and tests reject as seldom as they may and as often as they can.

python -m tests.performance.coverage --seed 7 [--scale 0.1]

Two models answer 167 samples in SIUO's nine categories. What they come to is drawn from a model with known truth: each answer is 1
where a normal sum of category, sample, model's view of the sample and the single draw is above a threshold. Where a figure can be
summed exactly, nothing is drawn. Prints Markdown for docs/statistics.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, norm
from statsmodels.stats.contingency_tables import mcnemar as peer

from siuo_async.stats.differences import difference_interval, smallest_visible
from siuo_async.stats.intervals import wilson
from siuo_async.stats.paired import Floats, Ints, mcnemar, sign_flip
from siuo_async.stats.redraw import redraw_sd_of_mean, redraw_sd_of_votes
from siuo_async.stats.resampling import Design, bootstrap_means, design, share_interval

SIZES = (19, 18, 20, 18, 16, 18, 20, 17, 21)
"""SIUO's categories."""
N = sum(SIZES)
STRATA = np.repeat(np.arange(len(SIZES)), SIZES)
EFFECTS = 0.5 * norm.ppf((np.arange(len(SIZES)) + 0.5) / len(SIZES))
SHARES = (0.3, 0.5, 0.8, 0.95)
DRAW = 0.2
"""Of the variance: what differs between two answers to the same question."""
ALONE, IN_PAIRS = np.arange(N), np.arange(N) // 2


@dataclass(frozen=True)
class World:
    """Two models whose shares are known."""

    a: float
    b: float
    alike: float
    """Of the variance: what makes a sample hard for both models."""
    answers: int = 1
    clusters: Ints | None = None

    @property
    def thresholds(self) -> tuple[float, float]:
        return _threshold(self.a), _threshold(self.b)

    def draw(self, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Ones of each sample, out of `answers`, of both models."""
        of_sample = self._normal(random)
        return tuple(self._ones(random, of_sample, threshold) for threshold in self.thresholds)  # type: ignore[return-value]

    def _ones(self, random: np.random.Generator, of_sample: Floats, threshold: float) -> Floats:
        view = max(0.0, 1 - self.alike - DRAW)
        noise = random.normal(size=(N, self.answers)) * sqrt(1 - self.alike - view)
        fixed = threshold + EFFECTS[STRATA] + sqrt(self.alike) * of_sample + sqrt(view) * self._normal(random)
        return np.asarray(((fixed[:, None] + noise) > 0).sum(axis=1), dtype=float)

    def _normal(self, random: np.random.Generator) -> Floats:
        """Of each sample; samples of one cluster share most of it."""
        own = random.normal(size=N)
        if self.clusters is None:
            return own
        shared = random.normal(size=N)[self.clusters]
        return np.asarray(sqrt(0.8) * shared + sqrt(0.2) * own)


@cache
def _threshold(share: float) -> float:
    """At which the mean over the categories is `share`."""
    weights = np.array(SIZES) / N
    return float(brentq(lambda z: float(weights @ norm.cdf(z + EFFECTS)) - share, -8, 8))


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def wilson_rows() -> list[list[str]]:
    """Exact: the chance of each k times whether its interval holds p."""
    rows = []
    for p in SHARES:
        ends = [wilson(k, N) for k in range(N + 1)]
        held = sum(binom.pmf(k, N, p) for k, (low, high) in enumerate(ends) if low <= p <= high)
        half = 1.96 * np.sqrt(np.arange(N + 1) / N * (1 - np.arange(N + 1) / N) / N)
        wald = sum(binom.pmf(k, N, p) for k in range(N + 1) if abs(k / N - p) <= half[k])
        rows.append([f"{p:g}", percent(held), percent(wald)])
    return rows


def _bootstrap(differences: Floats, random: np.random.Generator) -> tuple[float, float]:
    """The plain percentile bootstrap that most tools have, without categories and clusters."""
    values, counts = np.unique(differences, return_counts=True)
    means = random.multinomial(len(differences), counts / len(differences), size=400) @ values / len(differences)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _wald(differences: Floats) -> tuple[float, float]:
    mean, half = differences.mean(), 1.96 * differences.std(ddof=1) / sqrt(len(differences))
    return float(mean - half), float(mean + half)


def difference_rows(random: np.random.Generator, times: int) -> list[list[str]]:
    """Coverage of the interval of a difference, and of two others on the same draws."""
    settings = [
        (a, b, alike, answers, clusters)
        for a, b in ((0.3, 0.3), (0.5, 0.4), (0.8, 0.8), (0.8, 0.7), (0.95, 0.95), (0.98, 0.95))
        for alike, answers, clusters in ((0.3, 1, None), (0.8, 1, None), (0.5, 3, None), (0.5, 1, IN_PAIRS), (0.5, 3, IN_PAIRS))
    ]
    return [_difference_row(World(*setting), random, times) for setting in settings]


def _difference_row(world: World, random: np.random.Generator, times: int) -> list[str]:
    truth, drawn = world.a - world.b, design(STRATA, ALONE if world.clusters is None else world.clusters)
    held = np.zeros(3)
    widths = np.zeros(3)
    pointless = np.zeros(3)
    for _ in range(times):
        one, other = world.draw(random)
        differences = (one - other) / world.answers
        for number, (low, high) in enumerate(
            (difference_interval(differences, drawn), _wald(differences), _bootstrap(differences, random))
        ):
            held[number] += low <= truth <= high
            widths[number] += high - low
            pointless[number] += high - low < 1e-9
    setting = [f"{world.a:g}, {world.b:g}", f"{world.alike:g}", str(world.answers), "2" if world.clusters is not None else "1"]
    return [*setting, *(percent(each / times) for each in held), f"{100 * widths[0] / times:.1f}", percent(pointless[2] / times)]


def per_answer_rows(random: np.random.Generator, times: int) -> list[list[str]]:
    """Coverage of the interval of a mean over three answers."""
    rows = []
    for p in SHARES:
        for clusters in (None, IN_PAIRS):
            drawn = design(STRATA, ALONE if clusters is None else clusters)
            held = sum(_holds(World(p, p, 0.5, 3, clusters), drawn, random) for _ in range(times))
            rows.append([f"{p:g}", "1" if clusters is None else "2", percent(held / times)])
    return rows


def _holds(world: World, drawn: Design, random: np.random.Generator) -> bool:
    ones, _ = world.draw(random)
    mean, answers = float(ones.sum()) / (3 * N), np.full((N, 1), 3.0)
    draws = bootstrap_means(ones[:, None], answers, drawn, draws=500, seed=int(random.integers(1 << 31)))
    low, high = share_interval(mean, float(draws.var(ddof=1)), drawn.clusters, 3 * N)
    return low <= world.a <= high


def size_rows() -> tuple[list[list[str]], float]:
    """Exact, one answer: how often models that are alike are told apart at 5%, by the share of samples where they differ."""
    by_number = np.array([_rejected(m) for m in range(N + 1)])

    def sizes(discordant: float) -> Floats:
        return np.asarray(binom.pmf(np.arange(N + 1), N, discordant) @ by_number)

    shown = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
    rows = [[f"{each:g}", *(f"{100 * size:.2f}" for size in sizes(each))] for each in shown]
    return rows, max(float(sizes(each)[0]) for each in np.arange(0.005, 1.0, 0.005))


def _rejected(m: int) -> tuple[float, float]:
    """The chance that McNemar's test, mid-p and exact, rejects with m samples that differ, each to either side alike."""
    k = np.arange(m + 1)
    chances = binom.pmf(k, m, 0.5)
    exact = np.minimum(1.0, 2 * binom.cdf(np.minimum(k, m - k), m, 0.5))
    ours = np.array([mcnemar(int(each), m - int(each)) for each in k])
    return float(chances[ours <= 0.05].sum()), float(chances[exact <= 0.05].sum())


def test_rows(random: np.random.Generator, times: int) -> list[list[str]]:
    """How often the test rejects: models that are alike, and models that are not, beside McNemar's test by statsmodels on the votes."""
    settings = [(p, p) for p in SHARES] + [(0.5, 0.4), (0.8, 0.72), (0.95, 0.9)]
    rows = []
    for a, b in settings:
        for alike, answers in ((0.3, 1), (0.8, 1), (0.3, 3), (0.8, 3)):
            ours, theirs = _rejections(World(a, b, alike, answers), random, times)
            told = "size" if a == b else "power"
            rows.append([told, f"{a:g}, {b:g}", f"{alike:g}", str(answers), percent(ours / times), percent(theirs / times)])
    return rows


def _rejections(world: World, random: np.random.Generator, times: int) -> tuple[int, int]:
    ours = theirs = 0
    for _ in range(times):
        one, other = world.draw(random)
        a, b = (ones > world.answers / 2 for ones in (one, other))
        only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
        p = mcnemar(only_a, only_b) if world.answers == 1 else sign_flip((one - other) / world.answers)
        ours += p <= 0.05
        theirs += float(peer([[0, only_a], [only_b, 0]], exact=True).pvalue) <= 0.05
    return ours, theirs


def clustered_size_rows(random: np.random.Generator, times: int) -> list[list[str]]:
    """How often models that are alike are told apart where samples come in pairs: by cluster, and as if they did not."""
    rows = []
    for p in SHARES:
        world = World(p, p, 0.3, 3, IN_PAIRS)
        ours = naive = 0
        for _ in range(times):
            one, other = world.draw(random)
            differences = (one - other) / 3
            ours += sign_flip(differences, IN_PAIRS) <= 0.05
            naive += sign_flip(differences) <= 0.05
        rows.append([f"{p:g}", percent(ours / times), percent(naive / times)])
    return rows


def visible_rows(random: np.random.Generator, times: int) -> list[list[str]]:
    """The smallest visible difference as two alike models' answers tell it, and how often the test finds one of that size."""
    rows = []
    for share in (0.5, 0.8, 0.95):
        for answers in (1, 3):
            alike = World(share, share, 0.5, answers)
            told = float(np.median([_visible(alike, random) for _ in range(max(20, times // 10))]))
            low = share - told
            if low <= 0.01:
                continue
            found, _ = _rejections(World(share, low, 0.5, answers), random, times)
            rows.append([f"{share:g}", str(answers), f"{100 * told:.1f}", percent(found / times)])
    return rows


def _visible(world: World, random: np.random.Generator) -> float:
    one, other = world.draw(random)
    share = float((one + other).mean()) / (2 * world.answers)
    found = smallest_visible((one - other) / world.answers, design(STRATA, ALONE), share, step=1 / world.answers)
    return 1.0 if found is None else found


def redraw_rows(random: np.random.Generator, times: int) -> list[list[str]]:
    """How far figures move when the answers of the same samples are drawn again, and what one draw tells of it."""
    rows = []
    for share in SHARES:
        for answers in (3, 5):
            view = _threshold(share) + EFFECTS[STRATA] + sqrt(1 - DRAW) * random.normal(size=N)
            ones = random.binomial(answers, norm.cdf(view / sqrt(DRAW)), size=(times, N))
            means, votes = (ones / answers).mean(axis=1), (ones > answers / 2).mean(axis=1)
            of_means = [redraw_sd_of_mean(draw, [answers] * N) or 0.0 for draw in ones[:100]]
            of_votes = [redraw_sd_of_votes(draw, answers) or 0.0 for draw in ones[:100]]
            figures = (np.mean(of_means), means.std(), np.mean(of_votes), votes.std())
            rows.append([f"{share:g}", str(answers), *(f"{100 * float(each):.2f}" for each in figures)])
    return rows


def main(words: Sequence[str] | None = None) -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of draws")
    told = parser.parse_args(words)
    random, begun = np.random.default_rng(told.seed), time.monotonic()

    def times(most: int) -> int:
        return max(2, round(most * told.scale))

    table("Wilson 95% intervals, n = 167: coverage in percent, exact", ["p", "Wilson", "Wald"], wilson_rows())
    heads = ["p of both", "alike", "answers", "per cluster", "ours", "Wald", "bootstrap", "our width", "bootstrap without width"]
    count = times(2000)
    table(f"Intervals of a paired difference: coverage in percent, {count} draws each", heads, difference_rows(random, count))
    count = times(1000)
    table(
        f"Intervals of a mean over 3 answers: coverage in percent, {count} draws each",
        ["p", "per cluster", "coverage"],
        per_answer_rows(random, count),
    )
    rows, largest = size_rows()
    heads = ["samples that differ", "mid-p", "exact conditional"]
    table(f"McNemar's test with one answer: size in percent, exact; mid-p at most {100 * largest:.2f}", heads, rows)
    count = times(2000)
    heads = ["", "p of both", "alike", "answers", "ours", "McNemar's test of statsmodels (votes)"]
    table(f"Tests at 5%: models told apart in percent of {count} draws", heads, test_rows(random, count))
    heads = ["p of both", "by cluster", "as if alone"]
    table(
        f"3 answers, two samples per cluster, models alike: told apart in percent of {count} draws",
        heads,
        clustered_size_rows(random, count),
    )
    heads = ["p", "answers", "smallest visible difference, points", "power at it"]
    table(f"The smallest visible difference: power in percent of {count} draws", heads, visible_rows(random, count))
    heads = ["p", "answers", "mean: told", "mean: true", "vote: told", "vote: true"]
    table(f"Another draw of the same samples' answers: standard deviation in points, {count} draws", heads, redraw_rows(random, count))
    print(f"\nseed {told.seed}, {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
