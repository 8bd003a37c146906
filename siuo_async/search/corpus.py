"""Searches a folder of documents on this machine: no network, and the same results for the same folder.

Reading the files proves them and gives the identity, so a folder that cannot be used is told before anything is sent. The index is
built in a thread by the first search: scoring a finished run again never needs it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from siuo_async.errors import DataError
from siuo_async.providers import lenient
from siuo_async.search.base import LIMIT_CHARS, NOTHING, Entry, Found, clean, clean_query
from siuo_async.search.bm25 import Bm25, tokens
from siuo_async.search.reading import CONTENTS, LISTS, entries_found, entry_of
from siuo_async.values import Json

PASSAGE_CHARS: Final = 1_000
"""Longest passage; five of them are well inside the bound of a search, and short enough to rank what they are about."""
MOST_CORPUS_BYTES: Final = 200 << 20
"""An index takes some ten times the text in memory while it is built (measured)."""
INDEX: Final = 1
"""Counted up when the same folder would give other results; part of the identity."""

_SUFFIXES = frozenset({".txt", ".md", ".jsonl", ".json"})
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_ENDS = ("\n\n", "\n", "。", "！", "？", "；", ". ", "! ", "? ", "，", ", ", " ")


class CorpusSearcher:
    """A folder of .txt, .md, .json and .jsonl files.

    Args:
        folder: searched with its subfolders; hidden files, links to folders, pipes and the like are left out.
        top_k: passages per search.
        limit_chars: bound of a search's text, in characters.
        identity: instead of the digest of the folder's content.

    Raises:
        DataError: no folder, no text, or a file that cannot be read.
    """

    def __init__(self, folder: Path, *, top_k: int = 5, limit_chars: int = LIMIT_CHARS, identity: str | None = None) -> None:
        self._passages, digest = read_corpus(folder)
        self.identity = identity or f"corpus:{digest}-{INDEX}-{top_k}-{limit_chars}"
        self._top_k, self._limit_chars = top_k, limit_chars
        self._building: asyncio.Task[Bm25] | None = None

    async def search(self, query: str) -> Found:
        """The passages that fit best; nothing where none shares a term with the query."""
        asked = clean_query(query)
        if not asked:
            return NOTHING
        if self._building is None:
            self._building = asyncio.create_task(asyncio.to_thread(self._build))
        index = await asyncio.shield(self._building)  # whoever is interrupted leaves the index to the others
        best = await asyncio.to_thread(index.best, asked, self._top_k)
        return entries_found([self._passages[number] for number in best], self._limit_chars)

    async def close(self) -> None:
        """Waits for an index that is being built: a thread cannot be stopped."""
        if self._building is not None:
            await asyncio.wait([self._building])

    def _build(self) -> Bm25:
        return Bm25(f"{passage.title}\n{passage.content}" for passage in self._passages)


def read_corpus(folder: Path) -> tuple[list[Entry], str]:
    """The passages of a folder in the order of its file names, and 16 hex digits that stand for its content.

    Raises:
        DataError: no folder, no text, or a file that cannot be read; the file and line are named.
    """
    if not folder.is_dir():
        raise DataError(f"the search corpus {folder} is no folder; name a folder of .txt, .md, .json or .jsonl files")
    digest = hashlib.blake2b(digest_size=8)
    passages: list[Entry] = []
    size = 0
    for name in _files(folder):
        body = _read(folder / name)
        size += len(body)
        if size > MOST_CORPUS_BYTES:
            raise DataError(
                f"the search corpus {folder} is larger than {MOST_CORPUS_BYTES >> 20} MiB; index it with a search engine of its own"
            )
        digest.update(f"{len(name)}:{name}:{len(body)}:".encode("utf-8", "surrogateescape") + body)
        for document in _documents(folder / name, body):
            passages += _split(document)
    if not any(tokens(passage.content) for passage in passages):
        raise DataError(f"the search corpus {folder} holds no text in .txt, .md, .json or .jsonl files")
    return passages, digest.hexdigest()


def _files(folder: Path) -> list[str]:
    def failed(error: OSError) -> None:
        raise DataError(f"{error.filename} of the search corpus cannot be read ({error.strerror}); mend its permissions") from error

    names = []
    for parent, folders, files in os.walk(folder, onerror=failed):
        folders[:] = [name for name in folders if not name.startswith(".")]
        wanted = (Path(parent, name) for name in files if not name.startswith(".") and Path(name).suffix.lower() in _SUFFIXES)
        names += [file.relative_to(folder).as_posix() for file in wanted if not _is_other(file)]
    return sorted(names)


def _is_other(file: Path) -> bool:
    """Whether it is neither a file nor a broken link, which reading will tell: a pipe would be waited for without end."""
    return file.exists() and not file.is_file()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} of the search corpus cannot be read ({error.strerror}); mend or remove it") from error


def _documents(file: Path, body: bytes) -> Iterator[Entry]:
    suffix = file.suffix.lower()
    if suffix == ".jsonl":
        for number, line in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
            if line.strip():
                yield _document(_json(line, f"{file}, line {number}"), f"{file}, line {number}")
    elif suffix == ".json":
        value = _json(body, str(file))
        for number, item in enumerate(_items(value), 1):
            yield _document(item, f"{file}, item {number}")
    else:
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{file} of the search corpus is no UTF-8 text (byte {error.start}); save it as UTF-8 or remove it"
            ) from error
        heading = _HEADING.search(text) if suffix == ".md" else None
        yield Entry(heading[1] if heading else file.stem, text)


def _items(value: Json) -> list[Json]:
    """The documents of a .json file: its list, a list it holds under a usual name, or itself."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return next((value[name] for name in LISTS if isinstance(value.get(name), list)), [value])
    return [value]


def _json(text: bytes, where: str) -> Json:
    try:
        return lenient.loads(text)[0]
    except ValueError as error:
        raise DataError(f"{where} of the search corpus is no JSON ({error}); mend or remove it") from error


def _document(item: Json, where: str) -> Entry:
    entry = entry_of(item)
    if entry is None or not entry.content:
        raise DataError(f"{where} of the search corpus has no text; it needs one of {', '.join(CONTENTS)}")
    return entry


def _split(document: Entry) -> list[Entry]:
    """A document as passages, parted at the ends of paragraphs, lines or sentences where there are any."""
    title, rest = " ".join(clean(document.title).split())[:200], clean(document.content)
    passages = []
    while rest:
        end = len(rest) if len(rest) <= PASSAGE_CHARS else _end_of_passage(rest)
        passages.append(Entry(title, rest[:end].rstrip()))
        rest = rest[end:].lstrip()
    return passages


def _end_of_passage(text: str) -> int:
    for end in _ENDS:
        if (at := text.rfind(end, PASSAGE_CHARS // 2, PASSAGE_CHARS)) >= 0:
            return at + len(end)
    return PASSAGE_CHARS
