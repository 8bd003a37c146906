"""The shapes in which the authors' scripts keep answers and verdicts: SIUO's result files, Chinese SafetyQA's tables.

Their scripts disagree with each other on the names of fields, so every name that any of them writes or reads is understood. What a
file says is taken as it is: a text is not trimmed, a verdict is not judged anew, and what looks wrong is noted in `Suspects`.
Sources: SIUO `eval/gpt-eval.py` and `eval/gen_score.py`; Chinese SafetyQA `batch_script/evaluation/`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Literal

from siuo_async.benchmarks.data.datasets import kind_of, parse_json, read_text
from siuo_async.benchmarks.siuo_gen import EFFECTIVENESS, SAFETY
from siuo_async.errors import DataError
from siuo_async.exchange.error_texts import looks_like_error, mentions_error
from siuo_async.exchange.suspects import Suspects
from siuo_async.judging import normalise, parse_siuo_effectiveness, parse_siuo_safety
from siuo_async.values import EMPTY, Answer, Json, Outcome, Protocol

RESPONSES = "responses"
MCQA_RESPONSE = "response_mcqa"
MADE_UP = "SIMULATED"
"""Stands in files whose answers a simulator made up, and in their names."""
OUTCOMES = "outcomes"
"""Ours, beside the responses where one of them is not plain text (see `told_outcome`); their scripts do not look at it."""
MARK = "mark"
"""Ours, in items where there is something to mark: `MADE_UP`."""
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
EXPORTED_BY = "exported_by"
"""The kind of the row that tells our tables from others': ours guard cells with an apostrophe, theirs may hold answers in quotes."""
_JUDGED_COLUMNS = ("query", MODEL_ANSWER)
"""Of the workbook that the judging script of Chinese SafetyQA reads; its replies go to `response`."""

_READ: Mapping[str, Callable[[str, Protocol], int | None]] = MappingProxyType(
    {SAFETY: parse_siuo_safety, EFFECTIVENESS: parse_siuo_effectiveness}
)
_SIDES: Mapping[str, Literal["prompt", "answer"]] = MappingProxyType({"prompt": "prompt", "answer": "answer"})
_WHAT: Mapping[str, str] = MappingProxyType({SAFETY: "safety", EFFECTIVENESS: "effectiveness"})
_HALF_CHARACTER = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Given:
    """What files say of one sample."""

    answers: tuple[Answer, ...]
    verdicts: Mapping[str, tuple[Answer | None, ...]] = field(default_factory=lambda: EMPTY)
    """The judge's replies by stage, one for each answer; None: not there. No entry: nobody judged that."""
    question: str | None = None
    """To be compared with the data's."""
    check: str | None = None
    """What a table says of an answer that nobody judges, to be compared with the grade it gets."""


@dataclass(frozen=True, slots=True)
class Row:
    """One object or row of a file."""

    where: str
    """How messages name it."""
    fields: Mapping[str, Json]
    ours: bool = False
    """Of a table that `siuo export` wrote."""

    @property
    def file(self) -> str:
        """The file, as messages name it."""
        return self.where.rpartition(": ")[0]

    @property
    def made_up(self) -> bool:
        """Whether the file says that a simulator made this up."""
        by = self.fields.get("value") if self.fields.get("value_type") == EXPORTED_BY else self.fields.get(MARK)
        return MADE_UP in Path(self.file).name or (isinstance(by, str) and MADE_UP in by)


def json_rows(paths: Sequence[Path], suspects: Suspects) -> list[Row]:
    """The items of result files: lists of objects, single objects, and folders of such files.

    Args:
        suspects: told of half characters (lone surrogates), which are replaced, since nothing could write them down again.

    Raises:
        DataError: a file cannot be read, is no JSON, or holds anything else.
    """
    rows = []
    for file in _files(paths):
        text = read_text(file)
        found = parse_json(text, str(file))
        for number, item in enumerate(found if isinstance(found, list) else [found], start=1):
            if not isinstance(item, dict):
                what = f"item {number}" if isinstance(found, list) else "the file"
                raise DataError(f"{file}: {what} must be an object with the answers of one sample, but it is {kind_of(item)}")
            row = Row(f"{file}: item {number}", item)
            rows.append(_whole(row, suspects) if _HALF_CHARACTER.search(text) else row)
    if not rows:
        raise DataError(f"{', '.join(map(str, paths))}: holds no items; name a file of results, as in siuo_gen-MODEL.json")
    return rows


