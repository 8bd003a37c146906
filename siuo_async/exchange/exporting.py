"""A run becomes files that the authors' scripts read, or lines with all that is known of each answer; nothing is ever sent.

Scores stand in the files as the run's protocol gives them. What a shape cannot hold (samples that are pending, a second order of the
options) is left out and told, never invented.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from siuo_async.benchmarks.csqa_scores import CsqaResult
from siuo_async.benchmarks.custom_scores import Scored
from siuo_async.benchmarks.judged import Verdict
from siuo_async.benchmarks.siuo_gen import EFFECTIVENESS, SAFETY
from siuo_async.benchmarks.siuo_mcqa import McqaResult
from siuo_async.benchmarks.siuo_scores import SiuoResult
from siuo_async.engine.plan import Plan
from siuo_async.engine.replay import Lived, replay
from siuo_async.engine.run_directory import RunDirectory, write_bytes
from siuo_async.engine.summary import summarise
from siuo_async.errors import ConfigError
from siuo_async.exchange.tables import Changes, csv_bytes, xlsx_bytes
from siuo_async.exchange.upstream_files import (
    ANSWER_CHECK,
    EXPORTED_BY,
    LONG_COLUMNS,
    MADE_UP,
    MARK,
    MCQA_RESPONSE,
    MODEL_ANSWER,
    OUTCOME,
    OUTCOMES,
    RESPONSES,
    SCORE_KEYS,
    TEXT_KEYS,
    told_outcome,
)
from siuo_async.judging import released_filter
from siuo_async.values import Answer, Json, Outcome, Sample

SIUO, CSQA_CSV, CSQA_XLSX, JSONL = "siuo", "csqa-csv", "csqa-xlsx", "jsonl"
FORMATS = (SIUO, CSQA_CSV, CSQA_XLSX, JSONL)
FOLDER = "export"
"""In the run's directory, where no other is named."""
_FITTING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "siuo-gen": (SIUO, JSONL),
        "siuo-mcqa": (SIUO, JSONL),
        "demo": (SIUO, JSONL),
        "csqa-qa": (CSQA_XLSX, CSQA_CSV, JSONL),
        "csqa-mcq": (CSQA_XLSX, CSQA_CSV, JSONL),
    }
)
"""The shapes of a benchmark, the usual one first; of others only lines."""
_SEARCHES: Mapping[str, str] = MappingProxyType({"none": "no_rag", "passive": "passive_rag", "active": "active_rag"})
_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
_ITEMS = ("answers", "choices")
"""Under which names results hold their answers; a result without any of them is one answer itself."""
_MOST_NAME_CHARS = 50
"""Of a label in a file name, which takes 255 bytes."""

