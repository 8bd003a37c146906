"""Answers made elsewhere become a run: the benchmark's own coroutine asks, a file answers, the journal keeps it.

So an imported run is like any other: `score` and `report` replay it, `siuo judge` pays for verdicts on it. Only its provider,
`imported`, says that nothing of it was asked here; the call ids are those of the calls that would have been made.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from siuo_async.benchmarks.base import GENERATE, Juror
from siuo_async.benchmarks.csqa_scores import CsqaResult
from siuo_async.benchmarks.siuo_mcqa import McqaResult
from siuo_async.client.accounts import IMPORTED
from siuo_async.config import make
from siuo_async.engine import plan as plans
from siuo_async.engine import run_directory
from siuo_async.engine.asking import Target
from siuo_async.engine.call_id import call_id
from siuo_async.engine.door import PendingError
from siuo_async.engine.journal import Journal
from siuo_async.engine.plan import Participant, Plan
from siuo_async.engine.records import CallRecord
from siuo_async.engine.replay import replay
from siuo_async.engine.run_directory import RunDirectory, write_json
from siuo_async.engine.summary import summarise
from siuo_async.errors import ConfigError, DataError, RunDirectoryError, StoppedEarly
from siuo_async.exchange.suspects import Suspects
from siuo_async.exchange.tables import read_rows
from siuo_async.exchange.upstream_files import (
    Given,
    Row,
    given_csqa,
    given_siuo_gen,
    given_siuo_mcqa,
    json_rows,
    long_rows,
    siuo_rows_of,
)
from siuo_async.judging import released_csqa_grades
from siuo_async.values import Answer, Json, Outcome, Prompt, Sample

FILE = "import.json"
"""In the run's directory: where the answers came from, and what is suspect about them."""
TABLES = (".csv", ".xlsx")
_OTHER_TABLES = (".xls", ".xlsm", ".xlsb", ".ods", ".tsv")
_CSQA_MODES: Mapping[str, str] = {"csqa-qa": "QA", "csqa-mcq": "MCQ"}
IMPORTABLE = ("siuo-gen", "demo", "siuo-mcqa", *_CSQA_MODES)
_IN_FILE_ORDER = ("siuo-mcqa", "csqa-mcq")
"""What was answered is a letter, which means something else where `corrected` moves the options."""
_MOST_LABEL_CHARS = 200
"""So that it fits into a folder's name, which takes 255 bytes."""


@dataclass(frozen=True, slots=True)
class Order:
    """What `siuo import` is told."""

    files: tuple[Path, ...]
    label: str
    benchmark: str | None = None
    """None: told from the files."""
    protocol: str | None = None
    prompts: str | None = None
    judge_label: str = "judge"
    answers: int | None = None
    data: Path | None = None
    images: Path | None = None
    missing_images: str | None = None
    name: str | None = None
    results: Path = Path("results")
    fresh: bool = False
    keep_errors: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    directory: RunDirectory
    summary: dict[str, Json]
    suspects: Suspects
    answers: int
    verdicts: int
    metrics: Mapping[str, str] = field(default_factory=dict)


def make_run(order: Order) -> Imported:
    """Makes the run.

    Raises:
        ConfigError: a setting does not fit.
        DataError: a file cannot be read, or none of its answers belong to the benchmark's samples.
        RunDirectoryError: there is such a run already.
    """
    suspects = Suspects()
    for flag, label in (("--label", order.label), ("--judge-label", order.judge_label)):
        _check_label(flag, label)
    rows = _rows(order, suspects)
    made_up = list(dict.fromkeys(row.file for row in rows if row.made_up))
    for file in made_up:
        suspects.note("files of answers that a simulator made up", file)
    plan, given = _plan(order, _benchmark(order, rows), rows, suspects)
    plan = replace(plan, made_up=bool(made_up))
    place = partial(run_directory.locate, order.results, plan.name, plan.identity, explicit=order.name is not None, path=None)
    directory = place(fresh=order.fresh)
    if (directory.path / "run.json").exists():
        raise RunDirectoryError(f"{directory.path} is there already; --fresh imports into a new folder, --name gives it another name")
    if directory.path.exists():  # of an import that was cut short, whose files may have said something else
        directory = place(fresh=True)
    by_sample = _by_sample(plan, given, suspects)
    directory.make()
    directory.write_samples(plan.all_samples)
    journal = Journal(directory.calls)
    try:
        clerk = _Clerk(plan, journal, suspects)
        asyncio.run(clerk.copy(by_sample))
    finally:
        journal.close()
    summary = summarise(plan, asyncio.run(replay(plan, directory)))
    _write(directory, order, suspects, summary)
    directory.write_manifest(plan.manifest())  # last: without it nobody takes the folder for a run
    return Imported(directory, summary, suspects, clerk.answers, clerk.verdicts, plan.benchmark.metrics)


