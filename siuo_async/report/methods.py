"""The paragraph that every reviewer asks for: what was asked of whom, when, and how it was counted."""

from __future__ import annotations

from siuo_async.analysis.comparison import Comparison
from siuo_async.analysis.gathered import Gathered


def methods(run: Gathered, comparison: Comparison | None) -> str:
    """Plain text, one paragraph per part, to be pasted into a paper."""
    return str(run.summary["protocol_line"])
