"""The theme: one table from what a piece of text is to what it looks like.

Only the sixteen ANSI colours are named, and no background, so that the user's own palette decides
and light and dark terminals both stay readable. Colour repeats what words say and is never the only
cue.
"""

from __future__ import annotations

THEME: dict[str, str] = {
    # what went over the wire
    "mark": "ansibrightblack",
    "client": "ansicyan",
    "server": "",
    "code.2": "ansigreen",
    "code.3": "ansicyan",
    "code.4": "ansiyellow",
    "code.5": "ansired bold",
    "code.odd": "ansimagenta bold",
    # what we say
    "note": "italic",
    "gloss": "ansibrightblack",
    "timing": "ansibrightblack",
    "hint": "ansiblue",
    "label": "ansibrightblack",
    # rows of reports
    "title": "bold",
    "good": "ansigreen",
    "warn": "ansiyellow",
    "bad": "ansired",
    "dim": "ansibrightblack",
    "code": "ansicyan",
    "prose": "",
    # the prompt, which begins with whom it talks to
    "prompt": "bold ansigreen",
    "prompt.closed": "bold ansired",
    "prompt.mode": "bold ansiyellow",
    "prompt.detail": "ansibrightblack",
    "prompt.prefix": "ansiblue",
    # the line being typed
    "verb": "bold ansigreen",
    "verb.odd": "bold ansiyellow",
    "verb.unknown": "ansired",
    "address": "ansicyan",
    "parameter": "ansimagenta",
    "value": "ansiyellow",
    "punctuation": "ansibrightblack",
    "local": "bold ansiblue",
    "header": "ansicyan",
    "secret": "ansired",
    "auto-suggestion": "ansibrightblack",
    # the bar and the menu
    "bottom-toolbar": "noreverse ansibrightblack",
    "bar.syntax": "bold",
    "bar.key": "bold",
    "bar.warn": "ansiyellow",
    "completion-menu": "noinherit",
    "completion-menu.completion": "noinherit",
    "completion-menu.completion.current": "noinherit reverse",
    "completion-menu.meta.completion": "noinherit ansibrightblack",
    "completion-menu.meta.completion.current": "noinherit bold",
    "scrollbar.background": "noinherit",
    "scrollbar.button": "noinherit reverse",
}
"""From the class of a fragment to its style, in prompt_toolkit's words."""

BARE: dict[str, str] = {
    "bottom-toolbar": "noreverse",
    "completion-menu": "noinherit",
    "completion-menu.completion": "noinherit",
    "completion-menu.completion.current": "noinherit reverse",
    "completion-menu.meta.completion": "noinherit",
    "completion-menu.meta.completion.current": "noinherit bold",
    "prompt": "bold",
    "prompt.closed": "bold",
    "prompt.mode": "bold",
    "title": "bold",
    "scrollbar.background": "noinherit",
    "scrollbar.button": "noinherit reverse",
}
"""The theme without colour (NO_COLOR): bold and reverse only."""