def _check_label(flag: str, label: str) -> None:
    if not label.strip():
        raise ConfigError(f"{flag} is empty; name what the tables are to call it")
    if len(label) > _MOST_LABEL_CHARS or not label.isprintable():
        raise ConfigError(f"{flag} is no name for a table; take at most {_MOST_LABEL_CHARS} printable characters")


def _rows(order: Order, suspects: Suspects) -> list[Row]:
    """What the files hold, all of them tables or none."""
    for path in order.files:
        if path.suffix.lower() in _OTHER_TABLES:
            raise ConfigError(f"{path}: {path.suffix} is no table that can be read; save it as .xlsx or as .csv")
    tables = [path for path in order.files if path.suffix.lower() in TABLES]
    if not tables:
        return json_rows(order.files, suspects)
    if len(tables) < len(order.files):
        raise ConfigError("tables and JSON files cannot be one import; import them one after the other")
    return long_rows(row for path in tables for row in read_rows(path))


def _benchmark(order: Order, rows: Sequence[Row]) -> str:
    """The benchmark that the files hold answers to: as told, or as they say."""
    told = order.benchmark
    if told and told not in IMPORTABLE:
        raise ConfigError(f"answers to {told} cannot be imported; there are: {', '.join(IMPORTABLE)}")
    name = _of_table(rows, told) if Path(rows[0].file).suffix.lower() in TABLES else _of_items(rows, told)
    if name in _IN_FILE_ORDER and order.protocol == "corrected":
        raise ConfigError(
            f"answers to {name} were given to options in the file's order, which 'corrected' changes; use --protocol released"
        )
    return name


def _of_table(rows: Sequence[Row], told: str | None) -> str:
    if told:
        if told not in _CSQA_MODES:
            raise ConfigError(f"a table holds answers to Chinese SafetyQA, not to {told}; add --benchmark {' or '.join(_CSQA_MODES)}")
        return told
    modes = {str(row.fields.get("mode")).strip().upper() for row in rows}
    names = [name for name, mode in _CSQA_MODES.items() if mode in modes]
    if len(names) != 1:
        what = "both short answers (QA) and multiple choice (MCQ)" if names else f"no row whose mode is QA or MCQ, but {sorted(modes)}"
        raise ConfigError(f"the table holds {what}; say which with --benchmark csqa-qa or --benchmark csqa-mcq")
    return names[0]


def _of_items(items: Sequence[Row], told: str | None) -> str:
    if told in _CSQA_MODES:
        raise ConfigError(f"answers to {told} are imported from tables ({', '.join(TABLES)}); name one of those")
    found = siuo_rows_of(items)
    if found is None:
        raise DataError(
            f"{items[0].where}: has the fields {', '.join(map(str, list(items[0].fields)[:12]))}, of which none is `responses` or "
            "`response_mcqa`; name a file of SIUO results, or a table (.csv, .xlsx) of Chinese SafetyQA"
        )
    if told and (found == "siuo-mcqa") != (told == "siuo-mcqa"):
        raise DataError(f"{items[0].where}: holds answers to {found}, not to {told}; leave --benchmark out, or name another file")
    return told or found


def _given(order: Order, plan: Plan, rows: Sequence[Row], suspects: Suspects) -> dict[str, Given]:
    """What the files say of the order's model, by question in tables, else by id."""
    name, keep = plan.config.benchmark, order.keep_errors
    if name in _CSQA_MODES:
        stage = next(iter(plan.benchmark.judging()), "")
        return given_csqa(rows, _CSQA_MODES[name], order.label, stage, suspects, keep_errors=keep)
    if name == "siuo-mcqa":
        return given_siuo_mcqa(rows, suspects, keep_errors=keep)
    return given_siuo_gen(rows, suspects, keep_errors=keep, protocol=plan.config.protocol)


