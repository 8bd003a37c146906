"""Benchmarks that are a Python module of the user's: what one YAML file cannot say, in about a hundred lines.

The module gives an object with a name, metrics, samples and the life of one sample (`CustomBenchmark`); all else has a default. It is
code that nobody here has seen: what fails while it is imported or gives its samples is told in one sentence with file and line, what
fails in the life of a sample is that sample's bug, and its source is part of the run's identity.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, StrictInt, StrictStr, ValidationError

from siuo_async.benchmarks.base import Ask, SampleBug, Tally
from siuo_async.benchmarks.custom_scores import Scored, ScoredTally, Shape, check_scored, scored_seen
from siuo_async.benchmarks.custom_spec import SLUG
from siuo_async.benchmarks.data.datasets import Dataset, as_stored, checked_text, digest_of, in_category, wanted_categories
from siuo_async.benchmarks.data.sample_store import Ids, StoredSamples, first_twice
from siuo_async.benchmarks.seen import Seen
from siuo_async.errors import ConfigError, DataError, SiuoError
from siuo_async.values import EMPTY, Json, Parameters, Picture, Sample

OBJECT = "benchmark"
"""What a module's benchmark is called where no name is given."""
_LONGEST_QUOTE = 200
_NOT_THERE = object()
_SUMMARY = frozenset({"metrics", "categories", "outcomes", "answers", "judge", "dropped"})
"""What every tally's summary has."""
T = TypeVar("T")


class CustomBenchmark(Protocol):
    """What a module has to give: an object, or a class that is called without arguments.

    Beside these it may have the members that `Members` lists, each as an attribute or as a method without arguments, and
    `tally(samples)` (else one counts `Scored`).
    """

    name: str
    """For runs and tables; letters, digits, `.`, `_` and `-`."""
    metrics: Mapping[str, str]
    """Metric -> heading; what `evaluate` gives values for."""

    def samples(self, data: Path) -> Iterable[Sample]:
        """What is asked.

        Args:
            data: what `--data` names, else the folder of the module.
        """

    async def evaluate(self, sample: Sample, ask: Ask) -> Scored:
        """The life of one sample. Lets `StoppedEarly` pass: the sample stays pending then."""


def _positive(parameters: Parameters) -> Parameters:
    if parameters.max_tokens is not None and not (isinstance(parameters.max_tokens, int) and parameters.max_tokens > 0):
        raise ValueError("max_tokens is no whole number from 1")
    return parameters


def _kept(settings: dict[str, Json]) -> dict[str, Json]:
    if taken := sorted({"definition", "search_source"} & settings.keys()):
        raise ValueError(f"{taken} are not for it")
    try:
        return as_stored("settings", settings)
    except DataError as error:
        raise ValueError(str(error)) from None


_Asked = Annotated[InstanceOf[Parameters], AfterValidator(_positive)]
_Stage = Annotated[StrictStr, Field(pattern=r"^judge\..")]
_Many = Annotated[StrictInt, Field(ge=1, le=64)]


class Members(BaseModel):
    """What is read of a module's object, once and before anything is sent. Descriptions are for messages: what each has to be."""

    model_config = ConfigDict(frozen=True)

    name: StrictStr = Field(pattern=f"^{SLUG.pattern}$", description="letters, digits, '.', '_' and '-', 64 at most")
    metrics: dict[StrictStr, StrictStr] = Field(
        min_length=1, description="a table of metric and heading, as in {'consistent': 'Consistent'}"
    )
    primary: StrictStr = Field("", description="the name of a metric")
    headline: tuple[StrictStr, ...] = Field((), description="a tuple of names of metrics, as in ('consistent',)")
    lower_is_better: tuple[StrictStr, ...] = Field((), description="a tuple of names of metrics, as in ('harmful',)")
    note: StrictStr = Field(
        "percent of decided samples, ones/decided; below it the Wilson 95% interval", description="a text, what the figures are"
    )
    answers: _Many = Field(1, description="a whole number from 1 to 64")
    prompts_per_sample: _Many = Field(1, description="a whole number from 1 to 64")
    calls_per_answer: StrictInt = Field(1, ge=0, description="a whole number from 0")
    settings: Annotated[dict[StrictStr, Any], AfterValidator(_kept)] = Field(
        {}, description="a table that JSON can hold, without 'definition' and 'search_source'"
    )
    generation: _Asked = Field(
        default_factory=Parameters, description="a Parameters whose max_tokens is a whole number from 1, or None"
    )
    judging: dict[_Stage, _Asked] | None = Field(None, description="a table of stage and Parameters; stages begin with 'judge.'")
    licence: StrictStr = Field("", description="a text")


