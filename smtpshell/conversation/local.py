"""Local commands: the one table of everything that begins with a slash.

The completer, the help, the script runner and the documentation read it. A handler is named as
"module:function" and loaded when it is first used: `async def handler(desk, argument)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module

from smtpshell.conversation.desk import Desk
from smtpshell.conversation.lookups import LOOKUPS
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.values import dataclass

Handler = Callable[[Desk, str], Awaitable[None]]

_HERE = "smtpshell.conversation."


@dataclass(frozen=True, slots=True)
class LocalCommand:
    """One local command.

    `syntax` shows the arguments; `arguments` names, position by position, what completes them
    (see the completer: "target", "file", "setting", "verb", "word", "domain", "mailbox", "lesson",
    "mechanism", "notes", "choice:a|b"). The last kind serves all further positions.
    """

    name: str
    syntax: str
    summary: str
    handler: str
    arguments: tuple[str, ...] = ()
    group: str = "session"

    def load(self) -> Handler:
        """Import and return the handler."""
        module, _, function = self.handler.partition(":")
        handler: Handler = getattr(import_module(module), function)
        return handler


LOCAL: dict[str, LocalCommand] = {
    row.name: row
    for row in (
        LocalCommand(
            "connect",
            "[TARGET]",
            "open a connection; without TARGET, the last one again",
            _HERE + "commands.connecting:connect",
            ("target",),
        ),
        LocalCommand(
            "close",
            "",
            "drop the connection without QUIT",
            _HERE + "commands.connecting:close",
        ),
        LocalCommand(
            "status",
            "",
            "what is known of this session",
            _HERE + "commands.knowing:status",
        ),
        LocalCommand(
            "help",
            "[VERB | /COMMAND | KEY]",
            "help, in general or on one thing",
            _HERE + "commands.knowing:help_",
            ("help",),
            "help",
        ),
        LocalCommand(
            "why",
            "[N | WORD]",
            "diagnose the last refusal, run the check of its cause N, or look a word up",
            _HERE + "explaining:why",
            ("word",),
            "diagnosis",
        ),
        LocalCommand(
            "explain",
            "CODE | X.Y.Z | WORD | TEXT",
            "what a code, a word or a whole reply means",
            _HERE + "commands.knowing:explain",
            ("word",),
            "help",
        ),
        LocalCommand(
            "provider",
            "[NAME]",
            "hosts, ports and logins of a mail provider",
            _HERE + "commands.knowing:provider",
            ("provider",),
            "diagnosis",
        ),
        LocalCommand(
            "read",
            "[reply] [N] [--spell]",
            "the last reply, one line at a time",
            _HERE + "commands.reading:read",
            ("choice:reply|--spell", "choice:--spell"),
            "help",
        ),
        LocalCommand(
            "notes",
            "off | short | long",
            "how much is said under each reply",
            _HERE + "commands.knowing:notes",
            ("choice:off|short|long",),
            "help",
        ),
        LocalCommand(
            "starttls",
            "",
            "upgrade to TLS, greet again, show what changed",
            _HERE + "commands.securing:starttls",
            (),
            "tls",
        ),
        LocalCommand(
            "cert",
            "[pem]",
            "the server's certificate, chain and verdict",
            _HERE + "commands.securing:cert",
            ("choice:pem",),
            "tls",
        ),
        LocalCommand(
            "auth",
            "[--show] [MECHANISM] [USER]",
            "log in; the password is asked for",
            _HERE + "commands.securing:auth",
            ("mechanism", "user"),
            "tls",
        ),
        LocalCommand(
            "b64",
            r"TEXT with \0 and \xHH",
            "the base64 of a text",
            _HERE + "commands.securing:b64",
            (),
            "tls",
        ),
        LocalCommand(
            "unb64",
            "BASE64",
            "what a base64 text stands for",
            _HERE + "commands.securing:unb64",
            (),
            "tls",
        ),
        LocalCommand(
            "send",
            "[--from A] [--to B] [--subject TEXT] [--body TEXT] ...",
            "compose a small message and play its transaction",
            _HERE + "commands.composing:send",
        ),
        LocalCommand(
            "data",
            "FILE",
            "send a file as the message, dots doubled",
            _HERE + "commands.sending:data",
            ("file",),
        ),
        LocalCommand(
            "raw",
            r"TEXT with \r \n \0 \xHH \\",
            "send exact octets, nothing added",
            _HERE + "commands.sending:raw",
        ),
        LocalCommand(
            "pipeline",
            "LINE | LINE ...",
            "send several lines at once and pair the replies",
            _HERE + "commands.transacting:pipeline",
        ),
        LocalCommand(
            "bdat",
            "FILE [--chunk N]",
            "send a file in BDAT chunks",
            _HERE + "commands.transacting:bdat",
            ("file",),
        ),
        LocalCommand(
            "xclient",
            "NAME=VALUE ...",
            "pretend to be another client, where trusted (Postfix)",
            _HERE + "commands.transacting:xclient",
        ),
        LocalCommand(
            "xforward",
            "NAME=VALUE ...",
            "tell who the first client was, where trusted (Postfix)",
            _HERE + "commands.transacting:xforward",
        ),
        LocalCommand(
            "save",
            "[--force] FILE.txt | FILE.jsonl | FILE.md",
            "save the conversation, secrets hidden; .md makes a lesson of it",
            _HERE + "commands.keeping:save",
            ("file",),
            "keep",
        ),
        LocalCommand(
            "transcript",
            "[N]",
            "show the conversation so far, or its last N events",
            _HERE + "commands.keeping:transcript",
            (),
            "keep",
        ),
        LocalCommand(
            "mailbox",
            "[USER [N]]",
            "read the mail that reached the practice server",
            _HERE + "commands.practising:mailbox",
            ("mailbox",),
            "practice",
        ),
        LocalCommand(
            "rule",
            "[N]",
            "for teachers: which practice rule decided, and why; or the last N",
            _HERE + "commands.practising:rule",
            (),
            "practice",
        ),
        LocalCommand(
            "set",
            "[NAME [VALUE]]",
            "show or change a setting",
            _HERE + "commands.knowing:set_",
            ("setting", "value"),
            "help",
        ),
        LocalCommand(
            "lesson",
            "[NAME | NUMBER | leave] [--quiz] [--seed N] [--lang CODE]",
            "list the lessons, play one or ask its questions, or leave it",
            "smtpshell.tutor.commands:lesson",
            ("lesson", "lesson option"),
            "practice",
        ),
        LocalCommand(
            "quit",
            "",
            "leave; QUIT is sent first where it can be",
            _HERE + "commands.connecting:quit_",
        ),
        *(
            LocalCommand(row.name, row.syntax, row.summary, row.slash, row.arguments, "lookup")
            for row in LOOKUPS.values()
        ),
    )
}
"""Every local command, by name without its slash."""

GROUPS: dict[str, str] = {
    "session": "Session",
    "tls": "TLS and login",
    "lookup": "Look-ups",
    "diagnosis": "Diagnosis",
    "practice": "Practice",
    "keep": "Keep",
    "help": "Help and settings",
}
"""The headings under which help lists them."""


def is_local(line: str) -> bool:
    """Tell whether a line typed where a command is expected is for the program, not the server.

    `/name` and `?` are; `//...` sends a literal slash line, and everything else goes to the server.
    """
    stripped = line.strip()
    return (line.startswith("/") and not line.startswith("//")) or stripped in ("?", r"\?")


def literal(line: str) -> str:
    """Return the line to send: `//x` becomes `/x`, everything else stays as typed."""
    return line[1:] if line.startswith("//") else line


def split(line: str) -> tuple[str, str]:
    """Split a local line into the command's name (lower case) and its argument."""
    if line.strip() in ("?", r"\?"):
        return "help", ""
    name, _, argument = line[1:].strip().partition(" ")
    return name.lower(), argument.strip()


def find(name: str) -> LocalCommand:
    """Return the command of that name or of the only name that begins so.

    Raises `UsageError` with the nearest names when there is none.
    """
    if name in LOCAL:
        return LOCAL[name]
    starting = [known for known in LOCAL if name and known.startswith(name)]
    if len(starting) == 1:
        return LOCAL[starting[0]]
    from difflib import get_close_matches

    near = starting or get_close_matches(name, LOCAL, 3, 0.6)
    hint = f"Perhaps {' or '.join('/' + word for word in near)}?" if near else "Try /help."
    raise UsageError(f"there is no /{name}", next=f"{hint} //{name} sends it to the server.")


async def run(desk: Desk, line: str) -> None:
    """Run one local line; raises `SmtpshellError` for what went wrong."""
    name, argument = split(line)
    command = find(name)
    try:
        await command.load()(desk, argument)
    except UsageError as error:
        error.next = error.next or f"/help /{command.name} shows what it takes."
        raise
