"""Custom benchmarks with canned answers: who is judged and how, and what stands for an answer that is not."""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Any, cast

import pytest

from siuo_async.benchmarks.custom import STAGE, Judged, asked_text, build_custom
from siuo_async.benchmarks.custom_scores import Points, Scored, ScoredTally, Shape
from siuo_async.benchmarks.custom_spec import Spec, read_spec
from siuo_async.benchmarks.data.custom_data import load_custom
from siuo_async.benchmarks.judged import Verdict, verdict
from siuo_async.errors import ConfigError, DataError, UsageError
from siuo_async.values import Answer, Outcome, Picture, Sample
from tests.engine.samples import PICTURE, CannedAsk, answered

YES_NO: dict[str, Any] = {
    "name": "mine",
    "kind": "yes-no",
    "data": "rows.jsonl",
    "judge": {"prompt": "Look for {what}.\n{question}\n{answer}\nIs it there?"},
}
GRADED = YES_NO | {"kind": "graded", "judge": YES_NO["judge"] | {"scale": {"low": 1, "high": 5, "pass_at": 4}}}
LETTER: dict[str, Any] = {"name": "mine", "kind": "letter", "data": "rows.jsonl"}
SAMPLE = Sample("1", ("all",), "What is this?", (PICTURE,), {"what": "a warning"})
CHOICE = Sample("1", ("all",), "Which?", (), {"options": {"A": "red", "B": "green", "C": "blue"}, "gold": "C"})
DECLINED = Answer(Outcome.DECLINED, reason="refusal")
EMPTY = Answer(Outcome.EMPTY, finish="stop")
FAILED = Answer(Outcome.FAILED)


def built(settings: dict[str, Any], *, answers: int | None = None, judged: bool = True, **more: Any) -> Any:
    spec = Spec.model_validate(settings | more)
    return build_custom(spec, answers=answers, judged=judged, system=None, option_seed=None)


async def lived(
    settings: dict[str, Any], *answers: Answer, says: str = "Verdict: yes", judged: bool = True, **more: Any
) -> tuple[Scored, CannedAsk]:
    ask = CannedAsk(answers, {(STAGE, 0, 1): answered(says), (STAGE, 1, 1): answered(says)})
    benchmark = built(settings, answers=len(answers) if "judge" in settings else None, judged=judged, **more)
    return await benchmark.evaluate(SAMPLE if "judge" in settings else CHOICE, ask), ask


async def test_a_yes_is_one_and_a_no_is_none() -> None:
    assert (await lived(YES_NO, answered()))[0].values == {"rate": 1}
    assert (await lived(YES_NO, answered(), says="no"))[0].values == {"rate": 0}


async def test_a_no_may_be_what_counts() -> None:
    settings = YES_NO | {"judge": YES_NO["judge"] | {"positive": "no"}}
    assert (await lived(settings, answered(), says="no"))[0].values == {"rate": 1}
    assert (await lived(settings, answered(), says="yes"))[0].values == {"rate": 0}


async def test_an_unreadable_verdict_is_asked_for_once_more_and_then_missing() -> None:
    found, ask = await lived(YES_NO, answered(), says="Perhaps.")
    assert found.values == {"rate": None}
    assert found.verdicts == (Verdict(None, "unreadable", True),)
    assert ask.questions == [(STAGE, 0, 1), (STAGE, 1, 1)]


async def test_minus_one_may_be_a_verdict_of_a_benchmark_of_ones_own() -> None:
    ask = CannedAsk((), {(STAGE, 0, 1): answered("-1")})
    assert await verdict(cast(Any, ask), (), STAGE, int) == Verdict(-1, "read")


@pytest.mark.parametrize("withheld, expected", [("missing", None), (0, 0), (1, 1)])
async def test_a_declined_answer_scores_what_the_file_says_and_is_counted(withheld: Any, expected: int | None) -> None:
    found, ask = await lived(YES_NO, DECLINED, withheld=withheld)
    assert found.values == {"rate": expected}
    assert found.counts == {"declined or filtered": 1}
    assert ask.questions == []