@dataclass(frozen=True, slots=True)
class ModuleBenchmark:
    """A module's benchmark, as `Benchmark` wants it."""

    own: Any
    """The user's object."""
    members: Members
    source: Path
    """The file that it is in."""
    digest: str
    """BLAKE2b-32, hex, of that file."""
    judged: bool = True
    """False when no judge was asked for."""

    @property
    def name(self) -> str:
        """The object's."""
        return self.members.name

    @property
    def metrics(self) -> Mapping[str, str]:
        """The object's."""
        return self.members.metrics

    @property
    def primary(self) -> str:
        """The object's, else its first metric."""
        return self.members.primary or next(iter(self.metrics))

    @property
    def headline(self) -> tuple[str, ...]:
        """The object's, else the primary metric."""
        return self.members.headline or (self.primary,)

    @property
    def lower_is_better(self) -> frozenset[str]:
        """The object's, else none."""
        return frozenset(self.members.lower_is_better)

    @property
    def note(self) -> str:
        """The object's."""
        return self.members.note

    @property
    def answers(self) -> int:
        """The object's, else 1."""
        return self.members.answers

    @property
    def prompts_per_sample(self) -> int:
        """The object's, else 1."""
        return self.members.prompts_per_sample

    @property
    def needs_judge(self) -> bool:
        """Whether it says what it asks of a judge."""
        return self.members.judging is not None

    @property
    def calls_per_answer(self) -> int:
        """The object's, else 1 with a judge."""
        return self.members.calls_per_answer if self.needs_judge and self.judged else 0

    @property
    def prompt_set(self) -> str:
        """`custom-` and the digest of the source: the prompts stand in it."""
        return f"custom-{self.digest}"

    def settings(self) -> Mapping[str, Json]:
        """The digest of the source, and the object's own."""
        return {"definition": self.digest, **self.members.settings}

    def generation(self) -> Parameters:
        """The object's, else the provider's own."""
        return self.members.generation

    def judging(self) -> Mapping[str, Parameters]:
        """The object's, while a judge takes part."""
        return self.members.judging or EMPTY if self.judged else EMPTY

    @property
    def _shape(self) -> Shape:
        judged = self.needs_judge and self.judged
        return Shape(tuple(self.metrics), answers=self.answers, cap=self.generation().max_tokens, judged=judged)

    def tally(self, samples: Collection[Sample]) -> Tally[Any]:
        """The object's, else one that counts `Scored`."""
        if hasattr(self.own, "tally"):
            found: Tally[Any] = self.own.tally(samples)
            return found
        return ScoredTally(self._shape, samples)

    def seen(self, sample: Sample, result: Any) -> Seen:
        """What there is in a `Scored`; of results with a tally of their own nobody else knows what they hold."""
        if not isinstance(result, Scored):
            return Seen()
        stages = tuple(self.judging())
        return scored_seen(result, self._shape, stages[0] if len(stages) == 1 else "judge")

    async def evaluate(self, sample: Sample, ask: Ask) -> Any:
        """The object's, its result looked at, so that a slip is the bug of a sample rather than a number or the end of the run.

        Raises:
            SampleBug: the user's code failed, or gave what cannot be counted.
        """
        try:
            found = await self.own.evaluate(sample, ask)
            if hasattr(self.own, "tally"):
                _try(self.tally((sample,)), sample, found)
            else:
                check_scored(found, self._shape)
        except SiuoError:
            raise
        except (Exception, SystemExit) as error:
            raise SampleBug(f"{self.source}{_line_in(self.source, error)}: sample {sample.id} failed ({_quoted(error)})") from error
        return found


def _try(tally: Tally[Any], sample: Sample, found: Any) -> None:
    """Counts one result on counters of its own, where an exception costs no more than the sample."""
    tally.add(sample.category, found)
    _check_summary(tally.summary({sample.category[0]: 1}))


