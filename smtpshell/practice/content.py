"""Where the lessons lie: in the wheel beside the modules, in a source tree at its top."""

from __future__ import annotations

from pathlib import Path

from smtpshell.protocol.errors import SmtpshellError

PACKAGE = Path(__file__).resolve().parent.parent
PLACES = (PACKAGE / "lessons", PACKAGE.parent / "lessons")


def content_folder() -> Path:
    """Return the folder that holds the lessons and `scenarios/`.

    A wheel carries it inside the package; an editable install and a source tree have it beside the
    package. Raises SmtpshellError when neither is there, which is a broken installation.
    """
    for place in PLACES:
        if (place / "scenarios").is_dir():
            return place
    raise SmtpshellError(
        "the lessons and practice scenarios are missing from this installation",
        where=" or ".join(str(place) for place in PLACES),
        next="install smtpshell again",
    )