@pytest.mark.parametrize("answer", [EMPTY, FAILED])
async def test_an_answer_that_never_came_is_missing_whatever_the_file_says(answer: Answer) -> None:
    assert (await lived(YES_NO, answer, withheld=1))[0].values == {"rate": None}


async def test_most_answers_decide_and_each_is_counted_beside() -> None:
    found, _ = await lived(YES_NO, answered("a"), answered("b"), DECLINED)
    assert found.values == {"rate": 1}
    assert found.per_answer == {"rate_per_answer": (1, 1, None)}


async def test_without_a_judge_nothing_is_judged() -> None:
    found, ask = await lived(YES_NO, answered(), judged=False)
    assert found.values == {"rate": None}
    assert found.verdicts == ()
    assert ask.questions == []


def judge_prompt(ask: CannedAsk) -> tuple[list[bool], str]:
    """(whether each part of the judge's prompt is a picture, its text)."""
    (turn,) = ask.prompts[1]
    return [isinstance(part, Picture) for part in turn.parts], next(part for part in turn.parts if isinstance(part, str))


async def test_the_judge_is_asked_with_picture_row_question_and_fenced_answer() -> None:
    _, ask = await lived(YES_NO, answered("It is {what}, a sign."), question="{text} Be brief.")
    assert ask.prompts[0][0].parts == ("What is this? Be brief.", PICTURE)
    pictures, text = judge_prompt(ask)
    assert pictures == [True, False]
    lines = text.split("\n")
    assert lines[:2] == ["Look for a warning.", "What is this? Be brief."]
    assert lines[2].startswith("<untrusted-")
    assert lines[3] == "It is {what}, a sign."
    assert lines[4] == lines[2].replace("<", "</")
    assert lines[5] == "Is it there?"
    assert '"verdict": "yes" or "no"' in lines[-1]


async def test_the_judge_may_be_kept_from_the_picture() -> None:
    _, ask = await lived(YES_NO | {"judge": YES_NO["judge"] | {"picture": False}}, answered())
    assert judge_prompt(ask)[0] == [False]


async def test_a_score_counts_from_the_lower_end_and_passes_at_its_mark() -> None:
    assert (await lived(GRADED, answered(), says="Score: 4"))[0].points == {"score": 3}
    assert (await lived(GRADED, answered(), says="Score: 4"))[0].values == {"pass": True}
    assert (await lived(GRADED, answered(), says="Score: 3"))[0].values == {"pass": False}


async def test_a_score_beside_the_scale_is_missing() -> None:
    found, _ = await lived(GRADED, answered(), says="Score: 7")
    assert (found.points, found.values) == ({"score": None}, {"pass": None})


async def test_a_sample_has_no_score_where_one_of_its_answers_has_none() -> None:
    found, _ = await lived(GRADED, answered("a"), DECLINED, says="Score: 5")
    assert (found.points, found.values) == ({"score": None}, {"pass": None})
    found, _ = await lived(GRADED, answered("a"), DECLINED, says="Score: 5", withheld=1)
    assert (found.points, found.values) == ({"score": 4}, {"pass": False})


async def test_letters_are_read_and_what_is_none_is_wrong_and_counted() -> None:
    plain = {"letter": {"shuffle": False}}
    assert (await lived(LETTER | plain, answered("(C)")))[0].values == {"accuracy": 1}
    assert (await lived(LETTER | plain, answered("A")))[0].values == {"accuracy": 0}
    found, _ = await lived(LETTER | plain, answered("(C)"))
    assert found.notes == {"options": {"A": "red", "B": "green", "C": "blue"}, "gold": "C", "letter": "C"}
    found, _ = await lived(LETTER | plain, answered("Hard to say."))
    assert found.values == {"accuracy": 0}
    assert found.counts["unparsed"] == 1
    assert (await lived(LETTER | plain, DECLINED))[0].values == {"accuracy": None}
    assert (await lived(LETTER | plain, DECLINED, withheld=0))[0].values == {"accuracy": 0}


