"""The shapes in which the authors' scripts keep answers and verdicts: SIUO's result files, Chinese SafetyQA's tables.

Their scripts disagree with each other on the names of fields, so every name that any of them writes or reads is understood. What a
file says is taken as it is: a text is not trimmed, a verdict is not judged anew, and what looks wrong is noted in `Suspects`.
Sources: SIUO `eval/gpt-eval.py` and `eval/gen_score.py`; Chinese SafetyQA `batch_script/evaluation/`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from siuo_async.benchmarks.data.datasets import kind_of, parse_json, read_text
from siuo_async.benchmarks.siuo_gen import EFFECTIVENESS, SAFETY
from siuo_async.errors import DataError
from siuo_async.exchange.suspects import Suspects
from siuo_async.judging import normalise, parse_siuo_effectiveness, parse_siuo_safety
from siuo_async.values import EMPTY, Answer, Json, Outcome

RESPONSES = "responses"
MCQA_RESPONSE = "response_mcqa"
MADE_UP = "SIMULATED"
"""Stands in the names of files whose answers a simulator made up."""
OUTCOMES = "outcomes"
"""Ours, beside the responses where one of them is not plain text; their scripts do not look at it."""
TEXT_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {SAFETY: ("safety_evaluation",), EFFECTIVENESS: ("effectiveness_evaluation",)}
)
SCORE_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {SAFETY: ("safety_gpt", "safetyness"), EFFECTIVENESS: ("effectiveness_gpt", "effective_gpt", "helpfulness")}
)
"""Under which names a judge's scores stand; equal lists may stand under several."""
CANONICAL: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {
        SAFETY: {1: "[Safety Judgement:] True", 0: "[Safety Judgement:] False"},
        EFFECTIVENESS: {1: "[Effectiveness Judgement:] Partially Effective", 0: "[Effectiveness Judgement:] Ineffective"},
    }
)
"""The text that stands for a score whose text is not in the file; every reader reads it as that score."""
LONG_COLUMNS = ("question", "cate", "mode", "rag", "model", "value_type", "value")
MODEL_ANSWER, ANSWER_CHECK, OUTCOME = "model_answer", "answer_check", "outcome"
"""Kinds of rows; the last is ours, where an answer is no plain text."""
_JUDGED_COLUMNS = ("query", MODEL_ANSWER)
"""Of the workbook that the judging script of Chinese SafetyQA reads; its replies go to `response`."""

_READ: Mapping[str, Callable[[str], int | None]] = MappingProxyType(
    {
        SAFETY: lambda text: parse_siuo_safety(normalise(text), "released"),
        EFFECTIVENESS: lambda text: parse_siuo_effectiveness(normalise(text), "released"),
    }
)
_WHAT: Mapping[str, str] = MappingProxyType({SAFETY: "safety", EFFECTIVENESS: "effectiveness"})
_ERROR = re.compile(
    r"\s*(?:\{\s*['\"]status['\"]\s*:\s*['\"]error['\"]"
    r"|Traceback \(most recent call last\)"
    r"|(?:[A-Za-z_]\w*\.)*[A-Za-z_]*(?:Error|Exception|ERROR)\b\s*(?:[:(\[]|(?:code|occurred|while|calling|during|from|processing)\b|$)"
    r"|\[ERROR\]|HTTP(?:/\d(?:\.\d)?)?\s+[45]\d\d\b|<!DOCTYPE html|(?i:api (?:call|request) failed|request (?:failed|timed out))"
    r"|Failed to obtain answer via API)"
)


@dataclass(frozen=True, slots=True)
class Given:
    """What files say of one sample."""

    answers: tuple[Answer | None, ...]
    """None: not there."""
    verdicts: Mapping[str, tuple[Answer | None, ...]] = field(default_factory=lambda: EMPTY)
    """The judge's replies by stage, one for each answer; None: not there. No entry: nobody judged that."""
    question: str | None = None
    """To be compared with the data's."""


@dataclass(frozen=True, slots=True)
class Row:
    """One object or row of a file."""

    where: str
    """How messages name it."""
    fields: Mapping[str, Json]


def looks_like_error(text: str) -> bool:
    """Whether a text is what a failed call left behind where an answer should stand."""
    return _ERROR.match(text) is not None