_Results = Mapping[str, Mapping[str, Any]]
"""Label -> sample id -> result; what is pending has none."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]
    """What the files do not hold, or hold otherwise, one sentence each."""
    protocol_line: str


def export(
    plan: Plan, directory: RunDirectory, *, form: str | None, labels: Sequence[str], folder: Path | None, force: bool = False
) -> Exported:
    """Writes a run's answers and scores.

    Args:
        form: one of `FORMATS`; None takes the authors' own shape where there is one.
        labels: of the models to write; empty writes all.
        folder: where to; None is the run's own `export/`.
        force: replace files that are there.

    Raises:
        ConfigError: the run has no such shape or model, or a file is there already.
        StoppedEarly: the disk would not take a file.
    """
    form = _form(plan, form)
    chosen = _labels(plan, labels)
    found: dict[str, dict[str, Any]] = {label: {} for label in chosen}

    def keep(lived: Lived) -> None:
        if lived.result is not None and lived.label in found:
            found[lived.label][lived.sample.id] = lived.result

    boards = asyncio.run(replay(plan, directory, visit=keep))
    line = summarise(plan, boards)["protocol_line"]
    samples = plan.samples().as_in_the_data()
    notes = [
        f"{label}: {len(samples) - len(results)} samples are pending and left out"
        for label, results in found.items()
        if len(results) < len(samples)
    ]
    written = _WRITERS[form](plan, samples, found, line, notes)
    return Exported(_write(folder or directory.path / FOLDER, written, force=force), tuple(notes), line)


def _form(plan: Plan, form: str | None) -> str:
    fitting = _FITTING.get(plan.config.benchmark, (JSONL,))
    if form is None:
        return fitting[0]
    if form not in fitting:
        what = f"{plan.config.benchmark} has no format '{form}'" if form in FORMATS else f"there is no format '{form}'"
        raise ConfigError(f"{what}; choose --format {' or '.join(fitting)}")
    return form


def _labels(plan: Plan, labels: Sequence[str]) -> list[str]:
    there = [participant.label for participant in plan.models]
    for label in labels:
        if label not in there:
            raise ConfigError(f"no model of this run is called '{label}'; there are: {', '.join(there)}")
    return list(labels) or there


def _write(folder: Path, files: Mapping[str, bytes], *, force: bool) -> tuple[Path, ...]:
    paths = {folder / name: content for name, content in files.items()}
    if not force and (there := next((path for path in paths if path.exists()), None)) is not None:
        raise ConfigError(f"{there} is there already; --force replaces it, --to names another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made ({error.strerror}); name another folder with --to") from error
    for path, content in paths.items():
        write_bytes(path, content)
    return tuple(paths)


def _mark(plan: Plan) -> str:
    """In the file's name, where everybody sees it: nobody must take made-up answers for a model's."""
    return f"-{MADE_UP}" if plan.simulated else ""


def file_names(labels: Sequence[str]) -> dict[str, str]:
    """For each label a part of a file name, without slashes and the like, no two the same in any case."""
    names: dict[str, str] = {}
    for label in labels:
        plain = re.sub(r"[^\w.@+-]+", "_", label).strip("._")[:_MOST_NAME_CHARS] or "model"
        taken = {name.casefold() for name in names.values()}
        numbered = (plain if number == 1 else f"{plain}-{number}" for number in range(1, len(labels) + 1))
        names[label] = next(name for name in numbered if name.casefold() not in taken)
    return names


def _siuo(plan: Plan, samples: Sequence[Sample], found: _Results, line: str, notes: list[str]) -> dict[str, bytes]:
    """`siuo_gen-MODEL.json`, `siuo_mcqa-MODEL.json`: a list of the released items with what the model and the judges said."""
    multiple_choice = plan.config.benchmark == "siuo-mcqa"
    if multiple_choice and plan.config.protocol != "released":
        notes.append("of the orders of the options only the first, the file's own, has a place in this format; jsonl has all")
    files = {}
    for label, name in file_names(list(found)).items():
        name += _mark(plan)
        there = [(sample, found[label][sample.id]) for sample in samples if sample.id in found[label]]
        made = [_mcqa_item(*each) if multiple_choice else _gen_item(*each, plan) for each in there]
        items = [item | ({MARK: MADE_UP} if plan.simulated else {}) for item in made if item is not None]
        if len(items) < len(made):
            notes.append(
                f"{label}: {len(made) - len(items)} samples without an answer are left out, since the scripts have no value for that; "
                "jsonl has them"
            )
        if without := sum(RESPONSES in item and item.get(SCORE_KEYS[SAFETY][0]) == [] for item in items):
            notes.append(
                f"{label}: {without} samples lack a verdict, so their lists of scores are empty and the scripts leave them out; "
                "texts are there"
            )
        files[f"{plan.config.benchmark.replace('-', '_')}-{name}.json"] = orjson.dumps(items, option=_JSON)
    return files


def _item(sample: Sample) -> dict[str, Json]:
    return {
        "question_id": int(sample.id) if sample.id.isdecimal() else sample.id,
        "image": sample.fields.get("image", ""),
        "question": sample.text,
        "category": sample.category[0],
    }


def _gen_item(sample: Sample, result: SiuoResult, plan: Plan) -> dict[str, Json]:
    answers = [judged.answer for judged in result.answers]
    item = _item(sample) | {name: sample.fields[name] for name in ("safety_warning", "reference_answer")}
    item[RESPONSES] = [_text(answer) for answer in answers]
    by_stage = {SAFETY: [each.safe for each in result.answers], EFFECTIVENESS: [each.effective for each in result.answers]}
    if not plan.judges:
        return item | _outcomes(answers)
    lacking = any(verdict is None or verdict.value is None for verdicts in by_stage.values() for verdict in verdicts)
    for stage, verdicts in by_stage.items():
        scores = [] if lacking else [verdict.value for verdict in verdicts if verdict]  # the scripts leave out a sample without scores
        item[TEXT_KEYS[stage][0]] = [_verdict_text(verdict) for verdict in verdicts]
        item |= dict.fromkeys(SCORE_KEYS[stage], scores)
    return item | _outcomes(answers)


def _verdict_text(verdict: Verdict[int] | None) -> str | None:
    """Null where no judge replied."""
    return None if verdict is None or verdict.state == "failed" else verdict.text


def _mcqa_item(sample: Sample, result: McqaResult) -> dict[str, Json] | None:
    answer = result.choices[0].answer
    if not answer.text and answer.outcome is not Outcome.EMPTY:
        return None
    item = _item(sample) | {"options": dict(sample.fields["options"]), "correct_option": sample.fields["gold"]}
    return item | {MCQA_RESPONSE: answer.text} | _outcomes([answer])


def _text(answer: Answer) -> str | None:
    """Null for an answer that has no content at all, which makes the scripts leave its item out."""
    return answer.text if answer.text or answer.outcome in (Outcome.ANSWERED, Outcome.EMPTY) else None


def _outcomes(answers: Sequence[Answer]) -> dict[str, Json]:
    plain = all(answer.outcome is Outcome.ANSWERED for answer in answers)
    return {} if plain else {OUTCOMES: [told_outcome(answer) for answer in answers]}


def _csqa(plan: Plan, samples: Sequence[Sample], found: _Results) -> Iterator[tuple[Json, ...]]:
    """The rows of the long table: by whom it was made, then for each model and question its answer, what became of it if it is no plain
    text, and the check of it."""
    mode = "QA" if plan.config.benchmark == "csqa-qa" else "MCQ"
    rag = _SEARCHES[plan.config.search or "none"]
    for label, results in found.items():
        yield ("", "", mode, rag, label, EXPORTED_BY, f"siuo {MADE_UP}" if plan.simulated else "siuo")
        for sample in samples:
            if (result := results.get(sample.id)) is not None:
                start = (sample.text, "-".join(sample.category), mode, rag, label)
                if not _moved(plan):
                    yield (*start, MODEL_ANSWER, _text(result.answer))
                    if result.answer.outcome is not Outcome.ANSWERED:
                        yield (*start, OUTCOME, told_outcome(result.answer))
                yield (*start, ANSWER_CHECK, _check(plan, result))


def _moved(plan: Plan) -> bool:
    """Whether the letters that models answered with are of options in another order than the file's, which nobody else knows."""
    return plan.config.benchmark == "csqa-mcq" and plan.config.protocol != "released"