async def test_shuffled_options_keep_their_right_one() -> None:
    _, ask = await lived(LETTER, answered("A"))
    text = ask.prompts[0][0].parts[0]
    assert isinstance(text, str)
    blue = next(line for line in text.split("\n") if line.endswith("blue"))
    assert (await lived(LETTER, answered(blue[1])))[0].values == {"accuracy": 1}


def test_a_mean_on_a_scale_is_that_of_the_scores_however_they_come() -> None:
    scores = [1, 5, 4, 4, 2, 3, 5]
    shape = Shape(("pass",), {"score": Points(1, 5)}, judged=True)
    forwards, backwards = ScoredTally(shape, ()), ScoredTally(shape, ())
    for tally, order in ((forwards, scores), (backwards, scores[::-1])):
        for score in order:
            tally.add(("all",), Scored({"pass": score >= 4}, points={"score": score - 1}))
    found = forwards.summary({"all": 8})["metrics"]
    assert backwards.summary({"all": 8})["metrics"] == found
    assert found["score"]["value"] == pytest.approx(mean(scores))
    assert found["score"]["low"] < mean(scores) < found["score"]["high"]
    assert found["score"]["worst"] == pytest.approx(mean([*scores, 1]))
    assert found["score"]["best"] == pytest.approx(mean([*scores, 5]))
    assert (found["score"]["n"], found["score"]["total"], found["score"]["unit"]) == (7, 8, "points")
    assert found["pass"]["value"] == pytest.approx(400 / 7)


def test_answers_and_samples_of_one_metric_are_counted_apart() -> None:
    tally = ScoredTally(Shape(("right",), per_answer=("each",), answers=3), ())
    tally.add(("all",), Scored({"right": 1}, per_answer={"each": (1, 0, None), "right": (0, 0, 0)}))
    found = tally.summary({"all": 1})["metrics"]
    assert [(found[name]["k"], found[name]["n"]) for name in ("right", "each")] == [(1, 1), (1, 2)]


def test_a_metric_that_is_not_asked_of_a_sample_is_in_no_total() -> None:
    tally = ScoredTally(Shape(("right", "holds")), ())
    for values in ({"right": 1, "holds": 0}, {"right": 0}, {"right": None, "holds": None}):
        tally.add(("all",), Scored(values))
    found = tally.summary({"all": 4})["metrics"]
    assert (found["right"]["n"], found["right"]["total"]) == (2, 4)
    assert (found["holds"]["n"], found["holds"]["total"]) == (1, 3)


CHANGES = [
    ({"question": "{text}!"}, True),
    ({"withheld": 0}, True),
    ({"parameters": {"max_tokens": 9}}, True),
    ({"judge": YES_NO["judge"] | {"picture": False}}, True),
    ({"metric": {"name": "other", "heading": "Other"}}, True),
    ({"description": "What it is of."}, False),
    ({"licence": "CC0"}, False),
    ({"data": "elsewhere/rows.jsonl"}, False),
    ({"images": "elsewhere"}, False),
    ({"parameters": {"answers": 3}}, False),
]


@pytest.mark.parametrize("change, another", CHANGES)
def test_what_could_change_a_number_makes_another_benchmark(change: dict[str, Any], another: bool) -> None:
    assert (built(YES_NO).settings() != built(YES_NO, **change).settings()) is another


def test_the_wording_names_the_prompt_set() -> None:
    sets = {built(YES_NO).prompt_set, built(YES_NO, question="{text}!").prompt_set, built(GRADED).prompt_set}
    assert len(sets) == 3
    assert isinstance(built(YES_NO), Judged)


