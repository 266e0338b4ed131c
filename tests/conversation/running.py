"""Scripts run as a user runs them (a process), or in this process where only the lines matter."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

TIMEOUT = 30


@dataclass(frozen=True)
class Run:
    """What a run left behind."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Standard output, line by line."""
        return self.out.splitlines()

    @property
    def wire(self) -> list[str]:
        """The lines that went over the wire."""
        return [line for line in self.lines if line.startswith(("C: ", "S: "))]

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.lines]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the JSON objects of one kind of event."""
        return [item for item in self.objects if item.get("event") == name]


def smtpshell(
    *arguments: str, stdin: str | bytes = b"", env: dict[str, str] | None = None, cwd: object = None
) -> Run:
    """Run the program in a process of its own, without a terminal."""
    octets = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-m", "smtpshell", *arguments],
        input=octets,
        capture_output=True,
        timeout=TIMEOUT,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        check=False,
    )
    return Run(
        done.returncode,
        done.stdout.decode("utf-8", "surrogateescape"),
        done.stderr.decode("utf-8", "surrogateescape"),
    )


def in_process(target: str, *lines: str, **options: Any) -> Run:
    """Run a script in this process; `options` are attributes or settings."""
    import asyncio

    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.operations import options_from
    from smtpshell.conversation.script import ScriptDesk, run_script
    from smtpshell.conversation.settings import SETTINGS, Settings

    settings = Settings()
    settings.set("timeout", "10")
    for name, value in options.items():
        if name in SETTINGS:
            settings.set(name, value)
        else:
            setattr(settings, name, value)
    out, err = io.StringIO(), io.StringIO()

    async def run() -> int:
        async def given():
            for line in lines:
                yield line

        desk = ScriptDesk(Conversation(options_from(settings)), settings, out, err)
        return await run_script(desk, target, given())

    status = asyncio.run(run())
    return Run(status, out.getvalue(), err.getvalue())
