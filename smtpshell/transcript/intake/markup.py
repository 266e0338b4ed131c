"""HTML to lines of text, as far as a bounce needs it: tags out, entities in, blocks on lines.

Exchange and web services send bounces as HTML alone. What matters is where a line ends and what
stands between quotes; styles, scripts and the head are left out. The parser of the standard library
never raises on what is no HTML.
"""

from __future__ import annotations

from html.parser import HTMLParser

_BLOCKS = frozenset(
    [
        *("p", "div", "br", "tr", "li", "ul", "ol", "table", "pre", "blockquote", "hr", "body"),
        *("h1", "h2", "h3", "h4", "h5", "h6"),
    ]
)
_SILENT = frozenset(("style", "script", "head"))

LINES_KEPT = 600
"""Lines of one part that are kept; the reason stands in the first dozens."""


class _Lines(HTMLParser):
    """Collects the text between tags, line by line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line at a block, and silence at a style."""
        del attrs
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BLOCKS:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        """End what began."""
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self._break()

    def handle_data(self, data: str) -> None:
        """Take text, in which a line end is a space."""
        if not self._silent and len(self.lines) <= LINES_KEPT:
            self.lines[-1] = f"{self.lines[-1]}{data}"[:8_000]

    def _break(self) -> None:
        if self.lines[-1].strip() or self.lines[-2:-1] != [""]:
            self.lines.append("")


def text_of_html(text: str) -> list[str]:
    r"""Return the lines of text that HTML shows.

    >>> text_of_html("<p>Returned <b>&#39;550 no&#39;</b></p><style>x</style><p>Bye")
    ["Returned '550 no'", 'Bye']
    """
    parser = _Lines()
    parser.feed(text)
    parser.close()
    lines = (" ".join(line.split()) for line in parser.lines)
    return [line for line in lines if line]