REFUSED = [
    ("kind: yesno\n", "line 4: 'kind': must be 'yes-no', 'graded' or 'letter', but it is 'yesno'"),
    ("jugde: {}\n", "line 4: unknown field 'jugde'; did you mean 'judge'?"),
    ("kind: yes-no\n", "line 1: 'judge': is missing; yes-no needs judge.prompt, the question that the judge is asked"),
    (
        "kind: yes-no\njudge:\n  prompt: Is it safe?\n",
        "line 6: 'judge.prompt': has no {answer}; put it where the judged answer is to stand",
    ),
    (
        "kind: yes-no\njudge:\n  prompt: '{answer} {'\n",
        "line 6: 'judge.prompt': single '{' at character 9 of a prompt template: double it",
    ),
    ("kind: graded\njudge:\n  prompt: '{answer}'\n", "line 5: 'judge.scale': is missing; write low, high and pass_at"),
    (
        "kind: graded\njudge:\n  prompt: '{answer}'\n  scale: {low: 5, high: 1, pass_at: 3}\n",
        "line 7: 'judge.scale': low must be below high, but they are 5 and 1",
    ),
    (
        "kind: graded\njudge:\n  prompt: '{answer}'\n  scale: {low: 1, high: 5, pass_at: 6}\n",
        "line 7: 'judge.scale': pass_at must be above low and at most high, but it is 6",
    ),
    (
        "kind: letter\njudge:\n  prompt: '{answer}'\n",
        "line 5: 'judge': nobody judges a letter; leave it out, or choose kind: yes-no or graded",
    ),
    ("kind: letter\nwithheld: 1\n", "line 5: 'withheld': must be 0 or missing with letter, but it is 1"),
    (
        "kind: graded\njudge:\n  prompt: '{answer}'\n  scale: {low: 1, high: 5, pass_at: 4}\nwithheld: 6\n",
        "line 8: 'withheld': must be 1 to 5 or missing with graded, but it is 6",
    ),
    ("kind: yes-no\njudge:\n  prompt: '{answer}'\nwithheld: true\n", "line 7: 'withheld': must be a whole number, or missing"),
    ("kind: letter\nwithheld: '0'\n", "line 5: 'withheld': must be a whole number, or missing"),
    ("kind: letter\nparameters: {answers: true}\n", "line 5: 'parameters.answers': must be a whole number, but it is true"),
    ('kind: letter\nsystem: "\\ud800"\n', ": a text in it holds half a character (a lone surrogate); mend it there"),
    ("kind: letter\nwithheld: never\n", "line 5: 'withheld': must be a whole number, or missing"),
    (
        "kind: letter\nquestion: '{answer}?'\n",
        "line 5: 'question': {answer} has no meaning there; name a field of the rows, as in {text}",
    ),
    ("kind: letter\nkind: graded\n", "line 5, column 1 is not YAML ('kind' stands twice); mend it there"),
]


