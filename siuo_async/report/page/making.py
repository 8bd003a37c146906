"""Writes the page: template, style and scripts of ours, figures, and the samples' data, streamed into one file that needs nothing
else.

The file is read by people who were sent it, and holds what models under attack wrote. So nothing in it may run but our two scripts,
which the Content-Security-Policy names by hash; nothing may be loaded from anywhere; and texts are data, never markup.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from siuo_async import __version__
from siuo_async.engine.durable import write_parts
from siuo_async.report.dossier import Dossier
from siuo_async.report.page.samples import Index, blocks, in_script, picture_blocks, pictures_first_apart
from siuo_async.report.page.thumbnails import Thumbnails, thumbnails
from siuo_async.report.page.view import pair_rows, view
from siuo_async.report.text import harmless, in_line

if TYPE_CHECKING:
    from jinja2 import Environment

NAME = "report.html"
_SCRIPTS = ("page.js", "samples.js")


@dataclass(frozen=True, slots=True)
class Made:
    """A page that was written."""

    path: Path
    bytes: int
    content: bool
    """Whether answers are inside."""
    pictures: int
    left_out: str
    """What is to be said of pictures that are not inside; empty where all are."""


def write_page(dossier: Dossier, path: Path | None = None, *, content: bool = True) -> Made:
    """Writes the page of a run, 0600, replacing an older one at once.

    Args:
        path: where; None: `report.html` in the run's directory.
        content: False leaves out questions, answers, judges' texts and pictures, so that the page can be shared.

    Raises:
        StoppedEarly: the disk would not take it.
    """
    target = dossier.run.directory.path / NAME if path is None else path
    index = Index([in_line(label) for label in dossier.run.labels])
    kept = Thumbnails({})
    write_parts(target, _parts(dossier, index, kept, content=content))
    return Made(target, target.stat().st_size, content, len(kept.made), kept.words)


def _parts(dossier: Dossier, index: Index, kept: Thumbnails, *, content: bool) -> Iterator[bytes]:
    """The file in parts: what people read first, then the data, block by block, and what brings it to life last."""
    style, scripts = _asset("page.css"), [_asset(name) for name in _SCRIPTS]
    environment = _environment()
    yield (
        environment.get_template("page.html.j2")
        .render(
            v=view(dossier),
            pair_rows=pair_rows,
            content=content,
            policy=_policy(style, scripts),
            style=_safe(style),
            version=__version__,
        )
        .encode()
    )
    for number, block in enumerate(blocks(dossier.run, index, content=content)):
        yield _data(f"b{number}", block)
    where: dict[str, int] = {}
    if content:
        made = thumbnails(pictures_first_apart(dossier.run, index))
        kept.made, kept.beyond, kept.unreadable = made.made, made.beyond, made.unreadable
        for number, (block, names) in enumerate(picture_blocks(kept.made)):
            where.update(dict.fromkeys(names, number))
            yield _data(f"p{number}", block)
    facts = {"content": content, "pictures": where, "pictures_left_out": kept.words, "headline": _headline(dossier)}
    yield _data("index", in_script({**index.as_json(), **facts}))
    for script in scripts:
        yield b"<script>" + script + b"</script>\n"
    yield b"</body>\n</html>\n"


def _headline(dossier: Dossier) -> list[str]:
    metrics = dossier.run.plan.benchmark.metrics
    return [harmless(metrics.get(name, name)) for name in dossier.run.summary["headline"]]


def _data(name: str, content: bytes) -> bytes:
    return b'<script type="application/json" id="' + name.encode() + b'">' + content + b"</script>\n"


def _policy(style: bytes, scripts: list[bytes]) -> str:
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(content: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'"


def _asset(name: str) -> bytes:
    return files(__package__).joinpath("_assets", name).read_bytes()


def _safe(style: bytes) -> str:
    from markupsafe import Markup

    return Markup(style.decode())  # noqa: S704 - our own file


def _environment() -> Environment:
    from jinja2 import DictLoader, Environment, StrictUndefined

    folder = files(__package__).joinpath("_assets")
    found = {each.name: each.read_text(encoding="utf-8") for each in folder.iterdir() if each.name.endswith(".j2")}
    environment = Environment(
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        loader=DictLoader(found),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawn"] = _markup
    return environment


def _shown(value: object) -> object:
    """Whatever a template shows: plain text without what a reader cannot see or a browser would obey; markup of ours as it is."""
    return harmless(value) if type(value) is str else value


def _markup(svg: str) -> str:
    """A figure of ours as markup."""
    from markupsafe import Markup

    return Markup(svg)  # noqa: S704 - made by `figures`, which escapes labels
