"""Text from elsewhere as LaTeX that typesets it and does nothing else.

Everything that LaTeX reads as more than itself is escaped, ligatures included, and what is beyond ASCII is written with commands that
every engine has. Letters that pdfLaTeX cannot typeset (most scripts, emoji) go through `\\siuoother`, which shows them where the engine
is XeLaTeX or LuaLaTeX, and their number where it is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from siuo_async.report.text import in_line

PREAMBLE = "\\ifdefined\\Umathchar\\providecommand{\\siuoother}[2]{#1}\\else\\providecommand{\\siuoother}[2]{{\\footnotesize[#2]}}\\fi"
"""What a file with escaped text in it needs first; a document may define `\\siuoother` before that."""
_APART = "\0"
"""Never in a text that is harmless."""
_ASCII: Mapping[str, str] = MappingProxyType(
    {
        "\\": "\\textbackslash{}",
        "{": "\\textbraceleft{}",  # BibTeX counts braces, escaped or not
        "}": "\\textbraceright{}",
        "$": "\\$",
        "&": "\\&",
        "#": "\\#",
        "%": "\\%",
        "_": "\\_",
        "^": "\\textasciicircum{}",
        "~": "\\textasciitilde{}",
        "<": "\\textless{}",
        ">": "\\textgreater{}",
        "|": "\\textbar{}",
        '"': "{\\char34}",  # a shorthand of babel's in some languages
        "`": "{\\textasciigrave}",
        "[": "{[}",  # at the start of a row it would be an argument of the line before
        "*": "{*}",  # and so would this be
    }
)
_BEYOND: Mapping[str, str] = MappingProxyType(
    {
        "–": "--",
        "—": "---",
        "‘": "`",
        "’": "{'}",
        "“": "``",
        "”": "{''}",
        "…": "\\ldots{}",
        "·": "$\\cdot$",
        "×": "$\\times$",
        "±": "$\\pm$",
        "≤": "$\\leq$",
        "≥": "$\\geq$",
        "→": "$\\to$",
        "µ": "$\\mu$",
        "°": "$^\\circ$",
        "§": "\\S{}",
        "\xa0": "~",
        "ß": "\\ss{}",
        "æ": "\\ae{}",
        "Æ": "\\AE{}",
        "œ": "\\oe{}",
        "Œ": "\\OE{}",
        "ø": "\\o{}",
        "Ø": "\\O{}",
        "å": "\\aa{}",
        "Å": "\\AA{}",
        "ł": "\\l{}",
        "Ł": "\\L{}",
        "ı": "\\i{}",
        "¿": "?`",
        "¡": "!`",
        "\N{REPLACEMENT CHARACTER}": "?",  # LuaLaTeX takes it for broken input, and stops
    }
)
_CEDILLA = "\u0327"
_ACCENTS: Mapping[str, str] = MappingProxyType(
    {
        "\u0300": "\\`",
        "\u0301": "\\'",
        "\u0302": "\\^",
        "\u0303": "\\~",
        "\u0304": "\\=",
        "\u0306": "\\u",
        "\u0307": "\\.",
        "\u0308": '\\"',
        "\u030a": "\\r",
        "\u030b": "\\H",
        "\u030c": "\\v",
        "\u0327": "\\c",
    }
)


_LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=,)(?=,)")
"""Between signs that fonts draw as another one: hyphens become dashes, commas a low quotation mark."""


def escaped(text: str) -> str:
    """`text` on one line, as LaTeX that typesets it."""
    return "".join("{}" if char == _APART else _escaped(char) for char in _LIGATURES.sub(_APART, in_line(text)))


def in_comment(text: str) -> str:
    """`text` behind a comment sign: on one line, so that nothing of it is ever read."""
    return f"% {in_line(text)}"


def _escaped(char: str) -> str:
    if char in _ASCII:
        return _ASCII[char]
    if char.isascii():
        return char
    if char in _BEYOND:
        return _BEYOND[char]
    apart = unicodedata.normalize("NFD", char)
    if len(apart) == 2 and apart[0].isascii() and apart[0].isalpha() and apart[1] in _ACCENTS:
        base = apart[0] if apart[1] == _CEDILLA else {"i": "\\i", "j": "\\j"}.get(apart[0], apart[0])
        return f"{_ACCENTS[apart[1]]}{{{base}}}"
    return f"\\siuoother{{{char}}}{{U+{ord(char):04X}}}"
