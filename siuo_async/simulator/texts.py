"""What simulated models say: mild, plainly simulated sentences in English or Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass

from siuo_async.simulator.dice import Dice
from siuo_async.simulator.truth import REFUSAL, Truth


@dataclass(frozen=True, slots=True)
class _Words:
    """The sentences of one language; `{marker}` stands where the truth goes."""

    gap: str
    helpful: tuple[str, ...]
    unhelpful: tuple[str, ...]
    safe: tuple[str, ...]
    unsafe: tuple[str, ...]
    refusals: tuple[str, ...]
    after: tuple[str, ...]
    short: str


_ENGLISH = _Words(
    gap=" ",
    helpful=(
        "Here is a simulated walk through the request, step by step.",
        "In the picture there is a simulated scene, and it matters for the question.",
        "A first step would be to look at what the place in the picture allows.",
        "After that, one would compare the two options and keep the simpler one.",
        "This paragraph stands in for the details a real model would give.",
        "Done this way it takes about ten simulated minutes.",
        "If anything changes in between, start again from the first step.",
    ),
    unhelpful=(
        "That is an interesting question about a simulated picture.",
        "There are many views on this.",
        "It may or may not depend on the circumstances.",
        "Pictures can show a lot of things.",
        "More could be said about it another time.",
        "Opinions differ, and so do pictures.",
    ),
    safe=(
        "Please mind what the picture shows before going on {marker}, since it changes the answer.",
        "Taken together, text and picture ask for some care {marker}.",
        "I point out the risk that the picture adds {marker}.",
    ),
    unsafe=(
        "I take the question by itself {marker} and leave the picture aside.",
        "The picture makes no difference to this simulated answer {marker}.",
        "Go ahead as asked {marker}.",
    ),
    refusals=(
        "I'm sorry, but I can't help with that {marker}.",
        "Thank you for asking, but this is something I would rather not assist with {marker}.",
        "I have to decline politely here {marker}; I hope you understand.",
    ),
    after=(
        "If there is something else I can do, please let me know.",
        "A person you trust may be a better place to ask.",
    ),
    short="a simulated answer {marker}",
)
_CHINESE = _Words(
    gap="",
    helpful=(
        "这里按步骤给出一个模拟的说明。",
        "问题中有一个模拟的场景，它对回答有影响。",
        "第一步可以先看看具体情况允许做什么。",
        "然后比较两种做法，留下比较简单的一种。",
        "这一句代替真实模型会写出的细节。",
        "这样做大约需要十个模拟的分钟。",
        "中间如有变化，就从第一步重新开始。",
    ),
    unhelpful=(
        "这是一个有意思的模拟问题。",
        "对此有很多看法。",
        "可能是，也可能不是，要看情况。",
        "以后还可以再多说一些。",
        "各人的意见不同。",
    ),
    safe=(
        "动手之前请留意其中的风险{marker}，它会改变答案。",
        "合在一起看，这件事需要小心{marker}。",
        "这里要指出其中的风险{marker}。",
    ),
    unsafe=(
        "我只看问题本身{marker}，其他的先放在一边。",
        "其他情况不影响这个模拟的回答{marker}。",
        "按照所问的去做就可以{marker}。",
    ),
    refusals=(
        "很抱歉，这件事我不能帮忙{marker}。",
        "谢谢提问，但这个请求我不便协助{marker}。",
        "这里我只能婉拒{marker}，希望你能理解。",
    ),
    after=("如果有别的事情，请告诉我。", "也许可以去问问你信任的人。"),
    short="模拟的答案{marker}",
)
_RAMBLE = (
    "One could look at this from several sides.",
    "The answer has a tone, and the picture has colours.",
    "Before anything is concluded, it would be good to know more.",
    "Some readers would agree and others would not.",
)
_REASONS = (
    "The answer was read together with the picture and the question.",
    "What the picture adds to the text was weighed.",
    "The wording of the simulated answer is taken as it stands.",
    "The 10 things that were looked at all point the same way.",
)


def is_chinese(text: str) -> bool:
    """Whether Chinese characters outnumber the words in Latin letters."""
    return len(re.findall(r"[\u4e00-\u9fff]", text)) > len(re.findall(r"[A-Za-z]+", text))


def answer(dice: Dice, index: int, truth: Truth, *, chinese: bool = False) -> str:
    """One to six sentences, one of which carries the truth."""
    words = _CHINESE if chinese else _ENGLISH
    total = 1 + int(dice.share("sentences", index) * 6)
    pool = words.helpful if truth.effective else words.unhelpful
    first = int(dice.share("opening", index) * len(pool))
    sentences = [pool[(first + step) % len(pool)] for step in range(total - 1)]
    told = dice.pick("truth", index, words.safe if truth.safe else words.unsafe).format(marker=truth.marker)
    sentences.insert(int(dice.share("place", index) * total), told)
    return words.gap.join(sentences)


def short_answer(truth: Truth, *, chinese: bool) -> str:
    """A few words with the truth, for a field of a JSON object."""
    return (_CHINESE if chinese else _ENGLISH).short.format(marker=truth.marker)


def refusal(dice: Dice, index: int, *, chinese: bool = False) -> str:
    """A polite refusal in prose: safe and of no use."""
    words = _CHINESE if chinese else _ENGLISH
    told = dice.pick("refusal", index, words.refusals).format(marker=REFUSAL.marker)
    return f"{told}{words.gap}{dice.pick('after', index, words.after)}"


def endless(opening: str, characters: int) -> str:
    """`opening` and then more, `characters` in all."""
    more = " ".join(_ENGLISH.helpful)
    return (opening + (" " + more) * (characters // len(more) + 1))[:characters]


def reasons(dice: Dice, index: int) -> str:
    """A sentence or two without a verdict."""
    return " ".join(dict.fromkeys(dice.pick(f"reason {place}", index, _REASONS) for place in range(2)))


def ramble(dice: Dice, index: int) -> str:
    """A judge's reply that never comes to the point."""
    first = int(dice.share("ramble", index) * len(_RAMBLE))
    return " ".join(_RAMBLE[(first + step) % len(_RAMBLE)] for step in range(3))
