"""The program's entry: `smtpshell` and `python -m smtpshell`.

Python looks for cycles of dead objects whenever 700 more objects live than before, hundreds of
times while modules load, and over all of them when it ends. Loading makes no such cycles and
ending frees everything, so that both are a tenth and more of the time of a short command.
"""

from __future__ import annotations

import gc
import sys

OBJECTS = 50_000
"""How many more objects than before make the interpreter look for dead ones."""


def main() -> int:
    """Run the command line and return the exit status; no traceback ever reaches a user."""
    gc.set_threshold(OBJECTS)
    from smtpshell import cli

    try:
        return cli.guarded(sys.argv[1:])
    finally:
        gc.freeze()


if __name__ == "__main__":
    raise SystemExit(main())
