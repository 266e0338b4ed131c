"""The shell's desk: what a typed line does, and what local commands and guests may use.

It knows no terminal; a `Console` shows and asks. What is typed is what is sent: the desk may ask
before a line goes out, and never changes it, but for the dot that RFC 5321 section 4.5.2 doubles.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from smtpshell.conversation import caution, local
from smtpshell.conversation.driver import Conversation
from smtpshell.conversation.operations import options_from
from smtpshell.conversation.report import Row
from smtpshell.conversation.terms import Broken, ReplyTimeout, not_connected
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.events import Connected, Event, Sent
from smtpshell.protocol.secrets import HIDDEN
from smtpshell.protocol.state import Mode, State
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from smtpshell.conversation.guest import Guest
    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.pairing import Outgoing
    from smtpshell.shell.console import Console

EMPTY_LINE = r"An empty line is not sent; /raw \r\n sends one."
FULL_CHUNK = "The chunk was full: what stood behind it went out as a command."
NO_ANSWER = "Not sent."
SILENT = "No greeting yet; perhaps it wants TLS first (smtps://)."


class ShellDesk:
    """The desk of a person at a console; see `conversation.desk.Desk` and `guest.Host`."""

    interactive = True

    def __init__(self, settings: Settings, console: Console) -> None:
        self.settings = settings
        self.console = console
        self.conversation = Conversation(options_from(settings))
        self.conversation.subscribe(self._on_event)
        self.practice: Any = None
        self.guest: Guest | None = None
        self.leaving = False
        self.text = ""
        self._typed = False
        self._secret_allowed = False

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Connected):
            self._secret_allowed = False
        guest = self.guest
        unseen = isinstance(event, Sent) and event.kind == "answer" and event.line != HIDDEN
        if guest is None or not guest.silent:
            self.console.event(event, typed=self._typed and not unseen)
        if guest is not None:
            guest.on_event(event)
        self.console.refresh()

    # --- what local commands use -------------------------------------------------------------

    async def start_practice(self, scenario: str = "plain", *, seed: int | None = None) -> Any:  # noqa: ANN401 - see Desk
        """Start the practice server, replacing one that runs."""
        from smtpshell.conversation.embedded import start

        await self.stop_practice()
        self.practice = await start(scenario, seed=seed)
        return self.practice

    async def stop_practice(self) -> None:
        """Stop the practice server if it runs."""
        if self.practice is not None:
            server, self.practice = self.practice, None
            await server.stop()

    def show(self, report: Iterable[Row], facts: dict[str, Any] | None = None) -> None:
        """Show a report; the facts are for machines."""
        self.console.report(report)

    def say(self, text: str, style: str = "") -> None:
        """Show one line of ours."""
        self.console.report([Row(visible(text), style)])

    async def ask(self, question: str, *, flag: str) -> bool:
        """Ask yes or no; only a yes is a yes."""
        if flag and flag in self.settings.allowed:
            return True
        self.say(question, "warn")
        answer = await self.console.ask("[y/N] ")
        return answer is not None and answer.strip().lower() in ("y", "yes")

    async def ask_text(self, prompt: str, default: str = "") -> str | None:
        """Ask for one line of text."""
        return await self.console.ask(prompt, default)

    async def ask_secret(self, prompt: str) -> str | None:
        """Ask for a secret without echo."""
        return await self.console.ask(prompt, secret=True)

    async def send_lines(self, lines: Iterable[str]) -> None:
        """Send lines one after the other, each as if it had been typed."""
        for line in lines:
            await self.take(line, typed=False)

    def progress(
        self, label: str, total: int | None
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Show how far a long work is."""
        return self.console.progress(label, total)

    def leave(self) -> None:
        """End the program after this command."""
        self.leaving = True

    # --- guests ------------------------------------------------------------------------------

    async def invite(self, guest: Guest) -> None:
        """Have a guest, in place of the one that is there."""
        await self.dismiss()
        self.guest = guest
        await guest.start(self)

    async def dismiss(self) -> None:
        """Say goodbye to the guest."""
        if self.guest is not None:
            guest, self.guest = self.guest, None
            await guest.end()

    def put_text(self, text: str) -> None:
        """Put text on the next prompt, unsent."""
        self.text = text

    # --- lines -------------------------------------------------------------------------------

    async def take(self, line: str, *, typed: bool = True) -> None:
        """Do what one line says; `typed` lines stand on the screen already. Errors are shown."""
        mode = self.conversation.mode
        if (
            mode in (Mode.COMMAND, Mode.CLOSED)
            and local.is_local(line)
            and not self._asked_by_guest
        ):
            await self.run_local(line)
            return
        await self.guarded(self._take_wire(line, typed=typed))

    @property
    def _asked_by_guest(self) -> bool:
        """Whether the guest has a question open, to which even `?` is an answer."""
        return self.guest is not None and bool(self.guest.asking)

    async def _take_wire(self, line: str, *, typed: bool) -> None:
        guest = self.guest
        if guest is not None and await self._kept_by(guest, line):
            return
        mode = self.conversation.mode
        if mode is Mode.COMMAND and not line.strip():
            if line or guest is None:
                self.say(EMPTY_LINE, "dim")
            return
        if mode is Mode.CLOSED:
            if not line.strip():
                return
            raise not_connected()
        if not await self._allowed(line, mode):
            self.say(NO_ANSWER)
            return
        await self._send(line, mode, typed=typed)
        if guest is not None and guest is self.guest:
            await self.wait(guest.after_line(line))

    async def _kept_by(self, guest: Guest, line: str) -> bool:
        """Tell whether the guest keeps a line for itself; also when the user stops it there."""
        kept = True

        async def ask() -> None:
            nonlocal kept
            kept = await guest.before_line(line)

        await self.wait(ask())
        return kept

    async def _send(self, line: str, mode: Mode, *, typed: bool) -> None:
        conversation = self.conversation
        wire = line
        if mode is Mode.COMMAND:
            wire = local.literal(line)
        elif mode is Mode.DATA and line.startswith(".") and line != "." and self.settings.stuffing:
            wire = f".{line}"
        self._typed = typed
        try:
            sent = await conversation.send_line(wire)
        finally:
            self._typed = False
        self._remember(line, sent)
        if mode is Mode.OCTETS and sent[-1].kind != "octets":
            self.say(FULL_CHUNK, "warn")
        if conversation.mode is not Mode.OCTETS and conversation.waiting:
            await self.wait(conversation.settle())

    def _remember(self, line: str, sent: list[Outgoing]) -> None:
        if sent and sent[0].kind == "command":
            shown = sent[0].shown
            self.console.remember(line, f"/{shown}" if line.startswith("//") else shown)

    async def wait(self, work: Awaitable[None]) -> bool:
        """Wait for work; False when the user stopped it. Errors go on to the caller."""
        went_through = await self.console.wait(work, self._awaited)
        if not went_through:
            self.say("Stopped waiting; a reply that still comes will be shown.", "warn")
        return went_through

    async def waited(self, work: Awaitable[None]) -> None:
        """Wait for work, whether or not it goes through."""
        await self.wait(work)

    def _awaited(self) -> str:
        """Tell what is being waited for, once it takes a while."""
        now = self.conversation.snapshot
        if not self.conversation.waiting:
            return "Working."
        if now.state is State.GREETING and not now.tls:
            return SILENT
        return f"Waiting for {visible(now.target) or 'the server'}."

    async def guarded(self, work: Awaitable[None]) -> bool:
        """Await work; show what goes wrong and return False then."""
        try:
            await work
        except (Broken, ReplyTimeout):
            return False  # a Failed event has told it
        except SmtpshellError as error:
            where = f"{error.where}: " if error.where else ""
            self.console.trouble(f"{where}{error.what}", error.next)
            return False
        return True

    async def run_local(self, line: str) -> None:
        """Run a local command; what goes wrong is shown. A guest sees it done, but not its own."""
        self.console.remember(line)
        self.conversation.options = options_from(self.settings)
        name, argument = local.split(line)
        guest = self.guest
        command = guest.commands.get(name) if guest is not None else None
        work = command.run(argument) if command is not None else local.run(self, line)
        await self.guarded(self.waited(work))
        if guest is not None and guest is self.guest and command is None:
            await self.guarded(self.waited(guest.after_line(line)))
        self.conversation.options = options_from(self.settings)
        self.console.refresh()

    # --- what is asked before ----------------------------------------------------------------

    async def _allowed(self, line: str, mode: Mode) -> bool:
        conversation = self.conversation
        now, target = conversation.snapshot, conversation.target
        if mode in (Mode.COMMAND, Mode.ANSWER) and not self._secret_allowed:
            question = caution.question_before_secret(
                line,
                now,
                target,
                answering=mode is Mode.ANSWER,
                verified=caution.is_safe(conversation.verdict, self.settings),
            )
            if question:
                self._secret_allowed = await self.ask(question, flag="")
                return self._secret_allowed
        if (mode is Mode.DATA and line == ".") or (mode is Mode.COMMAND and _is_last(line)):
            question = caution.question_before_delivery(now, target)
            return not question or await self.ask(question, flag="")
        return True


def _is_last(line: str) -> bool:
    words = line.upper().split()
    return len(words) == 3 and words[0] == "BDAT" and words[2] == "LAST"