def _check(plan: Plan, result: CsqaResult) -> str | None:
    """What is counted: the judge's reply as it is in `released`, which searches it for letters; else the grade alone."""
    if result.grades is None:
        return None
    if plan.config.protocol == "released" and result.verdict is not None:
        return released_filter(result.verdict.text)
    return "".join(sorted(result.grades))


def _csqa_table(
    write: Callable[[Sequence[str], Iterator[tuple[Json, ...]], Changes], bytes], ending: str
) -> Callable[[Plan, Sequence[Sample], _Results, str, list[str]], dict[str, bytes]]:
    def made(plan: Plan, samples: Sequence[Sample], found: _Results, line: str, notes: list[str]) -> dict[str, bytes]:
        changes = Changes()
        content = write(LONG_COLUMNS, _csqa(plan, samples, found), changes)
        notes += changes.sentences()
        if _moved(plan):
            notes.append("the options were shown in another order than the file's, so the table has only checks; jsonl has answers")
        return {f"{plan.config.benchmark.replace('-', '_')}{_mark(plan)}.{ending}": content}

    return made


def _lines(plan: Plan, samples: Sequence[Sample], found: _Results, line: str, notes: list[str]) -> dict[str, bytes]:
    """One line of JSON per answer, behind one that says what was measured; of custom ones also a line per sample after its answers."""
    labels = list(found)
    lines = [orjson.dumps({"kind": "run", "protocol_line": line, "benchmark": plan.benchmark.name, "models": labels})]
    for label in labels:
        for sample in samples:
            result = found[label].get(sample.id)
            head = {"sample": sample.id, "category": list(sample.category), "model": label}
            for number, fields in enumerate(_answers(result)):
                lines.append(orjson.dumps({"kind": "answer", **head, "number": number, **fields}, default=repr))
            if isinstance(result, Scored):
                lines.append(orjson.dumps({"kind": "sample", **head, **_scores(result)}))
    return {f"{plan.benchmark.name.replace('-', '_')}{_mark(plan)}.jsonl": b"\n".join(lines) + b"\n"}


def _answers(result: Any) -> Iterator[dict[str, Json]]:
    """The answers of any benchmark's result, each with what became of it."""
    if result is None:
        return
    if isinstance(result, Scored) and _paired(result):
        yield from ({**_plain(answer), "verdict": _plain(said)} for answer, said in zip(result.answers, result.verdicts, strict=True))
        return
    items: Sequence[Any] = next((getattr(result, name) for name in _ITEMS if hasattr(result, name)), (result,))
    for item in items:
        found = _plain(item)
        fields = found if isinstance(found, dict) else {"result": found}
        answer = fields.pop("answer", {})
        yield answer | fields


def _paired(result: Scored) -> bool:
    """Whether each verdict is of the answer in its place."""
    return len(result.verdicts) == len(result.answers)


def _scores(result: Scored) -> dict[str, Json]:
    """What a sample of a custom benchmark came to, its verdicts where they are not with the answers."""
    told = {"answers", "verdicts"} if _paired(result) else {"answers"}
    return {name: value for name, value in _plain(result).items() if name not in told and (value or name == "values")}


def _plain(value: Any) -> Any:
    """A value as JSON; fields that say nothing are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        return {name: _plain(found) for name, found in fields.items() if found is not None and found != "" and found != ()}
    if isinstance(value, Mapping):
        return {str(name): _plain(found) for name, found in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [_plain(found) for found in value]
    return value.value if isinstance(value, Enum) else value


_WRITERS: Mapping[str, Callable[[Plan, Sequence[Sample], _Results, str, list[str]], dict[str, bytes]]] = MappingProxyType(
    {
        SIUO: _siuo,
        CSQA_CSV: _csqa_table(csv_bytes, "csv"),
        CSQA_XLSX: _csqa_table(xlsx_bytes, "xlsx"),
        JSONL: _lines,
    }
)
