"""Draws the terminal pictures of the documents from what the real command prints: `python docs/images/draw.py NAME COLUMNS COMMAND...`.

The command runs on a terminal of that width, so colours and columns are what a user sees; its output becomes an SVG without fonts,
scripts or addresses of others.
"""

from __future__ import annotations

import os
import pty
import re
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text


def typed(words: list[str], columns: int) -> str:
    """What a command prints on a terminal."""
    os.environ |= {"COLUMNS": str(columns), "LINES": "60", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    found = bytearray()

    def read(descriptor: int) -> bytes:
        block = os.read(descriptor, 65536)
        found.extend(block)
        return b""

    saved = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            pty.spawn(words, lambda descriptor: read(descriptor) or b" ")
        finally:
            os.dup2(saved, 1)
    return found.decode().replace("\r\n", "\n")


def drawn(text: str, columns: int, title: str) -> str:
    """An SVG of coloured text."""
    console = Console(record=True, width=columns, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(text))
    svg = console.export_svg(title=title, theme=MONOKAI)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"Fira Code(, )?", "DejaVu Sans Mono, ", svg)


def main() -> None:
    """Runs the command that stands behind the name and the width."""
    name, columns, *words = sys.argv[1:]
    title = "siuo " + " ".join(words[1:])
    Path(__file__).with_name(f"{name}.svg").write_text(drawn(typed(words, int(columns)), int(columns), title), encoding="utf-8")


if __name__ == "__main__":
    main()
