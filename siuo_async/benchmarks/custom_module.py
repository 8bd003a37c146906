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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar

from siuo_async.benchmarks.base import Ask, Tally
from siuo_async.benchmarks.custom_scores import Scored, ScoredTally, Shape
from siuo_async.benchmarks.custom_spec import SLUG
from siuo_async.benchmarks.data.datasets import Dataset, digest_of, in_category, wanted_categories
from siuo_async.errors import ConfigError, DataError, SiuoError
from siuo_async.values import EMPTY, Json, Parameters, Sample

OBJECT = "benchmark"
"""What a module's benchmark is called where no name is given."""
_LONGEST_QUOTE = 200
T = TypeVar("T")


class CustomBenchmark(Protocol):
    """What a module has to give: an object, or a class that is called without arguments.

    Beside these it may have, as attributes or methods of `Benchmark`: `primary` (else the first metric), `headline`, `answers` (1),
    `prompts_per_sample` (1), `generation()`, `judging()` (then it needs a judge), `calls_per_answer` (1 with a judge), `settings()`,
    `note`, `tally(samples)` (else one that counts `Scored`), and `licence`, a text.
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


@dataclass(frozen=True, slots=True)
class ModuleBenchmark:
    """A module's benchmark, as `Benchmark` wants it."""

    own: Any
    """The user's object."""
    source: Path
    """The file that it is in."""
    digest: str
    """BLAKE2b-32, hex, of that file."""
    judged: bool = True
    """False when no judge was asked for."""

    @property
    def name(self) -> str:
        """The object's."""
        return str(self.own.name)

    @property
    def metrics(self) -> Mapping[str, str]:
        """The object's."""
        return dict(self.own.metrics)

    @property
    def primary(self) -> str:
        """The object's, else its first metric."""
        return str(getattr(self.own, "primary", next(iter(self.own.metrics))))

    @property
    def headline(self) -> tuple[str, ...]:
        """The object's, else the primary metric."""
        return tuple(getattr(self.own, "headline", (self.primary,)))

    @property
    def note(self) -> str:
        """The object's."""
        return str(getattr(self.own, "note", "percent of decided samples, ones/decided; below it the Wilson 95% interval"))

    @property
    def answers(self) -> int:
        """The object's, else 1."""
        return int(getattr(self.own, "answers", 1))

    @property
    def prompts_per_sample(self) -> int:
        """The object's, else 1."""
        return int(getattr(self.own, "prompts_per_sample", 1))

    @property
    def needs_judge(self) -> bool:
        """Whether it says what it asks of a judge."""
        return hasattr(self.own, "judging")

    @property
    def calls_per_answer(self) -> int:
        """The object's, else 1 with a judge."""
        return int(getattr(self.own, "calls_per_answer", 1)) if self.needs_judge and self.judged else 0

    @property
    def prompt_set(self) -> str:
        """`custom-` and the digest of the source: the prompts stand in it."""
        return f"custom-{self.digest}"

    def settings(self) -> Mapping[str, Json]:
        """The digest of the source, and the object's own."""
        return {"definition": self.digest, **_given(self.own, "settings", EMPTY)}

    def generation(self) -> Parameters:
        """The object's, else the provider's own."""
        found: Parameters = _given(self.own, "generation", Parameters())
        return found

    def judging(self) -> Mapping[str, Parameters]:
        """The object's, while a judge takes part."""
        found: Mapping[str, Parameters] = _given(self.own, "judging", EMPTY) if self.judged else EMPTY
        return found

    def tally(self, samples: Iterable[Sample]) -> Tally[Any]:
        """The object's, else one that counts `Scored`."""
        if hasattr(self.own, "tally"):
            found: Tally[Any] = self.own.tally(samples)
            return found
        cap = self.generation().max_tokens
        judged = self.needs_judge and self.judged
        return ScoredTally(Shape(tuple(self.metrics), answers=self.answers, cap=cap, judged=judged), samples)

    async def evaluate(self, sample: Sample, ask: Ask) -> Any:
        """The object's, its result looked at, so that a slip is the bug of a sample rather than a number."""
        found = await self.own.evaluate(sample, ask)
        if not hasattr(self.own, "tally"):
            _check(found, self.metrics)
        return found


def _given(own: Any, method: str, default: Any) -> Any:
    return getattr(own, method)() if hasattr(own, method) else default