def json_rows(paths: Sequence[Path]) -> list[Row]:
    """The items of result files: lists of objects, single objects, and folders of such files.

    Raises:
        DataError: a file cannot be read, is no JSON, or holds anything else.
    """
    rows = []
    for file in _files(paths):
        found = parse_json(read_text(file), str(file))
        for number, item in enumerate(found if isinstance(found, list) else [found], start=1):
            if not isinstance(item, dict):
                what = f"item {number}" if isinstance(found, list) else "the file"
                raise DataError(f"{file}: {what} must be an object with the answers of one sample, but it is {kind_of(item)}")
            rows.append(Row(f"{file}: item {number}", item))
    if not rows:
        raise DataError(f"{', '.join(map(str, paths))}: holds no items; name a file of results, as in siuo_gen-MODEL.json")
    return rows


def _files(paths: Sequence[Path]) -> list[Path]:
    found = [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    for file in found:
        if not file.is_file():
            raise DataError(f"{file}: there is no such file; name a file of results")
    return found


def siuo_rows_of(rows: Iterable[Row]) -> str | None:
    """The benchmark whose results the items are: `siuo-gen`, `siuo-mcqa`, or None for neither."""
    for row in rows:
        if MCQA_RESPONSE in row.fields:
            return "siuo-mcqa"
        if RESPONSES in row.fields:
            return "siuo-gen"
    return None


def given_siuo_gen(rows: Iterable[Row], suspects: Suspects, *, keep_errors: bool = False) -> dict[str, Given]:
    """What SIUO's result files say, by question id. Items of one id are one: what the later says counts.

    Args:
        suspects: told of what looks wrong.
        keep_errors: take error texts for answers.

    Raises:
        DataError: an item has no id, or a field of another form.
    """
    merged = _merged(rows, suspects, RESPONSES)
    return {key: _gen_item(key, row, suspects, keep_errors=keep_errors) for key, row in merged.items()}


def given_siuo_mcqa(rows: Iterable[Row], suspects: Suspects, *, keep_errors: bool = False) -> dict[str, Given]:
    """What SIUO's multiple-choice result files say, by question id; arguments and errors as in `given_siuo_gen`."""
    found = {}
    for key, row in _merged(rows, suspects, MCQA_RESPONSE).items():
        value = row.fields.get(MCQA_RESPONSE)
        texts = value if isinstance(value, list) else [value] if MCQA_RESPONSE in row.fields else []
        outcomes = _list(row, OUTCOMES)
        found[key] = Given(_answers(key, texts, outcomes, suspects, keep_errors=keep_errors), question=_question(row))
    return found


def _merged(rows: Iterable[Row], suspects: Suspects, answers_key: str) -> dict[str, Row]:
    """One row per question id. The judging script writes two files with equal answers, one for each judge."""
    merged: dict[str, Row] = {}
    for row in rows:
        key = _question_id(row)
        before = merged.get(key)
        if before is None:
            merged[key] = row
            continue
        same_file = before.where.rpartition(": ")[0] == row.where.rpartition(": ")[0]
        kept = dict(before.fields)
        if answers_key in row.fields and row.fields[answers_key] != kept.get(answers_key, row.fields[answers_key]):
            kept = {}  # verdicts on other answers
        changed = [name for name, value in row.fields.items() if kept.get(name, value) != value]
        if same_file or changed or not kept:
            suspects.note("samples that stand twice (what comes last counts)", key)
        merged[key] = Row(row.where, {**kept, **row.fields})
    return merged


def _question_id(row: Row) -> str:
    found = row.fields.get("question_id")
    if isinstance(found, bool) or not isinstance(found, int | str) or found == "":
        there = "no field `question_id`" if "question_id" not in row.fields else f"a `question_id` that is {kind_of(found)}"
        raise DataError(f"{row.where} has {there}; is this a file of SIUO results?")
    return str(found)


def _question(row: Row) -> str | None:
    found = row.fields.get("question")
    return found if isinstance(found, str) else None


def _list(row: Row, name: str) -> list[Json] | None:
    found = row.fields.get(name)
    if found is None or isinstance(found, list):
        return found
    if isinstance(found, str | int) and not isinstance(found, bool):
        return [found]
    raise DataError(f"{row.where}: field `{name}` must be a list with one entry per answer, but it is {kind_of(found)}")


def _gen_item(key: str, row: Row, suspects: Suspects, *, keep_errors: bool) -> Given:
    texts = _list(row, RESPONSES) or []
    answers = _answers(key, texts, _list(row, OUTCOMES), suspects, keep_errors=keep_errors)
    if "evaluation" in row.fields:
        suspects.note("samples with a field `evaluation`, which does not say what was judged and is not read", key)
    verdicts = {}
    for stage in (SAFETY, EFFECTIVENESS):
        if (found := _verdicts(key, row, stage, len(answers), suspects)) is not None:
            verdicts[stage] = found
    return Given(answers, verdicts, _question(row))


def _answers(
    key: str, values: Sequence[Json], outcomes: Sequence[Json] | None, suspects: Suspects, *, keep_errors: bool
) -> tuple[Answer | None, ...]:
    told = [*(outcomes or ()), *[None] * len(values)]
    return tuple(
        answer(f"{key}[{number}]" if len(values) > 1 else key, value, suspects, keep_errors=keep_errors, outcome=told[number])
        for number, value in enumerate(values)
    )


def answer(where: str, value: Json, suspects: Suspects, *, keep_errors: bool, outcome: Json = None) -> Answer:
    """The answer that a value of a file is.

    Args:
        where: how suspects name it.
        outcome: as our own export tells it, else None.
    """
    text = value if isinstance(value, str) else ""
    if isinstance(outcome, str) and outcome in tuple(Outcome) and outcome != Outcome.ANSWERED:
        return Answer(Outcome(outcome), text)
    if isinstance(value, dict) and value.get("status") == "error":
        value = str(value)
        text = value
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            suspects.note("answers with half a character (a lone surrogate), which is replaced", where)
            text = value.encode(errors="replace").decode()
        if not text.strip():
            suspects.note("answers that are empty", where)
            return Answer(Outcome.EMPTY, text, reason="empty in the imported file")
        if looks_like_error(text):
            suspects.note("answers that look like error texts" + (" (kept)" if keep_errors else " (taken for failed calls)"), where)
            if not keep_errors:
                return Answer(Outcome.FAILED, reason=text[:2000])
        return Answer(Outcome.ANSWERED, text)
    suspects.note("answers that are no text (taken for failed calls)", where)
    return Answer(Outcome.FAILED, reason=f"the imported file holds {kind_of(value)}")


def _verdicts(key: str, row: Row, stage: str, count: int, suspects: Suspects) -> tuple[Answer | None, ...] | None:
    """The judge's replies on `count` answers; None where the file has neither texts nor scores."""
    texts = next((found for name in TEXT_KEYS[stage] if (found := _list(row, name)) is not None), None)
    scores = _scores(key, row, stage, suspects)
    if texts is None and scores is None:
        return None
    longest = max(len(texts or ()), len(scores or ()))
    if longest != count and longest:
        suspects.note(f"samples with another number of {_WHAT[stage]} verdicts than of answers", key)
    if texts and scores and len(texts) != len(scores):
        suspects.note(f"samples with another number of {_WHAT[stage]} texts than of scores", key)
    found = []
    for number in range(count):
        text = texts[number] if texts and number < len(texts) else None
        score = scores[number] if scores and number < len(scores) else None
        found.append(_verdict(f"{key}[{number}]", text, score, stage, suspects))
    return tuple(found)


def _scores(key: str, row: Row, stage: str, suspects: Suspects) -> list[int | None] | None:
    lists = {name: found for name in SCORE_KEYS[stage] if (found := _list(row, name)) is not None}
    if len({str(found) for found in lists.values()}) > 1:
        suspects.note(f"samples whose {_WHAT[stage]} scores differ between fields ({next(iter(lists))} counts)", key)
    for name, found in lists.items():
        for score in found:
            if score not in (1, 0, -1, None):
                raise DataError(f"{row.where}: field `{name}` must hold 1, 0 or -1 for each answer, but it holds {score!r}")
    chosen = next(iter(lists.values()), None)
    return None if chosen is None else [None if score is None else int(score) for score in chosen]


def _verdict(where: str, text: Json, score: int | None, stage: str, suspects: Suspects) -> Answer | None:
    what = _WHAT[stage]
    if isinstance(text, str) and text.strip():
        if score is not None and score != _READ[stage](text):
            suspects.note(f"{what} scores that are not what the released scripts read in the text beside them (the text counts)", where)
        if looks_like_error(text):
            suspects.note(f"{what} verdicts that look like error texts", where)
        return Answer(Outcome.ANSWERED, text)
    if score is not None and score in CANONICAL[stage]:
        return Answer(Outcome.ANSWERED, CANONICAL[stage][score], reason=f"the imported file holds the score {score}, no text")
    if score == -1 or isinstance(text, str):
        return Answer(Outcome.EMPTY, reason="the imported file says that the verdict could not be read" if score == -1 else "empty")
    return None


def long_rows(rows: Iterable[Row]) -> list[Row]:
    """Rows of Chinese SafetyQA's long table; those of the judging script's workbook are turned into such rows.

    Raises:
        DataError: the columns are those of neither.
    """
    found = list(rows)
    if not found:
        raise DataError("the table holds no rows")
    columns = found[0].fields.keys()
    if all(name in columns for name in LONG_COLUMNS if name != "cate"):
        return found
    if all(name in columns for name in _JUDGED_COLUMNS):
        return [long for row in found for long in _from_workbook(row)]
    where = found[0].where.rpartition(": ")[0]
    raise DataError(
        f"{where}: has the columns {', '.join(map(str, columns))}; a table of Chinese SafetyQA has {', '.join(LONG_COLUMNS)} "
        f"(or {', '.join(_JUDGED_COLUMNS)})"
    )


def _from_workbook(row: Row) -> list[Row]:
    shared = {"question": row.fields["query"], "mode": "QA", "rag": "no_rag", "model": row.fields.get("model")}
    values = ((MODEL_ANSWER, row.fields[MODEL_ANSWER]), (ANSWER_CHECK, row.fields.get("response")))
    return [Row(row.where, {**shared, "value_type": kind, "value": value}) for kind, value in values]


def given_csqa(
    rows: Iterable[Row], mode: str, model: str, stage: str, suspects: Suspects, *, keep_errors: bool = False
) -> dict[str, Given]:
    """What a long table says of one model, by question.

    Args:
        rows: of the long table.
        mode: QA or MCQ.
        model: whose rows to take where the table has several models.
        stage: how the benchmark calls its judging; empty where nobody judges.
        suspects: told of what looks wrong, and of answers that were made with a search, which cannot be asked for again.
        keep_errors: take error texts for answers.

    Raises:
        DataError: the table has several models and none of this name.
    """
    of_mode = [row for row in rows if str(row.fields.get("mode")).strip().upper() == mode]
    models = list(dict.fromkeys(str(row.fields.get("model")) for row in of_mode))
    if len(models) > 1 and model not in models:
        raise DataError(f"the table has answers of several models ({', '.join(models)}); say which with --label, as it stands there")
    texts: dict[str, dict[str, Json]] = {}
    for row in of_mode:
        if len(models) > 1 and str(row.fields.get("model")) != model:
            continue
        question, kind = row.fields.get("question"), row.fields.get("value_type")
        where = str(question)[:40]
        if not isinstance(question, str) or kind not in (MODEL_ANSWER, ANSWER_CHECK, OUTCOME):
            suspects.note("rows without a question, or of an unknown value_type", row.where)
        elif str(row.fields.get("rag")) not in ("no_rag", "", "None"):
            suspects.note("rows of answers made with a search, which are not imported", where)
        else:
            said = texts.setdefault(question, {})
            if said.get(kind, row.fields.get("value")) != row.fields.get("value"):
                suspects.note("values that stand twice (what comes last counts)", where)
            said[kind] = row.fields.get("value")
    return {question: _csqa_item(question, said, stage, suspects, keep_errors=keep_errors) for question, said in texts.items()}


def _cell(value: Json) -> str:
    """A cell as text: spreadsheets make numbers of digits, and nothing of an empty text."""
    return "" if value is None else str(value)


def _csqa_item(question: str, said: Mapping[str, Json], stage: str, suspects: Suspects, *, keep_errors: bool) -> Given:
    where = question[:40]
    if MODEL_ANSWER not in said:
        suspects.note("checks of answers that are not in the table, which are not imported", where)
        return Given((), question=question)
    answers = (answer(where, _cell(said[MODEL_ANSWER]), suspects, keep_errors=keep_errors, outcome=said.get(OUTCOME)),)
    if not stage or ANSWER_CHECK not in said:
        return Given(answers, question=question)
    check = _cell(said[ANSWER_CHECK])
    reply = Answer(Outcome.ANSWERED, check) if check.strip() else None
    if reply is not None and looks_like_error(reply.text):
        suspects.note("verdicts that look like error texts", where)
    return Given(answers, {stage: (reply,)}, question)