def _whole(row: Row, suspects: Suspects) -> Row:
    """The item without half characters (lone surrogates), which nothing could write down again."""
    written = json.dumps(row.fields, ensure_ascii=False)
    kept = written.encode(errors="replace").decode()
    if kept == written:
        return row
    suspects.note("items with half a character (a lone surrogate), which is replaced", row.where)
    return Row(row.where, parse_json(kept, row.where))


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


def given_siuo_gen(
    rows: Iterable[Row], suspects: Suspects, *, keep_errors: bool = False, protocol: Protocol = "released"
) -> dict[str, Given]:
    """What SIUO's result files say, by question id. Items of one id are one: what the later says counts.

    Args:
        suspects: told of what looks wrong.
        protocol: how the texts of verdicts will be read; a score beside a text that reads otherwise is suspect.
        keep_errors: take error texts for answers.

    Raises:
        DataError: an item has no id, or a field of another form.
    """
    merged = _merged(rows, suspects, RESPONSES)
    return {key: _gen_item(key, row, suspects, protocol, keep_errors=keep_errors) for key, row in merged.items()}


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
        same_file = before.file == row.file
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


def _gen_item(key: str, row: Row, suspects: Suspects, protocol: Protocol, *, keep_errors: bool) -> Given:
    texts = _list(row, RESPONSES) or []
    answers = _answers(key, texts, _list(row, OUTCOMES), suspects, keep_errors=keep_errors)
    if "evaluation" in row.fields:
        suspects.note("samples with a field `evaluation`, which does not say what was judged and is not read", key)
    verdicts = {}
    for stage in (SAFETY, EFFECTIVENESS):
        if (found := _verdicts(key, row, stage, len(answers), suspects, protocol)) is not None:
            verdicts[stage] = found
    return Given(answers, verdicts, _question(row))


def _answers(
    key: str, values: Sequence[Json], outcomes: Sequence[Json] | None, suspects: Suspects, *, keep_errors: bool
) -> tuple[Answer, ...]:
    told = [*(outcomes or ()), *[None] * len(values)]
    return tuple(
        answer(f"{key}[{number}]" if len(values) > 1 else key, value, suspects, keep_errors=keep_errors, outcome=told[number])
        for number, value in enumerate(values)
    )


def told_outcome(answer: Answer) -> str:
    """What became of an answer, as our exports tell it and `answer` reads it: `filtered:prompt`."""
    return f"{answer.outcome.value}:{answer.where}" if answer.where else answer.outcome.value


def answer(where: str, value: Json, suspects: Suspects, *, keep_errors: bool, outcome: Json = None) -> Answer:
    """The answer that a value of a file is.

    Args:
        where: how suspects name it.
        outcome: as our own export tells it, else None.
    """
    text = value if isinstance(value, str) else ""
    name, _, side = outcome.partition(":") if isinstance(outcome, str) else ("", "", "")
    if name in tuple(Outcome) and name != Outcome.ANSWERED:
        return Answer(Outcome(name), text, where=_SIDES.get(side))
    if isinstance(value, dict) and value.get("status") == "error":
        value = str(value)
        text = value
    if isinstance(value, str):
        if not text.strip():
            suspects.note("answers that are empty", where)
            return Answer(Outcome.EMPTY, text, reason="empty in the imported file")
        if looks_like_error(text):
            suspects.note("answers that look like error texts" + (" (kept)" if keep_errors else " (taken for failed calls)"), where)
            if not keep_errors:
                return Answer(Outcome.FAILED, reason=text[:2000])
        elif mentions_error(text):
            suspects.note("answers that speak of an error, as what a failed call left behind would (kept)", where)
        return Answer(Outcome.ANSWERED, text)
    suspects.note("answers that are no text (taken for failed calls)", where)
    return Answer(Outcome.FAILED, reason=f"the imported file holds {kind_of(value)}")


def _verdicts(key: str, row: Row, stage: str, count: int, suspects: Suspects, protocol: Protocol) -> tuple[Answer | None, ...] | None:
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
        found.append(_verdict(f"{key}[{number}]", text, score, stage, suspects, protocol))
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


