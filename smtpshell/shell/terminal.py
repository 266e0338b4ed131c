"""The front end that draws: a prompt with completion, colours and a bar, by prompt_toolkit.

The terminal is held in raw mode for the whole session. While a reply is awaited no prompt stands;
keys typed meanwhile wait for the next one, and Ctrl-C stops the waiting. Whatever arrives while a
prompt stands is written above it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prompt_toolkit.auto_suggest import AutoSuggestFromHistory, ConditionalAutoSuggest
from prompt_toolkit.completion import Completer, DynamicCompleter
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition, to_filter
from prompt_toolkit.input import create_input
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.processors import ConditionalProcessor
from prompt_toolkit.output import create_output
from prompt_toolkit.shortcuts import PromptSession

from smtpshell.conversation.settings import state_folder
from smtpshell.shell.bar import Moment, bar_line
from smtpshell.shell.console import Key, Typed
from smtpshell.shell.hidden import HiddenInput, hidden
from smtpshell.shell.history import ShellHistory, keepable
from smtpshell.shell.keys import bindings_for
from smtpshell.shell.lexer import InputLexer, coloured
from smtpshell.shell.prompt import Prompt, question_prompt
from smtpshell.shell.reports import report_lines
from smtpshell.shell.screen import Screen
from smtpshell.shell.view import Look, event_lines, trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding.key_processor import KeyPress

    from smtpshell.conversation.report import Row
    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.events import Event
    from smtpshell.shell.fragments import Line
    from smtpshell.shell.offers import Scene

PATIENCE = 1.0
"""Seconds of waiting after which the screen says what for."""

MENU_ROWS = 7
EDITING = {"emacs": EditingMode.EMACS, "vi": EditingMode.VI}


def _completer(scene: Callable[[], Scene]) -> Completer:
    """Return the completer, which is loaded when something is typed."""
    from smtpshell.shell.completer import ShellCompleter

    return ShellCompleter(scene)


class Terminal:
    """A `Console` on a terminal that can be drawn on."""

    def __init__(
        self,
        settings: Settings,
        scene: Callable[[str], Scene],
        moment: Callable[[str, str], Moment],
        on_key: Callable[[str, str], None],
    ) -> None:
        """`scene` and `moment` give the completer and the bar what they need to know.

        Both take the kind of the prompt, `moment` the line too; `on_key` is told the keys that
        toggle something, with the line as it stands.
        """
        self.on_key = on_key
        self._settings = settings
        self._input = create_input()
        self.screen = Screen(create_output(), color=settings.color)
        self._moment = moment
        self._prompt: Callable[[], Prompt] = lambda: question_prompt("", secret=False)
        self._standing = self._prompt()
        self.history = ShellHistory(state_folder() / "history")
        self._session = self._make_session(scene)
        self.screen.app = self._session.app

    def _make_session(self, scene: Callable[[str], Scene]) -> PromptSession[Typed | str]:
        settings = self._settings
        commanding = Condition(lambda: self.kind in ("command", "closed"))
        session: PromptSession[Typed | str] = PromptSession(
            message=self._message,
            lexer=InputLexer(lambda: (self.kind, self._moment(self.kind, "").now)),
            completer=DynamicCompleter(lambda: _completer(lambda: scene(self.kind))),
            complete_while_typing=Condition(lambda: bool(settings["completion"])),
            auto_suggest=ConditionalAutoSuggest(AutoSuggestFromHistory(), commanding),
            input_processors=[
                ConditionalProcessor(HiddenInput(), Condition(lambda: self._standing.secret))
            ],
            history=self.history,
            key_bindings=bindings_for(self),
            bottom_toolbar=self._bar,
            reserve_space_for_menu=MENU_ROWS,
            style=self.screen.style,
            include_default_pygments_style=False,
            color_depth=self.screen.depth,
            enable_suspend=True,
            editing_mode=EDITING[settings["keys"]],
            input=self._input,
            output=self.screen.output,
        )
        session.default_buffer.enable_history_search = to_filter(True)
        session.app.ttimeoutlen = 0.1
        return session

    # --- what is drawn -----------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """The kind of the prompt that stands."""
        return self._standing.kind

    @property
    def width(self) -> int:
        """The columns of the window."""
        return self.screen.columns

    def earlier(self) -> Sequence[str]:
        """Return the lines of the history, the newest first."""
        return self.history.newest_first()

    @property
    def searching(self) -> bool:
        """Whether the history is being searched."""
        return self._session.app.layout.is_searching

    def _message(self) -> StyleAndTextTuples:
        line = self._prompt().line
        return [(f"class:{style}" if style else "", text) for style, text in line]

    def _bar(self) -> StyleAndTextTuples | None:
        if not self._settings["bar"]:
            return None
        text = "" if self._standing.secret else self._session.default_buffer.text
        line = bar_line(self._moment(self.kind, text), self.screen.columns - 1)
        return [(f"class:{style}" if style else "", text) for style, text in line]

    def _look(self, *, typed: bool = False) -> Look:
        settings = self._settings
        notes = "off" if settings.quiet else settings.notes
        spell = settings["spell"]
        return Look(notes, settings["timing"], self.screen.width, typed, spell=spell)

    def refresh(self) -> None:
        """Draw the prompt anew."""
        app = self._session.app
        app.editing_mode = EDITING[self._settings["keys"]]
        if app.is_running:
            app.invalidate()

    # --- showing -----------------------------------------------------------------------------

    def event(self, event: Event, *, typed: bool) -> None:
        """Show an event."""
        self.screen.write(event_lines(event, self._look(typed=typed)))

    def report(self, rows: Iterable[Row]) -> None:
        """Show a report."""
        self.screen.write(report_lines(rows, self.screen.width))

    def trouble(self, what: str, advice: str) -> None:
        """Show what went wrong."""
        self.screen.write(trouble(what, advice, self.screen.width))

    def echo(self, prompt: Prompt, line: str) -> None:
        """Show a pasted line."""
        from smtpshell.protocol.text import visible

        now = self._moment(prompt.kind, "").now
        pieces = [("", hidden(line))] if prompt.secret else coloured(line, prompt.kind, now)
        shown: Line = [*prompt.line, *((style, visible(text)) for style, text in pieces)]
        self.screen.write([shown])

    def remember(self, line: str, shown: str | None = None) -> None:
        """Keep a line in the history."""
        self.history.remember(keepable(line, shown))

    # --- reading -----------------------------------------------------------------------------

    async def read(self, prompt: Callable[[], Prompt], text: str = "") -> Typed:
        """Read a line, pasted lines, or a key."""
        self.screen.transient("")
        before = self._prompt, self._standing
        self._prompt, self._standing = prompt, prompt()
        app = self._session.app
        app.erase_when_done = False
        try:
            result = await self._session.prompt_async(default=text)
        except EOFError:
            return Typed(key=Key.GONE)
        finally:
            self._prompt, self._standing = before
            self.screen.flush()
        return Typed((result,)) if isinstance(result, str) else result

    async def ask(self, question: str, default: str = "", *, secret: bool = False) -> str | None:
        """Ask for a line."""
        prompt = question_prompt(question, secret=secret)
        typed = await self.read(lambda: prompt, default)
        return None if typed.key is not None else "".join(typed.lines)

    # --- waiting -----------------------------------------------------------------------------

    async def wait(self, work: Awaitable[None], waiting: Callable[[], str]) -> bool:
        """Do something that takes time, keeping what is typed meanwhile for the next prompt.

        What is being waited for stands on the screen after a while, but not while the work itself
        asks something.
        """
        task = asyncio.ensure_future(work)
        kept: list[KeyPress] = []
        stopped = False

        def take_keys() -> None:
            nonlocal stopped
            for press in self._input.read_keys():
                if press.key in (Keys.ControlC, Keys.SIGINT):
                    stopped = True
                    kept.clear()
                    task.cancel()
                else:
                    kept.append(press)

        try:
            with self._input.attach(take_keys):
                while not (await asyncio.wait({task}, timeout=PATIENCE))[0]:
                    if waiting() and not self._session.app.is_running:
                        self.screen.transient(f"   {waiting()} Ctrl-C stops waiting.")
        finally:
            self.screen.transient("")
            task.cancel()
            store_typeahead(self._input, [*kept, *self._input.flush_keys()])
        if task.cancelled() and stopped:
            return False
        await task
        return True

    @contextmanager
    def progress(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Show a bar on a transient line."""
        from smtpshell.shell.progress import progress_text

        shown = ""

        def step(done: int) -> None:
            nonlocal shown
            text = progress_text(label, done, total)
            if text != shown:
                shown = text
                self.screen.transient(text)

        try:
            yield step
        finally:
            self.screen.transient("")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold the terminal in raw mode."""
        with self._input.raw_mode():
            yield
        self._input.close()