def _name(label: str) -> str:
    """A name of a run; labels that differ in more than it can hold get different ones."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", label).strip("-")
    mark = "" if plain == label else "-" + blake2b(label.encode(), digest_size=3).hexdigest()
    return f"import-{plain or 'answers'}{mark}"


def _plan(order: Order, benchmark: str, rows: Sequence[Row], suspects: Suspects) -> tuple[Plan, dict[str, Given]]:
    settings: dict[str, Json] = {
        "benchmark": benchmark,
        "protocol": order.protocol or ("released" if benchmark in _IN_FILE_ORDER else "corrected"),
        "name": order.name or _name(order.label),
        "results": order.results,
        "data": order.data,
        "images": order.images,
        "missing_images": order.missing_images,
        "prompts": order.prompts,
        "answers": order.answers,
    }
    settings = {name: value for name, value in settings.items() if value is not None}
    plan = plans.from_config(make(settings), {})
    given = _given(order, plan, rows, suspects)
    if not given:
        raise DataError(f"{', '.join(map(str, order.files))}: holds no answers to {benchmark}")
    settings["models"] = [{"model": f"{IMPORTED}/{order.label}", "label": order.label}]
    judge = None
    if plan.benchmark.needs_judge:
        if any(each.verdicts for each in given.values()):
            settings["judge"] = {"model": f"{IMPORTED}/{order.judge_label}", "label": order.judge_label}
        else:
            settings["no_judge"] = True
            plan = plans.from_config(make(settings | {"models": []}), {}, run_directory.known_pictures(plan.all_samples))
    config = make(settings)
    if config.judge is not None:
        judge = Participant(order.judge_label, IMPORTED, config.judge)
    return replace(plan, config=config, models=(Participant(order.label, IMPORTED, config.models[0]),), judge=judge), given


def _by_sample(plan: Plan, given: Mapping[str, Given], suspects: Suspects) -> dict[str, Given]:
    """What the files say, by the id of the sample that it is about."""
    by_text = plan.config.benchmark in _CSQA_MODES
    keys = {sample.text if by_text else sample.id: number for number, sample in enumerate(plan.all_samples)}
    for key in given:
        if key not in keys:
            suspects.note(f"answers to samples that are not in {plan.data_file}", key[:40])
    found = {}
    for key, number in keys.items():
        sample = plan.all_samples[number]
        if key not in given or not given[key].answers:
            suspects.note("samples without an answer in the file", sample.id)
            continue
        if (asked := given[key].question) is not None and asked.strip() != sample.text.strip():
            suspects.note("samples that were asked another question than the data's", sample.id)
        _count(plan, sample, given[key], suspects)
        found[sample.id] = given[key]
    if not found:
        raise DataError(f"none of the answers belongs to a sample of {plan.data_file}; check the ids, --data and --benchmark")
    return found


def _count(plan: Plan, sample: Sample, given: Given, suspects: Suspects) -> None:
    wanted = plan.benchmark.answers
    if len(given.answers) != wanted:
        used = f"the first {wanted} are used" if len(given.answers) > wanted else "they stay pending"
        suspects.note(
            f"samples without exactly {wanted} answer{'s' if wanted > 1 else ''} ({used})", f"{sample.id} has {len(given.answers)}"
        )


def _write(directory: RunDirectory, order: Order, suspects: Suspects, summary: Mapping[str, Json]) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    told = {"files": [str(file) for file in order.files], "label": order.label, "imported_at": now, "suspect": suspects.as_json()}
    write_json(directory.path / FILE, told)
    write_json(directory.summary, summary)
    # Nothing more comes from the file, whatever it lacks; `siuo resume` must not take this for a run that was broken off.
    write_json(directory.stats, {"sessions": [], "finished_at": now})


class _Clerk:
    """Lets each sample live, with a file for its model and its judge, and keeps what they say.

    Args:
        journal: of the new run.
        suspects: told where two calls are one, but the file answers them differently.
    """

    def __init__(self, plan: Plan, journal: Journal, suspects: Suspects) -> None:
        self._plan = plan
        self._model = plan.models[0].target(plan.generation())
        self._judge = plan.judge.target(plan.judging()) if plan.judge else None
        self._journal = journal
        self._suspects = suspects
        self._written: dict[str, Answer] = {}
        self.answers = self.verdicts = 0

    async def copy(self, given: Mapping[str, Given]) -> None:
        """Writes the records of all samples that the file answers."""
        for sample in self._plan.samples():
            if sample.id in given:
                try:
                    result = await self._plan.benchmark.evaluate(sample, _FileAsk(self, sample, given[sample.id]))
                except StoppedEarly:
                    continue  # not all of its answers are there
                self._look(sample, given[sample.id], result)

    def _look(self, sample: Sample, given: Given, result: Any) -> None:
        """Notes what could not be read, and what the file has read otherwise."""
        unread = isinstance(result, McqaResult) and any(choice.reading in ("drawn", "unparsed") for choice in result.choices)
        if isinstance(result, CsqaResult):
            unread = result.unparsed
            if given.check is not None and released_csqa_grades(given.check) != result.grades:
                self._suspects.note("checks that are not the grade which the answer beside them gets (the answer counts)", sample.id)
        if unread:
            self._suspects.note("answers without a letter", sample.id)

    def ask_model(self, sample: Sample, prompt: Prompt, first: int, found: Answer) -> Answer:
        """Keeps an answer."""
        self.answers += 1
        return self._keep(self._model, GENERATE, sample, f"{sample.id}[{first}]", prompt, first, 1, found)

    def ask_judge(
        self, sample: Sample, number: int, prompt: Prompt, stage: str, first: int, cap_scale: int, found: Answer | None
    ) -> Answer:
        """Keeps a verdict, or that there is none."""
        assert self._judge is not None
        where = f"{sample.id}[{number}]"
        if first or cap_scale > 1:  # `corrected` would ask again; the file has one reply
            found = Answer(Outcome.FAILED, reason="the imported file holds one verdict for each answer")
        elif found is None:
            self._suspects.note("answers without a verdict", f"{where} {stage.partition('.')[2]}")
            found = Answer(Outcome.FAILED, reason="the imported file holds no verdict")
        else:
            self.verdicts += 1
        return self._keep(self._judge, stage, sample, where, prompt, first, cap_scale, found)

    def _keep(
        self, target: Target, stage: str, sample: Sample, where: str, prompt: Prompt, first: int, cap_scale: int, found: Answer
    ) -> Answer:
        identity = call_id(
            stage=stage,
            provider=target.provider,
            model=target.model,
            revision=target.revision,
            prompt=prompt,
            parameters=target.calls(stage, cap_scale).parameters,
            first=first,
        )
        if (before := self._written.get(identity)) is not None:
            if (before.outcome, before.text) != (found.outcome, found.text):
                what = "samples that ask the same as another" if stage == GENERATE else "verdicts on an answer that was given twice"
                self._suspects.note(f"{what}, yet differ (the first counts)", where)
            return before
        self._written[identity] = found
        failed = found.outcome is Outcome.FAILED
        self._journal.append(
            CallRecord(
                id=identity,
                stage=stage,
                provider=target.provider,
                model=target.model,
                sample=sample.id,
                first=first,
                asked=1,
                answers=(Answer(Outcome.FAILED) if failed else found,),
                error={"kind": IMPORTED, "message": found.reason or "no result"} if failed else None,
            )
        )
        return found


@dataclass(slots=True)
class _FileAsk:
    """`ask` for one sample, answered from a file."""

    clerk: _Clerk
    sample: Sample
    given: Given
    _number: int = 0
    """The answer that is being judged; a benchmark judges one after another."""
    judges: Sequence[Juror] = ()
    """A file has one judge."""

    async def answers(self, prompt: Prompt, n: int) -> AsyncGenerator[tuple[int, Answer], None]:
        """The answers that the file has.

        Raises:
            PendingError: it has not all n.
        """
        for number, found in enumerate(self.given.answers[:n]):
            self._number = number
            yield number, self.clerk.ask_model(self.sample, prompt, number, found)
        self._complete(n)

    async def answers_to(self, prompts: Sequence[Prompt]) -> AsyncGenerator[tuple[int, Answer], None]:
        """One answer of the file to each prompt.

        Raises:
            PendingError: it has not as many.
        """
        for number, (prompt, found) in enumerate(zip(prompts, self.given.answers, strict=False)):
            self._number = number
            yield number, self.clerk.ask_model(self.sample, prompt, 0, found)
        self._complete(len(prompts))

    def _complete(self, n: int) -> None:
        if len(self.given.answers) < n:
            raise PendingError("the file has not all answers of this sample")

    async def search(self, query: str) -> Answer:
        """Raises PendingError: nothing is searched."""
        raise PendingError("an imported run searches nothing")

    async def verdict(self, prompt: Prompt, stage: str, *, first: int = 0, cap_scale: int = 1, judge: int | None = None) -> Answer:
        """The file's verdict on the answer that was given last."""
        verdicts = self.given.verdicts.get(stage, ())
        found = verdicts[self._number] if self._number < len(verdicts) else None
        return self.clerk.ask_judge(self.sample, self._number, prompt, stage, first, cap_scale, found)
