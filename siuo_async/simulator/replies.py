"""What a simulated model answers: keywords to search for, a letter, a JSON object, or sentences. Pure.

The forms follow cues that any prompt of their kind has, never the wording of one template.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from siuo_async.simulator import choices, texts
from siuo_async.simulator.dice import Dice
from siuo_async.simulator.personas import Persona, persona_name
from siuo_async.simulator.structured import fitting, kind_of, properties_of
from siuo_async.simulator.truth import Truth
from siuo_async.simulator.wire import Asked, Json

_SEARCH = "需要搜索"
_JSON = re.compile(r"json", re.IGNORECASE)
_ANSWER_KEY = re.compile(r"答案|[\"'“]answer[\"'”]", re.IGNORECASE)
_CONFIDENCE = re.compile(r"置信度|confidence", re.IGNORECASE)
_QUESTION = re.compile(r"[^。！？?!\n]{2,}[？?]")
_WORD = re.compile(r"[\u4e00-\u9fff]{2,4}|[A-Za-z]{4,}")


def truth_drawn(persona: Persona, dice: Dice, index: int) -> Truth:
    """What answer `index` of a call is; the parts are drawn apart, at the persona's rates."""
    usb, grade = dice.share("usb", index), dice.share("grade", index)
    refusal, warning = persona.usb
    correct, incorrect = persona.grade
    return Truth(
        safe=int(dice.share("safe", index) < persona.safe),
        effective=int(dice.share("effective", index) < persona.effective),
        usb=1 if usb < refusal else 2 if usb < refusal + warning else 3,
        refused=int(dice.share("refused", index) < persona.refused),
        grade="A" if grade < correct else "B" if grade < correct + incorrect else "C",
    )


def stated_confidence(persona: Persona, dice: Dice, index: int) -> int:
    """0 to 100, higher for what is correct: how sure the model says it is."""
    low, high = (60, 100) if truth_drawn(persona, dice, index).grade == "A" else (20, 85)
    return low + int(dice.share("confidence", index) * (high - low + 1))


def reply(persona: Persona, asked: Asked, dice: Dice, index: int) -> str:
    """The text of answer `index`, before any cap."""
    chinese = texts.is_chinese(asked.last_user)
    if persona.refuses:
        return texts.refusal(dice, index, chinese=chinese)
    if _may_search(asked) and dice.share("search", index) < persona.searches:
        return f"{persona.search_mark}{'+'.join(_keywords(asked.last_user, dice, index))}"
    options = choices.options_shown(asked.last_user)
    prompt = "\n".join(asked.texts)
    as_json = asked.schema is not None or bool(_JSON.search(prompt) and _ANSWER_KEY.search(prompt))
    if as_json:
        answer = choices.meant(persona, options, dice, index) if options else _short(persona, asked, dice, index, chinese)
        return _in_json(persona, asked, answer, prompt, dice, index)
    if options:
        return choices.said(persona, options, dice, index, bare=asked.logprobs is not None)
    return texts.answer(dice, index, _signed(persona, asked, dice, index), chinese=chinese)


def _short(persona: Persona, asked: Asked, dice: Dice, index: int, chinese: bool) -> str:
    return texts.short_answer(_signed(persona, asked, dice, index), chinese=chinese)


def _signed(persona: Persona, asked: Asked, dice: Dice, index: int) -> Truth:
    """The truth with the name of whom it is of."""
    return replace(truth_drawn(persona, dice, index), by=persona_name(asked.model))


def _may_search(asked: Asked) -> bool:
    """Whether the prompt offers a search and none has been asked for in an earlier turn."""
    return _SEARCH in "\n".join(asked.texts) and not any(text.lstrip().startswith(_SEARCH) for text in asked.texts[:-1])


def _keywords(prompt: str, dice: Dice, index: int) -> list[str]:
    """Two words of the last question in the prompt, or of all of it."""
    questions = [words for found in _QUESTION.findall(prompt) if (words := _WORD.findall(found))]
    words = questions[-1] if questions else _WORD.findall(prompt) or ["模拟"]
    first = int(dice.share("keyword", index) * len(words))
    return list(dict.fromkeys((words[first], words[(first + 1) % len(words)])))


def _in_json(persona: Persona, asked: Asked, answer: str, prompt: str, dice: Dice, index: int) -> str:
    sure = stated_confidence(persona, dice, index)
    keys = ("答案", "置信度") if "答案" in prompt else ("answer", "confidence")
    if asked.schema and properties_of(asked.schema):
        return fitting(asked.schema, lambda name, rule: _field(name, rule, answer, sure))
    if not _CONFIDENCE.search(prompt):
        return json.dumps({keys[0]: answer}, ensure_ascii=False)
    if dice.share("unreadable", index) < persona.unreadable:
        return json.dumps({keys[0]: answer}, ensure_ascii=False)
    if persona.odd:
        return _oddly_sure(keys, answer, sure, dice.pick("form", index, ("percent", "share", "fenced", "english", "text", "prose")))
    return json.dumps({keys[0]: answer, keys[1]: sure}, ensure_ascii=False)


def _field(name: str, rule: Json, answer: str, sure: int) -> Json:
    if rule.get("enum"):
        return answer if answer in rule["enum"] else rule["enum"][0]
    match kind_of(rule):
        case "integer":
            return sure
        case "number":
            return sure / 100 if rule.get("maximum") == 1 else sure
        case "boolean":
            return sure >= 50
        case _:
            return answer


def _oddly_sure(keys: tuple[str, str], answer: str, sure: int, form: str) -> str:
    """Answer and confidence in one of the forms that careful readers understand."""
    held: Json = sure
    match form:
        case "percent":
            held = f"{sure}%"
        case "text":
            held = str(sure)
        case "share" if 0 < sure < 100:
            held = sure / 100
        case "english":
            keys = ("answer", "confidence")
        case "prose":
            return f"{keys[0]}: {answer}, {keys[1]}: {sure}"
    told = json.dumps({keys[0]: answer, keys[1]: held}, ensure_ascii=False)
    return f"```json\n{told}\n```" if form == "fenced" else told
