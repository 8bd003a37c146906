"""The one place that talks to the Hugging Face Hub: what a data set's commit holds, and the bytes of one file.

`huggingface_hub` gives endpoint (`HF_ENDPOINT`), token, addresses and errors; it is imported when something is fetched and not
before. The bytes are taken by a loop of our own, because `hf_hub_download` throws a half file away when it is stopped, and an
archive of gigabytes should be continued. Everything that can go wrong becomes one sentence; tokens and the server's own words
are in none of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from siuo_async.benchmarks.data.sources import Source
from siuo_async.errors import DataError, StoppedEarly
from siuo_async.keys import redact

Tell = Callable[[int], None]
"""Told of bytes as they arrive; a negative number takes some back."""
AGAIN = "run the same command again to continue"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LISTING_TIMEOUT_S = 30.0
_READ_TIMEOUT_S = 60.0
"""Between bytes; the Hub's storage answers the first one late for files that nobody asked for lately."""
_PARTIAL = 206


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository at one commit, as the Hub lists it."""

    path: str
    size: int | None
    """In bytes."""
    sha256: str | None
    """Hex; listed for files in large-file storage alone."""
    blob_id: str | None
    """Git's SHA-1 of a file that stands in the repository itself; of a pointer for the others."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one commit of a data set holds."""

    endpoint: str
    repo: str
    commit: str
    files: Mapping[str, RemoteFile]


def list_files(source: Source, revision: str, *, token: str | None = None) -> Listing:
    """Resolve `revision` (a branch, tag or commit) and list its files: one request.

    Args:
        token: None leaves it to `huggingface_hub` (`HF_TOKEN`, or what `hf auth login` stored).

    Raises:
        DataError: the terms are not accepted, or there is no such data set or revision.
        StoppedEarly: the Hub cannot be reached, or is out of order.
    """
    _quiet()
    from huggingface_hub import HfApi

    with _explained(source, revision):
        info = HfApi(token=token).dataset_info(source.repo, revision=revision, files_metadata=True, timeout=_LISTING_TIMEOUT_S)
        files = {
            each.rfilename: RemoteFile(
                each.rfilename, each.size, each.lfs.sha256 if each.lfs else None, None if each.lfs else each.blob_id
            )
            for each in info.siblings or ()
        }
        commit = str(info.sha)
    if not _COMMIT.fullmatch(commit) or (_COMMIT.fullmatch(revision) and commit != revision):
        raise DataError(f"{_endpoint()} answered with {commit[:40]} where {revision} of {source.repo} was asked for; check HF_ENDPOINT")
    return Listing(_endpoint(), source.repo, commit, files)


def download(source: Source, listing: Listing, file: RemoteFile, part: Path, tell: Tell, *, token: str | None = None) -> None:
    """Bring `part` to the file's full length, going on from what stands in it; what it then holds is for the caller to prove.

    A connection that is cut is taken up again at once for as long as each try brings bytes.

    Raises:
        DataError: the terms are not accepted, or the file is not there.
        StoppedEarly: the Hub cannot be reached, or sends nothing more.
    """
    _quiet()
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # exported, but only when it is asked for

    url = hf_hub_url(listing.repo, file.path, repo_type="dataset", revision=listing.commit)
    headers = {**build_hf_headers(token=token, library_name="siuo-async"), "Accept-Encoding": "identity"}
    if file.size is None:
        part.unlink(missing_ok=True)  # how much of it is there could not be told
    while file.size is None or _length(part) < file.size:
        before = _length(part)
        with _explained(source, listing.commit, file.path):
            cut = _append(url, headers, part, tell)
            if cut is not None and _length(part) <= before:
                raise cut
        if cut is None and file.size is None:
            return
        if _length(part) <= before:
            raise StoppedEarly(
                f"{listing.endpoint} ends {file.path} of {listing.repo} after {_length(part)} of {file.size} bytes; {AGAIN}"
            )


def close() -> None:
    """Close the connections."""
    from huggingface_hub import close_session

    close_session()


def _append(url: str, headers: Mapping[str, str], part: Path, tell: Tell) -> Exception | None:
    """One request for what `part` lacks; the error, if the connection was cut.

    A redirect to another host goes without the token: the session sees to that.
    """
    from huggingface_hub import get_session, hf_raise_for_status

    there = _length(part)
    asked = {**headers, **({"Range": f"bytes={there}-"} if there else {})}
    try:
        with get_session().stream("GET", url, headers=asked, timeout=_READ_TIMEOUT_S) as response:
            hf_raise_for_status(response)
            if there and response.status_code != _PARTIAL:
                tell(-there)
                there = 0
            with part.open("r+b" if there else "wb") as out:
                out.seek(there)
                for chunk in response.iter_raw():
                    out.write(chunk)
                    tell(len(chunk))
    except _transport_error() as error:
        if isinstance(error, OSError):  # the server's answer, not the connection
            raise
        return error
    return None


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _quiet() -> None:
    """The library reads these when it is first imported: no telemetry, and no warnings among our own sentences."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")


def _endpoint() -> str:
    """Where the Hub is looked for, without what may stand in it for a proxy to read."""
    from huggingface_hub import constants

    return redact(constants.ENDPOINT, None)


def _transport_error() -> type[Exception]:
    """What the HTTP library under `huggingface_hub` raises; which library that is depends on the version."""
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError.__bases__[0]


@contextmanager
def _explained(source: Source, revision: str, path: str = "") -> Iterator[None]:
    """Turns what the library raises into one sentence."""
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, OfflineModeIsEnabled, RevisionNotFoundError

    try:
        yield
    except RevisionNotFoundError as error:
        raise DataError(f"{source.repo} has no revision {revision}; name one of {source.page}/commits with --revision") from error
    except EntryNotFoundError as error:
        raise DataError(f"{source.repo} at {revision} holds no {path}, though it is listed; name another --revision") from error
    except HfHubHTTPError as error:
        raise _refused(source, error.response.status_code) from error
    except OfflineModeIsEnabled as error:
        raise StoppedEarly(f"HF_HUB_OFFLINE is set, so nothing is fetched; unset it and {AGAIN}") from error
    except _transport_error() as error:
        what = f"the connection to {_endpoint()} broke while {path} came" if path else f"{_endpoint()} cannot be reached"
        raise StoppedEarly(f"{what} ({type(error).__name__}); check the network and HF_ENDPOINT, and {AGAIN}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{_endpoint()} does not answer as the Hugging Face Hub does; check HF_ENDPOINT and the network") from error


def _refused(source: Source, status: int) -> Exception:
    endpoint = _endpoint()
    if status in (401, 403) and source.gated:
        who = (
            "the account of your token has no access"
            if status == 403
            else "it is not given without a token of an account that has access"
        )
        return DataError(
            f"{source.repo} is gated and {who}: accept its terms at {source.page}, set HF_TOKEN (or run `hf auth login`), "
            "and run the same command again"
        )
    if status in (401, 403):
        return DataError(f"{endpoint} refuses {source.repo} ({status}); if HF_TOKEN is set, renew or unset it, and see {source.page}")
    if status == 404:
        return DataError(f"{endpoint} has no data set {source.repo}; check HF_ENDPOINT")
    return StoppedEarly(f"{endpoint} answers {status} for {source.repo}; wait a little and {AGAIN}")
