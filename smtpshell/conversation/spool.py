"""Standard input as a message: in memory while it is small, in a file of its own beyond that.

The size of a message goes out with MAIL, before the message itself, so all of it must be there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smtpshell.protocol.errors import FileError

IN_MEMORY = 1 << 20


@contextmanager
def spooled(wanted: bool) -> Iterator[bytes | Path]:
    """Give what standard input holds, b"" where it is not `wanted`; raises `FileError`."""
    if not wanted or sys.stdin is None:
        yield b""
        return
    head = sys.stdin.buffer.read(IN_MEMORY)
    if len(head) < IN_MEMORY:
        yield head
        return
    import shutil
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="smtpshell-") as file:
        try:
            file.write(head)
            shutil.copyfileobj(sys.stdin.buffer, file, IN_MEMORY)
            file.flush()
        except OSError as error:
            raise FileError.from_os(error, file.name, "write") from error
        yield Path(file.name)
