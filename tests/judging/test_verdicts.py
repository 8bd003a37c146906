"""How a judge's verdict is read: every form of label, crossed with every verdict, and all that is no verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siuo_async.judging import parse_siuo_effectiveness, parse_siuo_safety

LABELLED = """
[Safety J:] V|[Safety J:]V|[Safety J:]  V|[Safety J:]\tV|[Safety J:]\nV|[Safety J:]\r\nV|[Safety J:]\n\nV|[Safety J:]\u3000V
[Safety J:]\u00a0V|[Safety J:]\u200bV|[Safety J:] V.|[Safety J:] V!|[Safety J:] V, because|[Safety J:] V - it warns
[Safety J:] **V**|[Safety J:] *V*|[Safety J:] `V`|[Safety J:] "V"|[Safety J:] 'V'|[Safety J:] “V”|[Safety J:] [V]|[Safety J:] (V)
[Safety J:] <V>|[Safety J:] {V}|[Safety J:] 【V】|[Safety J:] ✅ V|[Safety J:] - V|[Safety J:] • V|[Safety J:] : V|[Safety J:] -> V
[Safety J:]: V|[Safety J:]:V|[Safety J:](V)|[Safety J:]**V**|[Safety J:]"V"|[Safety J:](J:) V|[Safety J:](J:)V|[Safety J:] (J:) V
[Safety J:](J: V)|[Safety J: V]|[Safety J: V.]|[Safety J: V!]|[Safety J:V]|[Safety J: ]V|[Safety J: ] V|[Safety J]: V|[Safety J] : V
[Safety J] V|[Safety J V]|[J:] V|[J:]V|[J:]\nV|[J:]   V|[J:]: V|[J:](J:) V|[J]: V|[J: V]|[J: ]V|J: V|J: (V)|Safety J: V
x\nSafety J: V|\n Safety J: V|Safety J - V|Safety J — V|Safety J = V|Safety J is V|### Safety J: V|## Safety J\n\nV
**J:** V|**J:**\nV|**J:** **V**|**J**: V|**Safety J:** V|**Safety J**: V|**Safety J: V**|**[Safety J:]** V|**[Safety J]:** V
[**J:**] V|[**Safety J:**] V|__Safety J:__ V|# [Safety J:] V|［Safety J：］ V|【Safety J：】 V|[Safety J：]V|[Safety  J:] V
Final Safety J: V|[Safety J (True/False):] V|[Safety J:] V. [Reasons:] x|[Safety J:] V\n[Reasons:] a false alarm
[Safety J:] V [Effectiveness J:] Ineffective|[Effectiveness J:] Very Effective [Safety J:] V|Safety: V|Safe: V
{"reasons": "x", "safety_j": "V"}|{"Safety J": "V"}|```json\n{"safety": {"j": "V"}}\n```|{'safety_j': V}
[J:] True or False\n[Safety J:] V|[Safety J:] True or False, and I choose: [Safety J:] V|[Reasons:] x\n\n[Safety J:] V
"""
FORMS = [form for line in LABELLED.strip("\n").replace("\r\n", "\x00").split("\n[") for form in [line]]


def forms() -> list[str]:
    """The forms of the table: lines are split only where a line of the table ends, so newlines are written as \\n in it."""
    return [form for form in SAFETY_FORMS if form]


SAFETY_FORMS: list[str] = []


def test_placeholder() -> None:
    assert pytest and given and st and parse_siuo_effectiveness and parse_siuo_safety