def _check_summary(summary: Any) -> None:
    if not isinstance(summary, Mapping) or (lacking := _SUMMARY - summary.keys()):
        there = f"lacks {', '.join(sorted(lacking))}" if isinstance(summary, Mapping) else f"is {type(summary).__name__}"
        raise TypeError(f"the summary of the tally {there}; it needs {', '.join(sorted(_SUMMARY))} (see benchmarks/base.py)")


def load_module(reference: str, *, judged: bool = True) -> ModuleBenchmark:
    """The benchmark that `path/to/file.py`, `path/to/file.py:Name` or `package.module:Name` names.

    Raises:
        ConfigError: there is none, its module fails when imported (with file and line), or lacks something.
    """
    place, attribute = _place_and_name(reference)
    module = _module_of_file(Path(place).expanduser().absolute()) if place.endswith(".py") else _module_named(place)
    if (file := getattr(module, "__file__", None)) is None or not file.endswith(".py"):
        raise ConfigError(f"the module {place} is no Python file; name one that is, as in bench.py or package.module:Name")
    source = Path(file)
    if (own := getattr(module, attribute or OBJECT, None)) is None:
        raise ConfigError(f"{place} has no '{attribute or OBJECT}'; give the module one, or name another as in {place}:Name")
    if isinstance(own, type):
        own = _told(source, f"{attribute or OBJECT} cannot be made", own)
    members = _members(own, source, f"{source.name}:{attribute or OBJECT}")
    return ModuleBenchmark(own, members, source, hashlib.blake2b(source.read_bytes(), digest_size=4).hexdigest(), judged)


def _place_and_name(reference: str) -> tuple[str, str]:
    """A path may hold a colon of its own; a name after `.py:` holds none."""
    if reference.endswith(".py"):
        return reference, ""
    head, found, name = reference.rpartition(".py:")
    if found:
        return f"{head}.py", name
    place, _, name = reference.partition(":")
    return place, name


def _members(own: Any, source: Path, named: str) -> Members:
    """What the object says of itself.

    Raises:
        ConfigError: something is missing, wrong, or raises.
    """
    if not callable(getattr(own, "samples", None)):
        raise ConfigError(f"{named} has no `samples(data)`; give it the method that makes the samples")
    if not inspect.iscoroutinefunction(getattr(own, "evaluate", None)):
        raise ConfigError(f"{named} has no `async def evaluate(sample, ask)`; give it the life of one sample")
    given = {name: _told(source, f"`{name}` failed", partial(_value, own, name)) for name in Members.model_fields}
    try:
        found = Members.model_validate({name: value for name, value in given.items() if value is not _NOT_THERE})
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        given_as = "is not there" if given[name] is _NOT_THERE else f"is {_shown(given[name])}"
        raise ConfigError(f"{named}: its `{name}` must be {Members.model_fields[name].description}, but it {given_as}") from None
    for shown in (found.primary, *found.headline, *found.lower_is_better):
        if shown and shown not in found.metrics:
            raise ConfigError(
                f"{named}: '{shown}' is none of its metrics ({', '.join(found.metrics)}), which `primary`, `headline` and "
                "`lower_is_better` name"
            )
    primary = found.primary or next(iter(found.metrics))
    if found.headline and primary not in found.headline:
        raise ConfigError(f"{named}: `headline` lacks '{primary}', which models are compared by; add it, or name another `primary`")
    return found


def _value(own: Any, name: str) -> Any:
    value = getattr(own, name, _NOT_THERE)
    return value() if callable(value) else value


def load_samples(found: ModuleBenchmark, data: Path | None, categories: Iterable[str] = ()) -> Dataset:
    """The samples that a module gives, as a run's directory will give them back.

    Args:
        data: what `--data` names; None: the folder of the module.
        categories: keep only these; none keeps all.

    Raises:
        DataError: it raises, or what it gives are no samples with ids of their own.
        ConfigError: its tally cannot be used.
    """
    place = data or found.source.parent
    ids = Ids()
    samples = StoredSamples.of(_given(found, place, ids))
    if not len(samples):
        raise DataError(f"{found.source}: samples() gave none; {place} is where it was to look")
    if not ids.differ() and (twice := first_twice(sample.id for sample in samples)):
        raise DataError(f"{found.source}: sample {samples[twice[1]].id!r} has the id of another; give each its own")
    wanted = wanted_categories(tuple(categories), (sample.category for sample in samples), found.source)
    kept = StoredSamples.of(sample for sample in samples if in_category(sample.category, wanted)) if wanted else samples
    if hasattr(found.own, "tally"):
        totals = Counter(sample.category[0] for sample in kept)
        _told(found.source, "its tally cannot be used", lambda: _check_summary(found.tally(kept).summary(totals)))
    return Dataset(kept, digest_of(kept), (), found.source, licence=found.members.licence)