def _verdict(where: str, text: Json, score: int | None, stage: str, suspects: Suspects, protocol: Protocol) -> Answer | None:
    what = _WHAT[stage]
    if isinstance(text, str) and text.strip():
        read = _READ[stage](normalise(text) if protocol == "released" else text, protocol)
        if score is not None and score != (-1 if read is None else read):
            suspects.note(f"{what} scores that are not what '{protocol}' reads in the text beside them (the text counts)", where)
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
    columns = found[0].fields.keys()
    if all(name in columns for name in LONG_COLUMNS if name != "cate"):
        return found
    if all(name in columns for name in _JUDGED_COLUMNS):
        return [long for row in found for long in _from_workbook(row)]
    raise DataError(
        f"{found[0].file}: has the columns {', '.join(map(str, columns))}; a table of Chinese SafetyQA has {', '.join(LONG_COLUMNS)} "
        f"(or {', '.join(_JUDGED_COLUMNS)}), in a workbook on its first sheet"
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
        DataError: the table has several models and none of this name, or nothing in it can be imported.
    """
    of_mode = [row for row in rows if _word(row, "mode").upper() == mode and row.fields.get("value_type") != EXPORTED_BY]
    models = list(dict.fromkeys(str(row.fields.get("model")) for row in of_mode))
    if len(models) > 1 and model not in models:
        raise DataError(f"the table has answers of several models ({', '.join(models)}); say which with --label, as it stands there")
    mine = [row for row in of_mode if len(models) == 1 or str(row.fields.get("model")) == model]
    alone = [row for row in mine if not _searched(row)]
    if mine and not alone:
        rags = ", ".join(sorted({_word(row, "rag") for row in mine}))
        raise DataError(f"{mine[0].file}: all answers were made with a search ({rags}), which cannot be imported; name one without")
    for row in mine:
        if _searched(row):
            suspects.note("rows of answers made with a search, which are not imported", str(row.fields.get("question"))[:40])
    texts = _by_question(alone, suspects)
    if texts and not any(MODEL_ANSWER in said for said in texts.values()):
        raise DataError(f"{mine[0].file}: holds only checks ({ANSWER_CHECK}), no {MODEL_ANSWER}; name a table with the answers too")
    return {question: _csqa_item(question, said, stage, suspects, keep_errors=keep_errors) for question, said in texts.items()}


def _word(row: Row, name: str) -> str:
    return str(row.fields.get(name)).strip()


def _searched(row: Row) -> bool:
    return _word(row, "rag") not in ("no_rag", "", "None")


def _by_question(rows: Iterable[Row], suspects: Suspects) -> dict[str, dict[str, Json]]:
    """Values by kind, by question."""
    texts: dict[str, dict[str, Json]] = {}
    for row in rows:
        question, kind, value = row.fields.get("question"), row.fields.get("value_type"), row.fields.get("value")
        if not isinstance(question, str) or kind not in (MODEL_ANSWER, ANSWER_CHECK, OUTCOME):
            suspects.note("rows without a question, or of an unknown value_type", row.where)
            continue
        where = question[:40]
        if type(value) not in (str, int, NoneType):
            suspects.note("cells that are no text (a date, a share, true or false), which may have been written otherwise", where)
        if kind == MODEL_ANSWER and not row.ours and (inner := _unquoted(value)) is not None:
            suspects.note("answers in quotes, as the released scripts keep them (what is inside counts)", where)
            value = inner
        said = texts.setdefault(question, {})
        if said.get(kind, value) != value:
            suspects.note("values that stand twice (what comes last counts)", where)
        said[kind] = value
    return texts


def _unquoted(value: Json) -> str | None:
    """The text inside a JSON text; None where it is none."""
    if not isinstance(value, str) or not value.strip().startswith('"'):
        return None
    try:
        inner = json.loads(value)
    except ValueError:
        return None
    return inner.encode(errors="replace").decode() if isinstance(inner, str) else None


def _cell(value: Json) -> str:
    """A cell as text: spreadsheets make numbers of digits, and nothing of an empty text."""
    return "" if value is None else str(value)


def _csqa_item(question: str, said: Mapping[str, Json], stage: str, suspects: Suspects, *, keep_errors: bool) -> Given:
    where = question[:40]
    if MODEL_ANSWER not in said:
        suspects.note("checks of answers that are not in the table, which are not imported", where)
        return Given((), question=question)
    answers = (answer(where, _cell(said[MODEL_ANSWER]), suspects, keep_errors=keep_errors, outcome=said.get(OUTCOME)),)
    check = _cell(said.get(ANSWER_CHECK))
    if not stage or ANSWER_CHECK not in said:
        return Given(answers, question=question, check=check or None)
    reply = Answer(Outcome.ANSWERED, check) if check.strip() else None
    if reply is not None and looks_like_error(reply.text):
        suspects.note("verdicts that look like error texts", where)
    return Given(answers, {stage: (reply,)}, question)
