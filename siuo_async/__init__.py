"""Evaluate multimodal model APIs on cross-modality safety benchmarks.

`evaluate` does what `siuo run` does, `Run` is a run that is there. Everything is loaded when it is first used, so that importing this
package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from siuo_async.analysis.agreement import Agreement
    from siuo_async.analysis.comparison import Comparison
    from siuo_async.errors import ConfigError, DataError, RunDirectoryError, SiuoError, StoppedEarly, UsageError
    from siuo_async.exchange.rows import AnswerRow, FigureRow, ModelRow, SampleRow, ScoreRow, TakeRow, VerdictRow
    from siuo_async.library.evaluating import evaluate, evaluate_async
    from siuo_async.library.progress import ModelProgress, Progress
    from siuo_async.library.run import Run

__version__ = "0.1.0"
__all__ = [
    "Agreement",
    "AnswerRow",
    "Comparison",
    "ConfigError",
    "DataError",
    "FigureRow",
    "ModelProgress",
    "ModelRow",
    "Progress",
    "Run",
    "RunDirectoryError",
    "SampleRow",
    "ScoreRow",
    "SiuoError",
    "StoppedEarly",
    "TakeRow",
    "UsageError",
    "VerdictRow",
    "__version__",
    "evaluate",
    "evaluate_async",
]
_ROWS = "siuo_async.exchange.rows"
_ERRORS = "siuo_async.errors"
_PLACES = {
    "Agreement": "siuo_async.analysis.agreement",
    "Comparison": "siuo_async.analysis.comparison",
    "ModelProgress": "siuo_async.library.progress",
    "Progress": "siuo_async.library.progress",
    "Run": "siuo_async.library.run",
    "evaluate": "siuo_async.library.evaluating",
    "evaluate_async": "siuo_async.library.evaluating",
    **dict.fromkeys(("ConfigError", "DataError", "RunDirectoryError", "SiuoError", "StoppedEarly", "UsageError"), _ERRORS),
    **dict.fromkeys(("AnswerRow", "FigureRow", "ModelRow", "SampleRow", "ScoreRow", "TakeRow", "VerdictRow"), _ROWS),
}
"""Where the public names live."""


def __getattr__(name: str) -> Any:
    """A public name, loaded when it is first used."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return found


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted({*globals(), *__all__})
