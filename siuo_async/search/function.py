"""Searches by a Python function of the user's.

The function is code that nobody here has seen. A synchronous one runs in a daemon thread of its own: one that never comes back then
costs a search, and cannot keep the program from ending as a thread of the event loop's own pool would.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from siuo_async.errors import ConfigError, ErrorKind
from siuo_async.keys import NONE, Secrets
from siuo_async.search.base import LIMIT_CHARS, NOTHING, Found, SearchError, clean, clean_query
from siuo_async.search.reading import found_in

_LONGEST_QUOTE = 200


class FunctionSearcher:
    """A function that takes the query and returns text, `{"final_text": text}`, or a list of `{"title", "content"}`.

    Args:
        name: `package.module:function` of what is installed, or `path/to/file.py:function`.
        limit_chars: bound of a search's text, in characters.
        timeout_s: for one search.
        at_once: searches that run at the same time.
        identity: instead of the names and the digest of the source file.
        secrets: what must not get out of what the function says.

    Raises:
        ConfigError: there is no such function, or its module fails when imported.
    """

    def __init__(
        self,
        name: str,
        *,
        limit_chars: int = LIMIT_CHARS,
        timeout_s: float = 120.0,
        at_once: int = 8,
        identity: str | None = None,
        secrets: Secrets = NONE,
    ) -> None:
        self._function, named, digest = load_function(name, secrets)
        self.identity = identity or f"function:{named}#{digest}-{limit_chars}"
        self._named, self._limit_chars, self._timeout_s = named, limit_chars, timeout_s
        self._slots = asyncio.Semaphore(at_once)
        self._secrets = secrets

    async def search(self, query: str) -> Found:
        """What the function finds. It is called once: it knows best whether trying again helps.

        Raises:
            SearchError: it raised, took too long, or returned what cannot be read.
        """
        asked = clean_query(query)
        if not asked:
            return NOTHING
        async with self._slots:
            value = await self._called(asked)
        try:
            found = found_in(value, self._limit_chars)
        except SearchError as error:
            error.message = self._secrets.out_of(f"{error.message} ({self._named})")
            raise
        return replace(found, text=self._secrets.out_of_answer(found.text))

    async def close(self) -> None:
        """Nothing to close; a function that still runs ends with the program."""

    async def _called(self, query: str) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                value = self._function(query) if _is_async(self._function) else await _in_thread(self._function, query)
                return await value if inspect.isawaitable(value) else value
        except TimeoutError as error:
            raise SearchError(
                ErrorKind.TIMEOUT, f"the search function {self._named} gave nothing within {self._timeout_s:g} s"
            ) from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise self._raised(error) from error
        except (Exception, SystemExit) as error:
            raise self._raised(error) from error

    def _raised(self, error: BaseException) -> SearchError:
        error = error.raised if isinstance(error, _ThreadError) else error
        told = self._secrets.out_of(" ".join(clean(str(error)).split()))[:_LONGEST_QUOTE]
        return SearchError(
            ErrorKind.SERVER, f"the search function {self._named} raised {type(error).__name__}" + (f": {told}" if told else "")
        )


class _ThreadError(Exception):
    """Stands for what the function raised in its thread where that cannot be set on a future (StopIteration, SystemExit)."""

    def __init__(self, raised: BaseException) -> None:
        super().__init__(str(raised))
        self.raised = raised


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _in_thread(function: Callable[[str], Any], query: str) -> asyncio.Future[Any]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def deliver(value: Any, error: Exception | None) -> None:
        if future.done():  # nobody waits any more
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def run() -> None:
        value: Any = None
        failed: Exception | None = None
        try:
            value = function(query)
        except BaseException as error:
            failed = error if isinstance(error, Exception) and not isinstance(error, StopIteration) else _ThreadError(error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program is ending
            loop.call_soon_threadsafe(deliver, value, failed)

    threading.Thread(target=run, name="siuo-search", daemon=True).start()
    return future


def load_function(name: str, secrets: Secrets = NONE) -> tuple[Callable[..., Any], str, str]:
    """(the function, its name without the path of this machine, 16 hex digits of its source file).

    Raises:
        ConfigError: there is no such function, or its module fails when imported.
    """
    place, colon, attribute = name.strip().rpartition(":")
    if not colon or not place or not attribute:
        raise ConfigError(f"'{name}' names no search function; write package.module:function or path/to/file.py:function")
    is_file = place.endswith(".py")
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for results
            module = _module_of_file(Path(place).expanduser()) if is_file else importlib.import_module(place)
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:
        told = secrets.out_of(" ".join(clean(str(error)).split()))[:_LONGEST_QUOTE]
        hint = "" if is_file else "; a file here is named with its .py, as in search.py:find"
        raise ConfigError(f"the search function's module {place} cannot be imported ({type(error).__name__}: {told}){hint}") from error
    function: Any = module
    for part in attribute.split("."):
        function = getattr(function, part, None)
    if not callable(function):
        raise ConfigError(f"{place} has no function '{attribute}' to search with")
    return function, f"{Path(place).name if is_file else place}:{attribute}", _digest_of(module)


def _module_of_file(file: Path) -> ModuleType:
    if not file.is_file():
        raise ConfigError(f"there is no file {file} with a search function; give the path to it, as in path/to/file.py:function")
    name = f"siuo_search_{hashlib.blake2b(str(file.resolve()).encode(), digest_size=8).hexdigest()}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _digest_of(module: ModuleType) -> str:
    """Of the source file, so that a changed function is another source; of the module's version where there is no source."""
    try:
        source = Path(inspect.getsourcefile(module) or "").read_bytes()
    except (OSError, TypeError):
        source = str(getattr(module, "__version__", "")).encode()
    return hashlib.blake2b(source, digest_size=8).hexdigest()
