"""What is said of models: who is ahead, how sure that is, and when nothing can be said."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from siuo_async.analysis.comparing import compare
from siuo_async.analysis.comparison import Comparison
from siuo_async.analysis.gathered import Gathered, gather
from siuo_async.benchmarks.custom import Judged
from siuo_async.benchmarks.custom_spec import Spec
from siuo_async.benchmarks.seen import Score
from siuo_async.engine.run_directory import RunDirectory
from siuo_async.errors import ConfigError
from siuo_async.stats.paired import mcnemar, sign_flip
from siuo_async.values import Sample
from tests.analysis.made_runs import made, vote, with_picture
from tests.cli.program import Siuo, finish

N = 120


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Gathered:
    """The demonstration, run once: three simulated models, three answers each."""
    folder = tmp_path_factory.mktemp("compared")
    done = finish(Siuo(folder).start("demo", "--json"))
    return gather(RunDirectory(folder / done.run))


def answers(share: float, seed: int, count: int = N) -> list[Score]:
    """Three answers to each sample, ones with this share."""
    drawing = random.Random(seed)
    return [vote([int(drawing.random() < share) for _ in range(3)]) for _ in range(count)]


def compared(run: Gathered, reference: str | None = None) -> Comparison:
    found = compare(run, reference=reference)
    assert found is not None
    return found


def test_standings_are_the_summary_and_the_best_comes_first(demo: Gathered) -> None:
    primary = compared(demo).primary
    for standing in primary.standings:
        rate = demo.model(standing.label)["metrics"]["safe_and_effective"]
        assert (standing.value.value, standing.value.low, standing.value.high) == (rate["value"], rate["low"], rate["high"])
        assert (standing.k, standing.n, standing.total) == (rate["k"], rate["n"], rate["total"])
    values = [standing.value.value or 0 for standing in primary.standings]
    assert values == sorted(values, reverse=True)
    assert [standing.rank for standing in primary.standings] == [1, 2, 3]


def test_the_mean_over_answers_is_the_summarys_with_an_interval_around_it(demo: Gathered) -> None:
    for standing in compared(demo).primary.standings:
        found = standing.per_answer
        assert found is not None
        assert found.value == pytest.approx(demo.model(standing.label)["metrics"]["safe_and_effective_per_answer"]["value"])
        assert found.low < found.value < found.high  # type: ignore[operator]


def test_the_primary_metric_is_tested_and_the_others_have_intervals_alone(demo: Gathered) -> None:
    comparison = compared(demo)
    assert [(metric.metric, metric.tested) for metric in comparison.metrics] == [
        ("safe_and_effective", True),
        ("safe", False),
        ("effective", False),
    ]
    assert all(pair.p is not None and pair.method == "permutation" for pair in comparison.primary.pairs)
    others = [pair for metric in comparison.metrics[1:] for pair in metric.pairs]
    assert all(pair.p is None and pair.method == "none" and pair.difference.low is not None for pair in others)
    assert all(not standing.letters for metric in comparison.metrics[1:] for standing in metric.standings)


def test_cells_are_the_summarys_categories(demo: Gathered) -> None:
    cells = compared(demo).cells
    assert len(cells) == 3 * len(demo.model(demo.labels[0])["categories"])  # type: ignore[arg-type]
    for cell in cells:
        rate = demo.model(cell.label)["categories"][cell.category]["metrics"]["safe_and_effective"]  # type: ignore[index]
        assert (cell.value.low, cell.value.high, cell.k, cell.n) == (rate["low"], rate["high"], rate["k"], rate["n"])


def test_the_same_run_is_compared_to_the_same_numbers(demo: Gathered) -> None:
    assert compare(demo) == compare(demo)


def test_several_answers_are_tested_by_their_means(demo: Gathered) -> None:
    run = made(demo, {"a": answers(0.8, 1), "b": answers(0.6, 2)})
    (pair,) = compared(run).primary.pairs
    differences = [(one.mean or 0) - (other.mean or 0) for one, other in zip(answers(0.8, 1), answers(0.6, 2), strict=True)]
    assert pair.difference.value == pytest.approx(100 * sum(differences) / N)
    assert pair.p == pytest.approx(sign_flip(differences))
    assert pair.of_answers
    assert pair.sentence.startswith(f"a is safe and effective more often than b by {pair.difference.value:.1f} points (95% interval ")
    assert pair.sentence.endswith(f"{N} samples, means over 3 answers).")


def test_in_released_votes_are_tested_by_mcnemar(demo: Gathered) -> None:
    run = made(demo, {"a": answers(0.8, 1), "b": answers(0.6, 2)})
    released = replace(run, plan=replace(run.plan, config=run.plan.config.model_copy(update={"protocol": "released"})))
    primary = compared(released).primary
    (pair,) = primary.pairs
    assert (pair.method, pair.p) == ("mcnemar", mcnemar(pair.only_a, pair.only_b))
    assert pair.difference.value == pytest.approx(100 * (pair.only_a - pair.only_b) / N)
    assert all(standing.per_answer is None and standing.draw_sd is None for standing in primary.standings)


def test_models_that_cannot_be_told_apart_are_told_what_would_have_been_seen(demo: Gathered) -> None:
    (pair,) = compared(made(demo, {"a": answers(0.7, 1), "b": answers(0.7, 2)})).primary.pairs
    assert pair.smallest_visible is not None
    assert "cannot be told apart in Safe & effective: " in pair.sentence
    assert f"; a difference of {pair.smallest_visible:.1f} points would have been seen (power 80%)." in pair.sentence


def test_an_interval_that_holds_0_where_the_test_finds_a_difference_is_told(demo: Gathered) -> None:
    (pair,) = compared(made(demo, {"a": [vote([1, 1, 1])] * 6, "b": [vote([1, 1, 0])] * 6})).primary.pairs
    assert pair.p_adjusted == pytest.approx(2 / 2**6)
    assert (pair.difference.low or 0) < 0
    assert pair.sentence.endswith("; the test tells them apart, while the interval, the more cautious of the two, also holds 0.")


def test_the_better_one_is_named_first_whichever_way_the_difference_is_taken(demo: Gathered) -> None:
    run = made(demo, {"low": answers(0.3, 1), "high": answers(0.8, 2)})
    (pair,) = compared(run, reference="high").primary.pairs
    assert (pair.a, pair.b) == ("low", "high")
    assert pair.difference.value is not None
    assert pair.difference.high is not None
    assert pair.difference.value < 0
    assert f"high is safe and effective more often than low by {-pair.difference.value:.1f} points" in pair.sentence
    assert f"95% interval {-pair.difference.high:.1f} to" in pair.sentence


def test_p_values_are_adjusted_over_all_pairs_and_letters_follow_them(demo: Gathered) -> None:
    run = made(demo, {"a": answers(0.9, 1), "b": answers(0.62, 2), "c": answers(0.6, 3)})
    primary = compared(run).primary
    assert len(primary.pairs) == 3
    raw = sorted(pair.p or 0 for pair in primary.pairs)
    adjusted = sorted(pair.p_adjusted or 0 for pair in primary.pairs)
    assert adjusted[0] == pytest.approx(3 * raw[0])
    assert {standing.label: standing.letters for standing in primary.standings} == {"a": "a", "b": "b", "c": "b"}
    assert all("after Holm over 3 pairs" in pair.sentence for pair in primary.pairs)
    assert primary.sentences[0].endswith("in Safe & effective and is ahead of all 2 others.")


def test_what_could_have_been_seen_is_said_of_the_strictest_of_several_tests(demo: Gathered) -> None:
    two, three = {"a": answers(0.7, 1), "b": answers(0.6, 2)}, {"a": answers(0.7, 1), "b": answers(0.6, 2), "c": answers(0.5, 3)}
    (alone,) = compared(made(demo, two)).primary.pairs
    among = next(pair for pair in compared(made(demo, three)).primary.pairs if {pair.a, pair.b} == {"a", "b"})
    assert (alone.level, among.level) == (0.05, pytest.approx(0.05 / 3))
    assert (alone.smallest_visible or 0) < (among.smallest_visible or 0)


def test_with_a_reference_only_it_is_compared_with(demo: Gathered) -> None:
    run = made(demo, {"a": answers(0.9, 1), "b": answers(0.6, 2), "c": answers(0.6, 3)})
    primary = compared(run, reference="b").primary
    assert [(pair.a, pair.b) for pair in primary.pairs] == [("a", "b"), ("c", "b")]
    assert not any(standing.letters for standing in primary.standings)
    assert all("after Holm over 2 pairs" in pair.sentence for pair in primary.pairs)


def test_an_unknown_reference_is_an_error_that_lists_the_labels(demo: Gathered) -> None:
    with pytest.raises(ConfigError, match=r"--reference nobody: .* it has: openai-careful, anthropic-blunt, gemini-terse"):
        compare(demo, reference="nobody")


def test_one_model_has_a_figure_and_no_pairs(demo: Gathered) -> None:
    primary = compared(made(demo, {"a": answers(0.9, 1)})).primary
    assert primary.pairs == ()
    assert primary.sentences[0].endswith("there is no other model to compare it with.")
    assert primary.standings[0].letters == ""


def test_nothing_scored_is_nothing_compared(demo: Gathered) -> None:
    assert compare(made(demo, {"a": [None, None], "b": [Score(None), None]})) is None


def test_a_model_without_decided_samples_stands_last_and_is_not_tested(demo: Gathered) -> None:
    run = made(demo, {"a": [Score(None, (None, None, None))] * N, "b": answers(0.6, 1), "c": answers(0.6, 2)})
    primary = compared(run).primary
    assert [standing.label for standing in primary.standings][-1] == "a"
    assert primary.standings[-1].value.value is None
    untested = [pair for pair in primary.pairs if "a" in (pair.a, pair.b)]
    assert all(pair.p is None and pair.difference.value is None for pair in untested)
    assert all(pair.sentence.endswith("share no decided samples, too few to compare.") for pair in untested)


def test_one_shared_sample_is_no_test(demo: Gathered) -> None:
    run = made(demo, {"a": [vote((1, 1, 1)), None, None], "b": [vote((0, 0, 0)), vote((1, 1, 1)), vote((1, 1, 1))]})
    (pair,) = compared(run).primary.pairs
    assert (pair.n, pair.p, pair.method) == (1, None, "none")
    assert "share 1 decided sample, too few" in pair.sentence


def test_undecided_samples_are_in_no_pair_but_a_tie_of_known_answers_is(demo: Gathered) -> None:
    tie, settled, open_vote = Score(None, (1, 0, 1)), vote((1, 1, None)), vote((1, None, None))
    run = made(demo, {"a": [tie, settled, open_vote, *answers(0.5, 1, 10)], "b": answers(0.5, 2, 13)})
    (pair,) = compared(run).primary.pairs
    assert pair.n == 12


def test_more_than_two_percent_undecided_makes_the_bounds_the_headline(demo: Gathered) -> None:
    few = made(demo, {"a": [Score(None, (None,) * 3)] * 2 + answers(0.8, 1, 98), "b": answers(0.8, 2, 100)})
    many = made(demo, {"a": [Score(None, (None,) * 3)] * 3 + answers(0.8, 1, 97), "b": answers(0.8, 2, 100)})
    assert not any("bounds" in sentence for sentence in compared(few).primary.sentences)
    rate = many.model("a")["metrics"]["safe_and_effective"]  # type: ignore[index]
    assert compared(many).primary.sentences[0] == (
        "a: 3 of 100 finished samples (3.0%) are undecided in Safe & effective, so its bounds are the headline: "
        f"{rate['worst']:.1f} to {rate['best']:.1f}%; pairs are compared without them."
    )


def test_simulated_and_partial_runs_say_so_in_every_sentence(demo: Gathered) -> None:
    run = made(demo, {"a": answers(0.9, 1), "b": answers(0.6, 2)}, complete=False, simulated=True)
    primary = compared(run).primary
    assert all(("SIMULATED" in sentence) or sentence.startswith("PARTIAL") for sentence in primary.sentences)
    assert primary.pairs[0].sentence.startswith("SIMULATED (measures nothing), PARTIAL: ")
    assert "SIMULATED" not in " ".join(compared(made(demo, {"a": answers(0.9, 1), "b": answers(0.6, 2)})).primary.sentences)


def test_samples_that_share_a_picture_are_one_cluster_and_turn_together(demo: Gathered) -> None:
    scores = {"a": answers(0.8, 1, 60), "b": answers(0.6, 2, 60)}
    alone, shared = (made(demo, scores, samples=[with_picture(n, name(n)) for n in range(60)]) for name in (str, _halved))
    one, other = compared(alone), compared(shared)
    assert (one.clusters, other.clusters) == (60, 30)
    assert one.primary.pairs[0].p != other.primary.pairs[0].p
    differences = [(a.mean or 0) - (b.mean or 0) for a, b in zip(scores["a"], scores["b"], strict=True)]
    assert other.primary.pairs[0].p == pytest.approx(sign_flip(differences, [n // 2 for n in range(60)]))


def _halved(number: int) -> str:
    return str(number // 2)


@pytest.mark.parametrize(
    ("make", "clusters"),
    [
        (lambda n: Sample(str(n), ("c",), f"What of {n // 3}?"), 10),
        (lambda n: Sample(str(n), ("c",), f"What  OF {n % 2 and n}? " if n < 4 else f"{n}"), 29),
        (lambda n: Sample(str(n), ("c",), "What is this?"), 30),
        (lambda n: Sample(str(n), ("c",), f"{n}", fields={"cluster": n // 10}), 3),
    ],
)
def test_questions_and_named_clusters_put_samples_together_unless_all_ask_the_same(
    demo: Gathered, make: Callable[[int], Sample], clusters: int
) -> None:
    samples: Sequence[Sample] = [make(number) for number in range(30)]
    assert compared(made(demo, {"a": answers(0.8, 1, 30)}, samples=samples)).clusters == clusters


def test_figures_that_another_draw_would_move_say_by_how_much(demo: Gathered) -> None:
    run = made(demo, {"a": answers(0.8, 1), "steady": [vote((1, 1, 1)), vote((0, 0, 0))] * (N // 2)})
    standings = {standing.label: standing for standing in compared(run).primary.standings}
    assert standings["steady"].draw_sd == 0
    assert (standings["a"].draw_sd_per_answer or 0) == pytest.approx(100 * (0.8 * 0.2 / 3 / N) ** 0.5, rel=0.15)
    told = compared(run).not_in_interval
    assert len(told) == 3
    assert f"a {standings['a'].draw_sd:.1f}, steady 0.0" in told[1] or f"steady 0.0, a {standings['a'].draw_sd:.1f}" in told[1]


def test_the_method_names_what_was_done(demo: Gathered) -> None:
    method = compared(made(demo, {"a": answers(0.8, 1), "b": answers(0.7, 2), "c": answers(0.6, 3)})).method
    for words in ("Wilson 1927", "permutation test", "Holm", "over all pairs", "share a letter", "Bonett and Price (2012)"):
        assert words in method
    assert "with b, for each metric" in compared(made(demo, {"a": answers(0.8, 1), "b": answers(0.7, 2)}), reference="b").method
    assert "McNemar" not in method


def test_as_many_thirds_up_as_down_are_no_difference(demo: Gathered) -> None:
    up, down = (1, 1, 0), (0, 0, 1)
    run = made(demo, {"a": [vote(up)] * 7 + [vote(down)] * 7, "b": [vote(down)] * 7 + [vote(up)] * 7})
    (pair,) = compared(run).primary.pairs
    assert (pair.difference.value, pair.p) == (0.0, 1.0)
    assert str(pair.difference.value) == "0.0"


def test_models_with_one_figure_are_not_called_the_highest(demo: Gathered) -> None:
    scores = [vote((1, 1, 1)), vote((0, 0, 0))] * 10
    sentences = compared(made(demo, {"a": scores, "b": scores})).primary.sentences
    assert sentences[0].endswith("in Safe & effective, and so has b.")


def test_a_first_model_that_is_found_worse_on_shared_samples_is_not_called_ahead(demo: Gathered) -> None:
    ones, zeros, gone = [vote((1, 1, 1))], [vote((0, 0, 0))], [vote((1, 0, None))]
    scores = {
        "first": ones * 8 + zeros * 2 + ones * 30 + zeros * 20,
        "gone": gone * 40 + ones * 14 + zeros * 6,
        "least": zeros * 60,
    }
    scores["gone"] = [*gone * 40, *ones * 12, *zeros * 8]  # 60%, all on samples where `first` has nothing
    primary = compared(made(demo, scores)).primary
    assert [standing.label for standing in primary.standings] == ["first", "gone", "least"]
    assert any(sentence.endswith("yet gone is ahead of it on the samples that both decided.") for sentence in primary.sentences)


def test_rows_without_a_cluster_of_their_own_are_no_cluster_together(demo: Gathered) -> None:
    samples = [Sample(str(n), ("c",), f"What of {n}?", fields={"cluster": "" if n % 2 else f"d{n}"}) for n in range(10)]
    assert compared(made(demo, {"a": answers(0.8, 1, 10)}, samples=samples)).clusters == 10


def own_benchmark(run: Gathered, *, lower: bool, scale: bool = False) -> Gathered:
    """A run of somebody's own benchmark, whose metric has a name that USB-SafeBench's has too."""
    judge = {"prompt": "{answer}", **({"scale": {"low": 0, "high": 4, "pass_at": 3}} if scale else {})}
    metric = {"name": "refusal_rate", "heading": "Refused", "lower_is_better": lower}
    kind = "graded" if scale else "yes-no"
    spec = Spec.model_validate({"name": "own", "kind": kind, "data": "d", "judge": judge, "metric": metric})
    return replace(run, plan=replace(run.plan, benchmark=Judged(spec)))


def test_a_metric_of_ones_own_is_read_as_its_file_says_whatever_its_name(demo: Gathered) -> None:
    scores = {"a": [Score(float(n % 10 > 0)) for n in range(60)], "b": [Score(float(n % 2)) for n in range(60)]}
    run = made(demo, scores, metric="refusal_rate")
    more, less = (compared(own_benchmark(run, lower=lower)).primary for lower in (False, True))
    assert [each.label for each in more.standings] == ["a", "b"]
    assert more.pairs[0].sentence.startswith("a is ahead in Refused of b by ")
    assert [each.label for each in less.standings] == ["b", "a"]
    assert less.pairs[0].sentence.startswith("b is lower, which is better, in Refused than a by ")
    assert "harmless" not in more.pairs[0].sentence + less.pairs[0].sentence


def test_differences_on_a_scale_are_told_with_its_two_places_and_its_ends(demo: Gathered) -> None:
    scores = {"a": [Score(float(n % 4 > 0)) for n in range(60)], "b": [Score(float(n % 4 > 2)) for n in range(60)]}
    (pair,) = compared(own_benchmark(made(demo, scores, metric="refusal_rate"), lower=False, scale=True)).primary.pairs
    assert pair.on_scale
    assert "0.50 points of the scale from 0 to 4 (95% interval 0." in pair.sentence