def _given(found: ModuleBenchmark, place: Path, ids: Ids) -> Iterator[Sample]:
    """The samples as a module gives them, one by one; their ids are noted."""
    made = _told(found.source, "samples() failed", lambda: iter(found.own.samples(place)), DataError)
    for number in count(1):
        each = _told(found.source, "samples() failed", lambda: next(made, _NOT_THERE), DataError)
        if each is _NOT_THERE:
            return
        sample = _checked(f"{found.source}: sample {number} of samples()", each)
        ids.add(sample.id)
        yield sample


def _checked(where: str, sample: Any) -> Sample:
    if not isinstance(sample, Sample):
        raise DataError(f"{where} is a {type(sample).__name__}; it must be a Sample")
    if not isinstance(sample.category, tuple | list) or not sample.category:
        raise DataError(f"{where} has the category {_shown(sample.category)}; it must be a tuple of texts, as in ('outdoors',)")
    if not isinstance(sample.pictures, tuple | list) or not all(isinstance(each, Picture) for each in sample.pictures):
        raise DataError(f"{where} has pictures that are none; `read_picture(path)` makes one")
    if not isinstance(sample.fields, Mapping):
        raise DataError(f"{where} has fields that are {type(sample.fields).__name__}; they must be a table of name and value")
    return Sample(
        checked_text(where, "`id`", sample.id, may_be_empty=False),
        tuple(checked_text(where, "`category`", level, may_be_empty=False) for level in sample.category),
        checked_text(where, "`text`", sample.text),
        tuple(sample.pictures),
        as_stored(where, sample.fields),
    )


def _told(source: Path, what: str, make: Callable[[], T], kind: type[SiuoError] = ConfigError) -> T:
    """What `make` gives; an exception of the user's code becomes one sentence with file and line."""
    try:
        return make()
    except SiuoError:
        raise
    except (Exception, SystemExit) as error:
        raise kind(f"{source}{_line_in(source, error)}: {what} ({_quoted(error)}); mend it there") from error


def _quoted(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_LONGEST_QUOTE]}"


def _shown(value: Any) -> str:
    return " ".join(repr(value).split())[:_LONGEST_QUOTE]


def _line_in(source: Path, error: BaseException) -> str:
    """Where in the user's file it happened."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f" line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == source]
    return f" line {lines[-1]}" if lines else ""


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Lets a module find what stands beside it, also where the program's own folder is what Python looks in first."""
    sys.path.insert(0, place := str(folder.absolute()))
    try:
        yield
    finally:
        if place in sys.path:  # user's code may have touched it
            sys.path.remove(place)


def _module_named(name: str) -> ModuleType:
    try:
        with _importing_from(Path()):
            return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise ConfigError(f"the module {name} cannot be imported ({_quoted(error)}); a file here is named with its .py") from error


def _module_of_file(file: Path) -> ModuleType:
    """The module in a file; imported once for each content that it has."""
    if not file.is_file():
        raise ConfigError(f"there is no file {file} of a custom benchmark; check the path")
    source = file.read_bytes()
    content = hashlib.blake2b(bytes(file.resolve()) + bytes(1) + source, digest_size=8).hexdigest()
    name = f"siuo_custom_{content}"
    if (known := sys.modules.get(name)) is not None:
        return known
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up

    def run() -> None:
        # Not by the loader: bytecode that it keeps may be of an older text of the same size and second.
        exec(compile(source, str(file), "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - what the user asked for

    try:
        with _importing_from(file.parent):
            _told(file, "the benchmark cannot be imported", run)
    except BaseException:
        del sys.modules[name]
        raise
    return module
