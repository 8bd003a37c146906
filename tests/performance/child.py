"""A fresh process of the bench: imports one thing that is measured, runs it, prints its figures as JSON.

python -m tests.performance.child KIND JSON
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from dataclasses import asdict

KINDS = {
    "floor": "floor:run",
    "floor-pybase64": "floor:run_pybase64",
    "siuo": "engine:run",
    "openai": "peers:run_openai",
    "inspect-ai": "peers:run_inspect",
    "index": "journal:run_index",
}
"""Where each is; imported only here, so that nobody pays for the others."""


def main() -> None:
    """As told on the command line."""
    kind, told = sys.argv[1], json.loads(sys.argv[2])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    module, _, function = KINDS[kind].partition(":")
    found = getattr(importlib.import_module(f"tests.performance.{module}"), function)(told)
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
