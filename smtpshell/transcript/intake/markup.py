"""HTML to lines of text, as far as a bounce needs it: tags out, entities in, blocks on lines.

Exchange and web services send bounces as HTML alone. What matters is where a line ends and what
stands between quotes; styles, scripts and the head are left out. The parser of the standard library
takes a time that grows with the square of some hostile inputs; one pass with patterns that cannot
look far does not.
"""

from __future__ import annotations

import re
from functools import cache

BLOCKS = frozenset(
    [
        *("p", "div", "br", "tr", "li", "ul", "ol", "table", "pre", "blockquote", "hr", "body"),
        *("h1", "h2", "h3", "h4", "h5", "h6"),
    ]
)
"""Elements that begin and end a line."""

SILENT = ("head", "style", "script")
"""Elements whose text nobody sees."""

LINES_KEPT = 600
"""Lines of one part that are kept; the reason stands in the first dozens."""

READ = 1 << 20
"""Characters of HTML that are read."""


@cache
def _tag() -> re.Pattern[str]:
    return re.compile(r"</?([a-zA-Z][a-zA-Z0-9]{0,15})\b[^<>]{0,2000}>|<[!?][^<>]{0,2000}>")


def text_of_html(text: str) -> list[str]:
    r"""Return the lines of text that HTML shows; what is no tag stays as it is.

    >>> text_of_html("<p>Returned <b>&#39;550 no&#39;</b></p><style>x</style><p>Bye")
    ["Returned '550 no'", 'Bye']
    """
    from html import unescape

    shown = _without_silent(" ".join(text[:READ].split()))
    marked = _tag().sub(lambda tag: "\n" if (tag[1] or "").lower() in BLOCKS else "", shown)
    lines = (" ".join(unescape(line).split()) for line in marked.split("\n"))
    return [line for line in lines if line][:LINES_KEPT]


def _without_silent(text: str) -> str:
    """Leave out the elements that show nothing; one that does not end shows its text."""
    for name in SILENT:
        lower, kept, at, seek = text.lower(), [], 0, 0
        while (start := lower.find(f"<{name}", seek)) >= 0:
            seek = start + len(name) + 1
            if lower[seek : seek + 1] not in (">", " ", "/"):
                continue
            end = lower.find(f"</{name}>", seek)
            if end < 0:
                break
            kept.append(text[at:start])
            at = seek = end + len(name) + 3
        text = "".join((*kept, text[at:]))
    return text
