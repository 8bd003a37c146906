"""The tree of errors.

SiuoError                      one clear sentence for the user; never a traceback
├── UsageError                 exit 2: what was typed, configured or found on disk cannot be used
│   ├── ConfigError            a flag or a field of the configuration
│   ├── DataError              a benchmark's data: file, item and field are named
│   └── RunDirectoryError      a run's directory: locked, damaged, or of another configuration
├── StoppedEarly               exit 3: run the same command again to continue
│   └── JournalWriteError      the disk would not take a finished call
└── CallError                  one API call gave no result; the kind says what to do about it
"""

from __future__ import annotations

from enum import StrEnum
from errno import ENOMEM

NO_MEMORY = "this machine gives no more memory or threads; free some, or lower --concurrency, and run the same command again"


def is_starved(error: BaseException) -> bool:
    """Whether it says that the machine gives no more memory or threads, which is no bug."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == ENOMEM)
        or (isinstance(error, RuntimeError) and "can't start new thread" in str(error))
    )


class SiuoError(Exception):
    """Base of all errors that are told to the user as one sentence."""

    exit_code = 1


class UsageError(SiuoError):
    """What was typed, configured or found on disk cannot be used."""

    exit_code = 2


class ConfigError(UsageError):
    """A flag or a field of the configuration is wrong; the message names it and the fix."""


class DataError(UsageError):
    """A benchmark's data cannot be used; the message names file, item and field."""


class RunDirectoryError(UsageError):
    """A run's directory is locked, damaged or belongs to another configuration."""


class StoppedEarly(SiuoError):
    """The run stopped before it was complete; the same command continues it."""

    exit_code = 3


class JournalWriteError(StoppedEarly):
    """A finished call could not be made durable (disk full, I/O error)."""


class ErrorKind(StrEnum):
    """Why a call gave no result, and so what is done about it."""

    RATE_LIMITED = "rate_limited"
    """The limit group waits; no try is used."""
    SERVER = "server"
    """5xx, overloaded, 408, 409: tried again."""
    TIMEOUT = "timeout"
    """Nothing in time: tried again; may have been billed."""
    CONNECTION = "connection"
    """Refused, reset, DNS, TLS: tried again."""
    GARBLED = "garbled"
    """A 2xx whose body is cut, empty, or no answer of this dialect: tried again twice; may have been billed."""
    UNSUPPORTED_PARAMETER = "unsupported_parameter"
    """A clear 400 that names a parameter (`param`): sent again without it, once."""
    BAD_REQUEST = "bad_request"
    """400, 413, 422: names this sample, never tried again."""
    NOT_FOUND = "not_found"
    """404: wrong model or URL."""
    AUTH = "auth"
    """401, or 403 without a block: stops the account."""
    QUOTA = "quota"
    """Money, spend limit, per-day limit: stops the account."""
    ROUTE = "route"
    """No way to a host that was never reached: an untrusted certificate, or a proxy that turns all away. Stops the account."""
    ACCOUNT = "account"
    """The organisation is on hold or flagged: stops the account."""


RETRYABLE = frozenset({ErrorKind.SERVER, ErrorKind.TIMEOUT, ErrorKind.CONNECTION, ErrorKind.GARBLED})
ACCOUNT_WIDE = frozenset({ErrorKind.AUTH, ErrorKind.QUOTA, ErrorKind.ACCOUNT, ErrorKind.ROUTE})
NAMES_THE_SAMPLE = frozenset({400, 413, 422})


class CallError(SiuoError):
    """One API call gave no result.

    Args:
        kind: what went wrong.
        message: the provider's sentence, or ours. Redacted before it is stored or shown.
        status: HTTP status, if one came.
        code: the provider's own code (`insufficient_quota`, `RESOURCE_EXHAUSTED`, ...).
        retry_after_s: the server's hint, in seconds.
        param: the request field a 400 named, only with `UNSUPPORTED_PARAMETER`.
        maybe_billed: whether the provider may charge for the try all the same.
        limit: the limit that a rejection says was hit: `requests`, `tokens`, `concurrency` or `day`.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        param: str | None = None,
        maybe_billed: bool = False,
        limit: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        self.param = param
        self.maybe_billed = maybe_billed
        self.limit = limit
