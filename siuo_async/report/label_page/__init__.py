"""The page on which one person labels answers: one file, offline, that says nothing of models and verdicts.

All texts come from elsewhere. They stand in the page as JSON in which no sign of HTML is left, are put in place as text, and a content
policy lets nothing run but this page's own script and nothing be loaded at all.
"""

from __future__ import annotations

import hashlib
import json
import random
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from typing import Any

from siuo_async.analysis.label_key import Key, Keyed
from siuo_async.analysis.questions import UNSURE, Question, Sheet
from siuo_async.analysis.units import Name, Unit
from siuo_async.errors import ConfigError
from siuo_async.report.label_page.pictures import embedded
from siuo_async.report.text import harmless
from siuo_async.values import Json

MOST_BYTES = 256 << 20
"""Of one page; browsers become slow, and some fail, beyond."""
_KEYS = "123456789"
_UNSURE_KEY = "x"


def label_page(key: Key, units: Mapping[Name, Unit], sheet: Sheet, annotator: int, *, simulated: bool) -> str:
    """The page of one annotator, HTML.

    Args:
        annotator: from 1; the order of the items is their own.

    Raises:
        ConfigError: the pictures make it too large.
    """
    from jinja2 import Environment
    from markupsafe import Markup

    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    document = _in_html(_data(key, units, sheet, annotator))
    page = (
        Environment(autoescape=True, keep_trailing_newline=True)
        .from_string(_asset("page.html.j2"))
        .render(
            policy=policy,
            style=Markup(style),  # noqa: S704 - ours
            script=Markup(script),  # noqa: S704 - ours
            data=Markup(document),  # noqa: S704 - without a sign of HTML in it
            annotator=annotator,
            simulated=simulated,
        )
    )
    if len(page) > MOST_BYTES:
        raise ConfigError(
            f"the page would have {len(page) >> 20} MB, mostly pictures, and browsers take no more than {MOST_BYTES >> 20}; "
            "take a smaller --n, or draw several times with another --seed"
        )
    return page


def _asset(name: str) -> str:
    return (files("siuo_async.report.label_page") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def _in_html(value: Json) -> str:
    """JSON of the same value, in ASCII, without a sign that HTML knows."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _data(key: Key, units: Mapping[Name, Unit], sheet: Sheet, annotator: int) -> dict[str, Any]:
    places: dict[str, int] = {}
    pictures: list[dict[str, str]] = []

    def place_of(picture: Any) -> int:
        if picture.sha256 not in places:
            source, why = embedded(picture)
            places[picture.sha256] = len(pictures)
            pictures.append({"source": source, "why": why})
        return places[picture.sha256]

    items = []
    for keyed in in_order(key, annotator):
        unit = units[keyed.unit]
        answer = unit.answers[unit.numbers.index(keyed.number)].answer
        asked = sheet.asked_of(unit.sample)
        items.append(
            {
                "id": keyed.item,
                "question": harmless(sheet.question(unit.sample)),
                "pictures": [place_of(picture) for picture in unit.sample.pictures],
                "beside": [[heading, harmless(text)] for heading, text in sheet.beside(unit.sample)],
                "answer": harmless(answer.text),
                "cut": answer.cut,
                "asks": [sheet.questions.index(question) for question in asked],
            }
        )
    return {
        "draw": key.token,
        "annotator": str(annotator),
        "unsure": UNSURE,
        "questions": [_question(question) for question in sheet.questions],
        "pictures": pictures,
        "items": items,
    }


def _question(question: Question) -> dict[str, Any]:
    """Digits choose: the points themselves where there are that few, else places."""
    words = [choice.word for choice in question.choices]
    are_digits = all(len(word) == 1 and word.isdecimal() for word in words)
    keys = words if are_digits else _KEYS[: len(words)] if len(words) <= len(_KEYS) else [""] * len(words)
    choices = [{"word": choice.word, "words": choice.words, "key": sign} for choice, sign in zip(question.choices, keys, strict=True)]
    unsure = {"word": UNSURE, "words": "Cannot tell", "key": _UNSURE_KEY}
    return {"column": question.column, "asks": question.asks, "choices": [*choices, unsure]}


def in_order(key: Key, annotator: int) -> Sequence[Keyed]:
    """An annotator's items in their own order; the answers of one sample stay together where all of them were drawn.

    With `overlap` below 1 that share is everybody's, the rest is dealt out.
    """
    groups = [list(group) for _, group in groupby(key.items, lambda each: each.unit)]
    annotators, shared = int(key.asked["annotators"]), round(float(key.asked["overlap"]) * len(groups))
    own = [group for place, group in enumerate(groups) if place < shared or place % annotators == annotator - 1]
    random.Random(f"{key.asked['seed']} {annotator}").shuffle(own)  # noqa: S311 - an order, no secret
    return [each for group in own for each in group]
