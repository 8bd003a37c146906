"""What many tests need: the reference material beside the checkout, where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time: a test run answers for the change at hand. `HYPOTHESIS_PROFILE=explore` looks further.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

REPOSITORY = Path(__file__).resolve().parent.parent


def find_shared() -> Path | None:
    """The folder of reference material (`SIUO_SHARED`, else `../shared`), or None where a clone stands alone."""
    folder = Path(os.environ.get("SIUO_SHARED", REPOSITORY.parent / "shared"))
    return folder if (folder / "vectors").is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """Vectors, captures and released data files; tests that need them are skipped where they are absent."""
    folder = find_shared()
    if folder is None:
        pytest.skip("the reference material is not beside this checkout")
    return folder
