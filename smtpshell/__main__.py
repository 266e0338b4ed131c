"""The program's entry: `smtpshell` and `python -m smtpshell`."""

from __future__ import annotations

import gc
import sys

OBJECTS = 50_000
"""How many more objects than before make the interpreter look for cycles that it can free.

Python's own 700 is passed some two hundred times while modules load, which make nothing to be
freed: a tenth of the time to the first prompt.
"""


def main() -> int:
    """Run the command line and return the exit status; no traceback ever reaches a user."""
    gc.set_threshold(OBJECTS)
    from smtpshell import cli

    return cli.guarded(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
