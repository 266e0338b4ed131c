"""The screen: the only writer while the shell draws.

Every text passes `visible` here once more, whoever made it: the last door before the terminal.
What is written while a prompt stands appears above it, in order; otherwise it is appended. A
transient line (progress, or what is being waited for) stands below all that and goes without trace.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style

from smtpshell.protocol.text import visible
from smtpshell.shell.fragments import Line, shortened
from smtpshell.shell.theme import BARE, THEME

WIDTH_MOST = 100
"""Columns that are used of a wide window, so that the eye need not travel."""


class Screen:
    """Writes lines of fragments to a terminal."""

    def __init__(self, output: Output, *, color: bool) -> None:
        self.output = output
        self.style = Style.from_dict(THEME if color else BARE)
        self.depth = None if color else ColorDepth.DEPTH_1_BIT
        self.app: Application[Any] | None = None
        self._held: list[Line] = []
        self._flushing = False
        self._transient = ""

    @property
    def columns(self) -> int:
        """The width of the window."""
        return self.output.get_size().columns

    @property
    def width(self) -> int:
        """The columns to fill with text: never the last, where terminals disagree on wrapping."""
        return max(20, min(WIDTH_MOST, self.columns - 1))

    def write(self, lines: Iterable[Line]) -> None:
        """Append lines, above the prompt if one stands."""
        self._held += lines
        if self.app is None or not self.app.is_running:
            self.flush()
        elif self._held and not self._flushing:
            self._flushing = True
            run_in_terminal(self.flush)

    def flush(self) -> None:
        """Write what was held back for the prompt."""
        self._flushing = False
        held, self._held = self._held, []
        if not held:
            return
        transient = self._transient
        self.transient("")
        fragments = [
            (f"class:{style}" if style else "", text)
            for line in held
            for style, text in (*((style, visible(text)) for style, text in line), ("", "\n"))
        ]
        depth = self.depth or self.output.get_default_color_depth()
        print_formatted_text(self.output, FormattedText(fragments), self.style, color_depth=depth)
        self.output.flush()
        self.transient(transient)

    def transient(self, text: str) -> None:
        """Show a line that goes again, in place of the one that stands; "" for none."""
        if not text and not self._transient:
            return
        self._transient = text
        self.output.write_raw("\r")
        self.output.erase_end_of_line()
        self.output.write(shortened(visible(text), self.width))
        self.output.flush()
