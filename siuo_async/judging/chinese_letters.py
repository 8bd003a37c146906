r"""What a Chinese answer says about a letter, by the words right before and right after it.

No blank parts Chinese words, so `\w` and `\b` tell nothing: a word belongs to a letter where no punctuation and no other letter stands
between. A sentence that explains why one option is right names the others too ("A is right, since B breaks the law"), so a word that
turns a letter down outweighs one that chooses it. Texts are NFKC-normalised: full-width marks are plain ones.
"""

from __future__ import annotations

import re
from typing import Final

HAN: Final = "\u3005-\u3007\u3400-\u9fff"
_MARKS: Final = rf"[^\w.!?;,、。\n{HAN}]*"
_CLOSED: Final = r"[ \t)\]}>\"'`*$”’」』】》]*"
"""Between a letter and what is said of it: anything that opens something else is left out ("A（B错误）")."""
_WORDS: Final = r"[^\w.!?;:,、。\n]"
_ASIDE: Final = r"(?:\((?:[^()\n]|\([^()\n]*\)){1,60}\)|[“\"「][^”\"」\n]{1,60}[”\"」])?"
_OTHERS: Final = r"(?:[、/和与或及]|以及|或者|还是选?)"
_WHICH: Final = r"(?:选项|项)?"

_CHOSEN: Final = re.compile(
    rf"(?:(?:(?:答案|选项|正解|结论){_WORDS}{{0,8}}(?:是|为|选|[:=])|回?答:|答案{_MARKS})\n*"
    r"|(?:(?:正确|最终)的?(?:选项|选择)|选择?(?!项)|选取|(?:应该?|应当|故|即)为|认为|觉得|推荐|建议|是)(?:了|为|:\n*)?)"
    rf"{_MARKS}{_WHICH}{_MARKS}\Z",
    re.ASCII,
)
_RIGHT: Final = re.compile(
    rf"{_CLOSED}{_ASIDE}{_WHICH}(?:的?(?:说法|表述|描述|做法))?(?:才是|就是|是|为)?最?"
    rf"(?:正确|正解|符合|合适|恰当|准确|答案|没错|无误|对(?:的|(?![{HAN}])))(?!吗|与否|的话)",
    re.ASCII,
)
_NO: Final = (
    r"(?<!毫)(?<!不得)不(?!难|妨|得不|仅|但|过|管|论|言|(?:需要?|[用必])(?!选)|容|可否|对|正确|符|准|恰|合)|没(?!错|问题|疑|收)|未(?!成年|来|满)"
    r"|[并而绝决]非|无法|(?<![特区分识性级类差个])别(?!的)|勿|切莫|误(?:选|认|以|把|将)|是否|能否|否定|(?<!可)否认|排除(?!法)|避免|除(?:了|去|非)"
    r"|如果|假[如设若]|若(?!干)|即使|有人|有些人|很多人|许多人|不少人|容易(?!看|判|得|知)"
)
_OPINION: Final = r"(?:不|没有?)(?:能|会|太)?(?:认为|觉得|同意|赞成|支持|相信|意味着|代表)"
_REFUSED: Final = re.compile(
    # "The one that is not lawful is A" chooses A: a relative clause (的) ends what "not" reaches, except of an opinion.
    rf"(?:(?:{_NO})(?:(?!而是|而应|而选|的)(?:{_WORDS}|:)){{0,10}}|{_OPINION}(?:(?!而是|而应){_WORDS}){{0,12}})"
    rf"(?:[A-Z]{_MARKS}{_OTHERS}{_MARKS}{_WHICH}{_MARKS})*\Z",
    re.ASCII,
)
_FAULT: Final = r"错|不对|不正确|不符|不准确|不恰当|不合|不全面|不成立|不可取|不属|不当|不妥|不严谨|不完整|有误|片面|干扰项|无关"
_WRONG: Final = re.compile(
    rf"(?:{_CLOSED}{_OTHERS}{_MARKS}{_WHICH}{_MARKS}[A-Z](?!\w))*{_CLOSED}{_ASIDE}"
    rf"(?:(?![{HAN}]{{0,6}}(?:没有?|不会?|无)(?:错|误|问题))[{HAN}]{{0,6}}?(?:{_FAULT})"
    # Other words may belong to the letter that follows ("A而不是B").
    rf"|[{HAN}]{{0,4}}?(?:不(?!需|用|必)|没(?!错|有?问题)|未|并非|而非|排除|除外|吗|呢|的(?:人|同学|考生|话))"
    rf"(?![{HAN}]{{0,6}}{_CLOSED}[(\"'“]?[A-Z](?!\w)))",
    re.ASCII,
)
_VERDICT: Final = re.compile(
    rf"[^\w{HAN}\n]{{1,4}}(?:(?:(?!\b[A-Z]\b)[^\n。;]){{1,60}}?[,(:—-]\s*)?(?:(?P<yes>正确|对|符合题意)|错误|错|不正确|不对|不符合题意)的?(?![\w{HAN}])",
    re.ASCII,
)
NAMED: Final = rf"选项{_MARKS}\Z"
OPENS: Final = (
    rf"[^\w\s{HAN}+–—-][^\w{HAN}]*(?:[\d{HAN}]|[A-Z][{HAN}])|[、,][a-z]{{2}}"
    rf"|\s+(?![和与或及还])(?:[{HAN}《“「『]|\d+[{HAN}])|\s*选?项|,?(?:而不|而非|不是|不选)"
)
NO_OPTION: Final = re.compile(r"\s?[类级型](?!似)|[股组方]|公司")
"""Makes the letter before it a part of a name ("A股", "B级")."""


def is_chosen(before: str) -> bool:
    """Whether the words before a letter make it the answer."""
    return _CHOSEN.search(before) is not None


def is_right(after: str) -> bool:
    """Whether the words after a letter call it right."""
    return _RIGHT.match(after) is not None


def is_turned_down(before: str, after: str) -> bool:
    """Whether the words around a letter say that it is not the answer, or do not say that it is ("if", "some think")."""
    return _REFUSED.search(before) is not None or _WRONG.match(after) is not None


def verdict(after: str) -> bool | None:
    """The "right" or "wrong" that stands for itself after a letter or its option, as in a list of all of them."""
    found = _VERDICT.match(after)
    return None if found is None else found["yes"] is not None