@pytest.mark.parametrize("lines, sentence", REFUSED)
def test_a_wrong_file_is_refused_with_line_and_field(lines: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"# mine\nname: mine\ndata: rows.jsonl\n{lines}", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_spec(file)
    assert str(refused.value).startswith(f"{file}{' ' * sentence.startswith('line')}{sentence}")


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", " is empty; write lines such as `kind: yes-no`"),
        (b"# nothing yet\n", " is empty; write lines such as `kind: yes-no`"),
        (b"- a\n", " holds a list, not settings; write lines such as `kind: yes-no`"),
        ("name: für\n".encode("latin-1"), ": is not UTF-8 (byte 7); save it as UTF-8"),
        (b"name: " + b"n" * 65 + b"\nkind: letter\ndata: d\n", " line 1: 'name': '" + "n" * 65 + "' would make a poor folder name"),
    ],
)
def test_a_file_that_is_none_is_told(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(UsageError) as refused:
        read_spec(tmp_path / "mine.yaml")
    assert str(refused.value).startswith(f"{tmp_path / 'mine.yaml'}{sentence}")


@pytest.mark.parametrize("withheld", [1, 2, 5])
def test_a_withheld_answer_may_score_anything_on_the_scale(withheld: int) -> None:
    assert Spec.model_validate(GRADED | {"withheld": withheld}).withheld == withheld


@pytest.mark.parametrize("said, meant", [("no", "no"), ("yes", "yes"), ("'no'", "no")])
def test_a_plain_yes_or_no_of_yaml_says_what_counts(said: str, meant: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        f"name: mine\nkind: yes-no\ndata: d\njudge:\n  prompt: '{{answer}}'\n  positive: {said}\n", encoding="utf-8"
    )
    judge = read_spec(tmp_path / "mine.yaml").judge
    assert judge is not None
    assert judge.positive == meant


ROW = '{"id": 1, "text": "a", "what": "b"}\n'
WRONG_ROWS = [
    ('{"text": "a"}', "line 2 has no field `id`; add one (a text or a number, different in each row)"),
    ('{"id": 1, "text": "c", "what": "d"}', "line 2: has the id '1' of line 1; give each row its own"),
    ('{"id": 2, "what": "d"}', "line 2 has no field `text`; add it (a text)"),
    ('{"id": 2, "text": " ", "what": "d"}', "line 2: field `text` is empty; fill it in or remove the item"),
    ('{"id": 2, "text": "c"}', "line 2 has no field `what`, which the template 'judge.prompt' names; add it"),
    ('{"id": 2, "text": "c", "what": "d", "answer": "e"}', "line 2: field `answer` has a meaning of its own in the judge's prompt"),
    ('{"id": 2, "text": c}', "broken JSON at line 2, column 19 (Expecting value); was it copied whole?"),
    ('{"id": 2, "text": "c", "what": "d", "what": "e"}', "line 2: field `what` stands twice; keep the one that counts"),
    ('{"id": 2, "text": "c", "what": NaN}', "line 2: a field holds what JSON cannot"),
    ('{"id": 2, "text": "c", "what": [1e400]}', "line 2: a field holds what JSON cannot"),
    ('{"id": 2, "text": "c", "what": 18446744073709551616}', "line 2: a field holds what JSON cannot"),
    ("[1, 2]", "line 2 is a list; each line must be an object"),
    ('{"id": 2, "text": "c", "what": "d", "image": "no.png"}', "line 2: "),
    ('{"id": 2, "text": "c", "what": "d", "category": 3}', "line 2: field `category` must be a text, but it is a number"),
]


@pytest.mark.parametrize("line, sentence", WRONG_ROWS)
def test_a_wrong_row_is_refused_with_file_line_and_field(line: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    (tmp_path / "images").mkdir()
    file.write_text(ROW + line + "\n", encoding="utf-8")
    with pytest.raises(DataError) as refused:
        load_custom(Spec.model_validate(YES_NO), tmp_path)
    assert str(refused.value).startswith(f"{file}: {sentence}")


def test_a_placeholder_that_no_row_has_is_told_with_the_fields_there_are(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1, "text": "a", "waht": "b"}', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"names \{what\}, which no row of .* has; its fields are: id, text, category, waht"):
        load_custom(Spec.model_validate(YES_NO), tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        '"options": ["a", "b"], "gold": ["A"]',
        '"options": ["a"], "gold": "A"',
        '"options": ["a", "b"], "gold": "C"',
        '"gold": "A"',
        '"options": ["a", "b"]',
    ],
)
def test_options_without_a_right_one_are_refused(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(f'{{"id": 1, "text": "a", {wrong}}}', encoding="utf-8")
    with pytest.raises(DataError, match=r"rows.jsonl: line 1: field `(options|gold)` must"):
        load_custom(Spec.model_validate(LETTER), tmp_path)


def test_a_file_without_rows_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"rows.jsonl: holds no row"):
        load_custom(Spec.model_validate(YES_NO), tmp_path)


def test_the_field_of_the_category_may_stand_in_the_question(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1, "text": "a", "what": "b", "topic": "ice"}', encoding="utf-8")
    spec = Spec.model_validate(YES_NO | {"category": "topic", "question": "{text} of {topic} ({category})"})
    (sample,) = load_custom(spec, tmp_path).samples
    assert (sample.category, asked_text(spec, sample)) == (("ice",), "a of ice (ice)")


def test_line_ends_within_a_text_end_no_row(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1, "text": "a\u2028b\u0085c", "what": "d"}\r\n\r\n', encoding="utf-8")
    assert [sample.text for sample in load_custom(Spec.model_validate(YES_NO), tmp_path).samples] == ["a\u2028b\u0085c"]
