"""The program's entry: `smtpshell` and `python -m smtpshell`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return the exit status; no traceback ever reaches a user."""
    from smtpshell import cli

    return cli.guarded(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
