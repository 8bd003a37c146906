"""`siuo`, all of it, in a process that notes its highest resident memory at its very end.

python -m tests.performance.command FILE WORDS...
"""

from __future__ import annotations

import sys
from pathlib import Path

from siuo_async.cli import main
from tests.performance.measuring import resident_bytes

if __name__ == "__main__":
    note = Path(sys.argv[1])
    sys.argv = ["siuo", *sys.argv[2:]]
    try:
        main()
    finally:
        note.write_text(str(resident_bytes("VmHWM")), encoding="ascii")
