"""How a secret looks while it is typed: one word, however long it is.

A star for each character would tell everybody who sees the screen how long the password is, and a
recording of the screen keeps that. Nothing at all would leave in doubt whether keys arrive.
"""

from __future__ import annotations

from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput

from smtpshell.protocol.secrets import HIDDEN


class HiddenInput(Processor):
    """Shows a line as `[hidden]` from the first character on, and the cursor behind it."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """Return what is drawn in place of the line."""
        shown = hidden(transformation_input.document.text)
        return Transformation(
            [("", shown)] if shown else [],
            source_to_display=lambda _place: len(shown),
            display_to_source=lambda _place: len(transformation_input.document.text),
        )


def hidden(line: str) -> str:
    """Return how a secret line is shown.

    >>> hidden("correct horse"), hidden("")
    ('[hidden]', '')
    """
    return HIDDEN if line else ""
