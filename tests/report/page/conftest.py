"""One demonstration for the tests of pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from siuo_async.report.dossier import Dossier
from tests.report.page.dossiers import demonstration


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    """The demonstration's."""
    return demonstration(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def demo_page(demo: Dossier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's page."""
    from siuo_async.report.page import write_page

    return write_page(demo, tmp_path_factory.mktemp("page") / "report.html").path
