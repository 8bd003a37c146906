"""From a matplotlib figure to SVG that may stand inside a page: no style attributes, no ids of its own, colours that follow the page.

matplotlib writes colours and fonts into `style` attributes, which the page's Content-Security-Policy forbids (a style attribute is
the way by which injected markup would hide or cover things), and knows one set of colours, while a page is light or dark. So figures
are drawn in stand-in colours, and here each becomes a variable of the page's style sheet. Text stays text: it can be searched,
selected and read aloud.
"""

from __future__ import annotations

import warnings
import xml.etree.ElementTree as Tree
from collections.abc import Mapping
from io import StringIO
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODEL_COLOURS = 8
_ROLES = ("ink", "muted", "line", "paper", "good", "bad", "o-answered", "o-declined", "o-filtered", "o-empty", "o-failed", "o-pending")
COLOURS: Mapping[str, str] = MappingProxyType(
    {name: f"#01{number:02x}fe" for number, name in enumerate((*_ROLES, *(f"c{each}" for each in range(MODEL_COLOURS))))}
)
"""Variable of the style sheet -> the colour that stands in for it while a figure is drawn."""
_VARIABLES = {colour: f"var(--{name})" for name, colour in COLOURS.items()}
_HREF = "{http://www.w3.org/1999/xlink}href"
_KEPT = frozenset({"fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "font-size", "text-anchor"})
_KEPT_TOO = frozenset({"fill-opacity", "stroke-opacity", "font-weight"})


def settings(salt: str) -> dict[str, object]:
    """What matplotlib is told while a figure is made: text stays text, dollar signs are no formula, ids differ between figures."""
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": salt,
        "text.parse_math": False,
        "font.family": "DejaVu Sans",  # wider than what pages are shown in, so what fits here fits there
        "font.size": 12,
        "text.color": COLOURS["ink"],
        "axes.edgecolor": COLOURS["line"],
        "axes.labelcolor": COLOURS["muted"],
        "xtick.color": COLOURS["muted"],
        "ytick.color": COLOURS["muted"],
        "xtick.labelcolor": COLOURS["muted"],
        "ytick.labelcolor": COLOURS["muted"],
        "xtick.labelsize": 11,
        "ytick.labelsize": 11,
        "axes.labelsize": 11,
        "grid.color": COLOURS["line"],
    }


def drawn(figure: Figure, title: str, description: str, tips: Mapping[str, str], kind: str) -> str:
    """A figure as an `svg` element.

    Args:
        title: what it is, for those who do not see it.
        description: what it shows, in words and numbers.
        tips: the `gid` of what was drawn -> what is told where a pointer rests on it.
        kind: `wide` or `narrow`; the style sheet shows one of the two.
    """
    file = StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the measuring font lacks: the reader's own font has them
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = Tree.fromstring(file.getvalue())  # noqa: S314 - written by matplotlib a line above, which escapes labels
    box = root.attrib["viewBox"]
    root.attrib.clear()
    _clean(root, tips)
    root.attrib.update({"viewBox": box, "class": f"figure {kind}", "role": "img", "aria-label": f"{title}. {description}"})
    return Tree.tostring(root, encoding="unicode")


def _clean(element: Tree.Element, tips: Mapping[str, str]) -> None:
    for child in list(element):
        if _name(child) in ("metadata", "style"):
            element.remove(child)
            continue
        _clean(child, tips)
    element.tag = _name(element)
    tip = tips.get(element.get("id", ""))
    style = element.attrib.pop("style", "")
    if element.tag == "g":
        element.attrib.pop("id", None)
    if (target := element.attrib.pop(_HREF, None)) is not None:
        element.set("href", target)
    for declaration in filter(None, (part.strip() for part in style.split(";"))):
        name, _, value = declaration.partition(":")
        name, value = name.strip(), value.strip()
        if name == "font":
            _font(element, value)
        elif name in _KEPT or name in _KEPT_TOO:
            element.set(name, _VARIABLES.get(value, value))
    if tip is not None:
        told = Tree.Element("title")
        told.text = tip
        element.insert(0, told)


def _font(element: Tree.Element, value: str) -> None:
    """Of `font: 700 12px 'DejaVu Sans'` size and weight; the family is the page's."""
    for word in value.split():
        if word.endswith("px"):
            element.set("font-size", word)
            return
        if word in ("bold", "700", "600"):
            element.set("font-weight", "600")


def _name(element: Tree.Element) -> str:
    return element.tag.rpartition("}")[2]