def _check(found: Any, metrics: Mapping[str, str]) -> None:
    if not isinstance(found, Scored):
        raise TypeError(f"evaluate must return a Scored, not {type(found).__name__}")
    if unknown := sorted(found.values.keys() - metrics.keys()):
        raise ValueError(f"evaluate gave values for {unknown}, but the metrics are {sorted(metrics)}")
    if wrong := {name: value for name, value in found.values.items() if value not in (0, 1, None)}:
        raise ValueError(f"a metric of a sample is 1, 0 or None, not {wrong}")


def load_module(reference: str, *, judged: bool = True) -> ModuleBenchmark:
    """The benchmark that `path/to/file.py`, `path/to/file.py:Name` or `package.module:Name` names.

    Raises:
        ConfigError: there is none, its module fails when imported (with file and line), or lacks something.
    """
    place, _, attribute = reference.partition(":") if ".py" not in reference else _file_and_name(reference)
    module = _module_of_file(Path(place).expanduser()) if place.endswith(".py") else _module_named(place)
    source = Path(inspect.getsourcefile(module) or place)
    if (own := getattr(module, attribute or OBJECT, None)) is None:
        raise ConfigError(f"{place} has no '{attribute or OBJECT}'; give the module one, or name another as in {place}:Name")
    if isinstance(own, type):
        own = _told(source, f"{attribute} cannot be made", own)
    _complete(own, f"{source.name}:{attribute or OBJECT}")
    return ModuleBenchmark(own, source, hashlib.blake2b(source.read_bytes(), digest_size=4).hexdigest(), judged)


def _file_and_name(reference: str) -> tuple[str, str, str]:
    """A path may hold a colon of its own; a name after `.py:` holds none."""
    head, found, name = reference.rpartition(".py:")
    return (f"{head}.py", ":", name) if found else (reference, "", "")


def _complete(own: Any, named: str) -> None:
    if not isinstance(name := getattr(own, "name", None), str) or not SLUG.fullmatch(name):
        raise ConfigError(f"{named} has no usable `name`; give it one of letters, digits, '.', '_' and '-', for runs and tables")
    metrics = getattr(own, "metrics", None)
    if not isinstance(metrics, Mapping) or not metrics:
        raise ConfigError(f"{named} has no `metrics`; give it what it measures, as in {{'consistent': 'Consistent'}}")
    for shown in (getattr(own, "primary", next(iter(metrics))), *getattr(own, "headline", ())):
        if shown not in metrics:
            raise ConfigError(f"{named}: '{shown}' is none of its metrics ({', '.join(metrics)}); `primary` and `headline` name these")
    if not callable(getattr(own, "samples", None)):
        raise ConfigError(f"{named} has no `samples(data)`; give it the method that makes the samples")
    if not inspect.iscoroutinefunction(getattr(own, "evaluate", None)):
        raise ConfigError(f"{named} has no `async def evaluate(sample, ask)`; give it the life of one sample")


def load_samples(found: ModuleBenchmark, data: Path | None, categories: Iterable[str] = ()) -> Dataset:
    """The samples that a module gives.

    Args:
        data: what `--data` names; None: the folder of the module.
        categories: keep only these; none keeps all.

    Raises:
        DataError: it raises, or what it gives are no samples with ids of their own.
    """
    place = data or found.source.parent
    given = _told(found.source, "samples() failed", lambda: list(found.own.samples(place)), DataError)
    seen: set[str] = set()
    for number, sample in enumerate(given, 1):
        if not isinstance(sample, Sample):
            raise DataError(f"{found.source}: samples() gave a {type(sample).__name__} as number {number}; it must be a Sample")
        if sample.id in seen or not sample.category:
            what = "the id of another" if sample.id in seen else "no category"
            raise DataError(f"{found.source}: sample {sample.id!r} has {what}; give each its own id and a category")
        seen.add(sample.id)
    wanted = wanted_categories(tuple(categories), [sample.category for sample in given], found.source)
    kept = tuple(sample for sample in given if in_category(sample.category, wanted))
    digest = _told(found.source, "a sample's fields are not JSON", lambda: digest_of(kept), DataError)
    return Dataset(kept, digest, (), found.source, licence=str(getattr(found.own, "licence", "")))


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


def _line_in(source: Path, error: BaseException) -> str:
    """Where in the user's file it happened."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f" line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == source]
    return f" line {lines[-1]}" if lines else ""


def _module_named(name: str) -> ModuleType:
    try:
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
        _told(file, "the benchmark cannot be imported", run)
    except BaseException:
        del sys.modules[name]
        raise
    return module
