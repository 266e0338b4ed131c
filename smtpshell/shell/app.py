"""The interactive shell, from the first line to the last.

    interact(target, settings, guest=None) -> exit status

One loop: the prompt and the reader of the connection run together, so that what the server says on
its own account appears above the prompt while a line is being typed. Without a target the practice
server is started in this process. A connection that cannot be made leaves the shell open, with the
reason and "not connected>"; the exit status of an interactive session is 0.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from smtpshell import __version__
from smtpshell.conversation import caution
from smtpshell.conversation.operations import open_target, resolve_target
from smtpshell.conversation.targets import PRACTICE
from smtpshell.protocol.commands import VERBS
from smtpshell.protocol.errors import Status, UsageError
from smtpshell.protocol.secrets import CANCEL
from smtpshell.protocol.state import Mode, State
from smtpshell.shell.bar import Moment
from smtpshell.shell.console import Key, Typed
from smtpshell.shell.desk import ShellDesk
from smtpshell.shell.offers import Scene
from smtpshell.shell.prompt import Prompt, local_prompt, prompt_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smtpshell.conversation.guest import Guest
    from smtpshell.conversation.settings import Settings
    from smtpshell.shell.console import Console

NOTES_NEXT = {"off": "short", "short": "long", "long": "off"}
MORE = {
    True: "/lesson to learn, /connect HOST for a real server",
    False: "/connect practice for a server to practise on",
}
"""What the first line offers, on the practice server and elsewhere."""

INSIDE = (Mode.DATA, Mode.OCTETS)


def interact(target: str | None, settings: Settings, guest: Guest | None = None) -> int:
    """Run the shell on a terminal until the user leaves; return the exit status.

    `target` is as in `conversation.targets`; None is the practice server. `guest` sits down at
    once and connects as it likes; then nothing is opened here.
    """
    settings.interactive = True
    return asyncio.run(Shell(settings).run(target or PRACTICE, guest))


class Shell:
    """One session at a terminal."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.console = self._make_console()
        self.desk = ShellDesk(settings, self.console)

    def _make_console(self) -> Console:
        if self.settings.plain:
            from smtpshell.shell.plain import PlainConsole

            return PlainConsole(self.settings)
        from smtpshell.shell.terminal import Terminal

        return Terminal(self.settings, self._scene, self._moment, self._on_key)

    async def run(self, target: str, guest: Guest | None) -> int:
        """Open, read lines until the user leaves, and close."""
        desk = self.desk
        with self.console.running():
            try:
                if guest is not None:
                    await desk.guarded(desk.waited(desk.invite(guest)))
                else:
                    await self._open(target)
                while not desk.leaving:
                    await self._turn()
                await desk.dismiss()
            finally:
                await desk.conversation.close()
                await desk.stop_practice()
        return Status.OK

    async def _open(self, target: str) -> None:
        desk = self.desk
        more = MORE[target == PRACTICE]
        desk.say(f"smtpshell {__version__}. ? for help, {more}", "dim")

        async def opening() -> None:
            await open_target(desk, await resolve_target(desk, target))

        await desk.guarded(desk.waited(opening()))

    # --- one turn ----------------------------------------------------------------------------

    async def _turn(self) -> None:
        """Read once, and do what was read."""
        desk = self.desk
        text, desk.text = desk.text, ""
        before = desk.conversation.mode
        typed = await self.console.read(self._prompt, text)
        desk.text = desk.text or typed.rest
        if typed.key is Key.GONE:
            desk.leave()
        elif typed.key is Key.END:
            await self._end()
        elif typed.key is Key.LOCAL:
            await self._local_inside(typed)
        elif typed.pasted:
            await self._take_pasted(typed)
        elif self._went_stale(before):
            desk.say("Not sent: the connection ended while this line was being typed.", "warn")
        else:
            await desk.take(typed.lines[0])

    def _went_stale(self, before: Mode) -> bool:
        """Tell whether a line typed for a message or a challenge has lost what it was meant for."""
        return (
            before not in (Mode.COMMAND, Mode.CLOSED) and self.desk.conversation.mode is not before
        )

    async def _take_pasted(self, typed: Typed) -> None:
        """Send pasted lines in order, showing each behind its prompt, as if it had been typed.

        Commands wait for their replies. When DATA is refused the message behind it is skipped; when
        the connection ends or the user stops waiting, so are all lines that are left.
        """
        desk = self.desk
        conversation = desk.conversation
        lines = list(typed.lines)
        while lines:
            line = lines.pop(0)
            before, connected = conversation.mode, conversation.connected
            self.console.echo(self._prompt(), line)
            await desk.take(line)
            refused = line.strip().upper() == "DATA" and before is Mode.COMMAND
            if refused and conversation.connected and conversation.mode is Mode.COMMAND:
                gone = lines.index(".") + 1 if "." in lines else len(lines)
                del lines[:gone]
                desk.say(
                    f"DATA was refused: {gone} pasted lines, up to the dot, are skipped.", "warn"
                )
            stopped = conversation.waiting and conversation.mode is not Mode.OCTETS
            ended = connected and not conversation.connected
            if lines and (stopped or ended or desk.leaving):
                desk.say(f"The other {len(lines)} pasted lines were not sent.", "warn")
                desk.text = ""
                return

    async def _local_inside(self, typed: Typed) -> None:
        """Read one local command, unless it came with the key, and run it where we are."""
        prompt = local_prompt(self.desk.conversation.snapshot)
        if not any(typed.lines):
            typed = await self.console.read(lambda: prompt, "/")
        line = typed.lines[0].strip().lstrip("/") if typed.lines else ""
        if line:
            await self.desk.run_local(line if line == "?" else f"/{line}")

    async def _end(self) -> None:
        """Leave as politely as the state allows."""
        desk = self.desk
        conversation = desk.conversation
        if conversation.mode in INSIDE:
            if await desk.ask(caution.question_before_dropping(conversation.snapshot), flag=""):
                await conversation.close()
            return
        desk.leaving = True
        if conversation.connected and conversation.snapshot.state is not State.GREETING:
            await desk.guarded(self._goodbye())

    async def _goodbye(self) -> None:
        conversation = self.desk.conversation
        if conversation.mode is Mode.ANSWER:
            await conversation.send_line(CANCEL)
            await self.desk.wait(conversation.settle())
        if conversation.connected and conversation.snapshot.state is not State.QUIT:
            await conversation.send_line("QUIT")
            await self.desk.wait(conversation.settle())

    # --- what the console asks for -----------------------------------------------------------

    def _prompt(self) -> Prompt:
        desk = self.desk
        guest = desk.guest
        return prompt_of(
            desk.conversation.snapshot,
            octets_left=desk.conversation.session.octets_left,
            prefix=guest.prompt_prefix if guest is not None else "",
            asking=guest.asking if guest is not None else "",
            width=self.console.width,
        )

    def _scene(self, kind: str) -> Scene:
        desk = self.desk
        world = desk.practice.world if desk.practice is not None else None
        return Scene(
            desk.conversation.snapshot,
            kind,
            self.console.earlier,
            tuple(world.mailboxes()) if world is not None else (),
            tuple(desk.practice.credentials) if world is not None else (),
            _lessons,
            self.settings.told,
            desk.guest.commands if desk.guest is not None else {},
        )

    def _moment(self, kind: str, text: str) -> Moment:
        desk = self.desk
        verdict = desk.conversation.verdict
        return Moment(
            kind,
            text,
            desk.conversation.snapshot,
            self.settings,
            verdict.verified if verdict is not None else None,
            desk.guest.commands if desk.guest is not None else None,
        )

    # --- keys --------------------------------------------------------------------------------

    def _on_key(self, action: str, text: str) -> None:
        _ON_KEY[action](self, text)
        self.console.refresh()

    def key_help(self, text: str) -> None:
        """Show the help on the verb or the local command being typed."""
        from smtpshell.conversation.help import help_on

        word = text.strip().partition(" ")[0]
        if not word.startswith("/"):
            begun = [name for name in VERBS if word and name.startswith(word.upper())]
            word = begun[0] if begun else ""
        in_command = self.desk.conversation.mode in (Mode.COMMAND, Mode.CLOSED)
        try:
            self.desk.show(help_on(word if in_command else ""))
        except UsageError:
            self.desk.show(help_on(""))

    def key_notes(self, _text: str) -> None:
        """Walk through off, short and long."""
        self.settings.set("notes", NOTES_NEXT[self.settings.notes])

    def key_timing(self, _text: str) -> None:
        """Show the time beside replies, or stop doing so."""
        self.settings.set("timing", "off" if self.settings["timing"] else "on")

    def key_editing(self, _text: str) -> None:
        """Change between emacs and vi keys."""
        self.settings.set("keys", "emacs" if self.settings["keys"] == "vi" else "vi")


_ON_KEY: dict[str, Callable[[Shell, str], None]] = {
    "help": Shell.key_help,
    "notes": Shell.key_notes,
    "timing": Shell.key_timing,
    "editing": Shell.key_editing,
}
"""What the keys that toggle something do, by the action that the key table names."""


def _lessons() -> Mapping[str, str]:
    """Return the names and titles of the lessons."""
    from smtpshell.tutor.commands import names

    return names()
