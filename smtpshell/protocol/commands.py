"""Typed lines, read as commands.

`Command.parse` reads what somebody typed and never raises: it takes what it can and puts what it
thinks of the rest into `problems`, in words. What is typed is what is sent, so a problem is a
remark, not a refusal.
"""

from __future__ import annotations

from smtpshell.protocol import grammar
from smtpshell.protocol.parameters import PARAMETERS, Parameter
from smtpshell.protocol.text import encode
from smtpshell.protocol.values import dataclass
from smtpshell.protocol.verbs import VERBS, Verb

__all__ = ["PARAMETERS", "VERBS", "Command", "Parameter", "Verb"]

LINE_ALLOWED = 512
"""Octets of a command line with its CRLF (RFC 5321 section 4.5.3.1.4)."""

AUTH_LINE_ALLOWED = 12_288
"""Octets of an AUTH line or of an answer to a 334 (RFC 4954 section 4)."""


@dataclass(frozen=True, slots=True)
class Command:
    """One typed line, read as a command.

    `line` is the line without its line end. `verb` is in upper case and "" when there is none.
    `argument` is what stands behind the verb, stripped. `address` is the path of a verb that takes
    one, without brackets and source route ("" is the null reverse-path, None no path found).
    `parameters` are keyword (upper case) and value (None without "=") behind the path, or behind
    the verb where it takes only parameters. `known` tells whether the verb stands in `VERBS`.
    `problems` are remarks about the form, in words.
    """

    line: str
    verb: str = ""
    argument: str = ""
    address: str | None = None
    parameters: tuple[tuple[str, str | None], ...] = ()
    known: bool = False
    problems: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words behind the verb."""
        return tuple(self.argument.split())

    def parameter(self, keyword: str) -> str | None:
        """Return a parameter's value; "" when it stands without one, None when it is absent."""
        for name, value in self.parameters:
            if name == keyword.upper():
                return value or ""
        return None

    @classmethod
    def parse(cls, line: str) -> Command:
        """Read a line as a command; whatever the line is, a `Command` comes back.

        >>> command = Command.parse("mail FROM: <ann@client.example> size=100")
        >>> command.verb, command.address, command.parameters
        ('MAIL', 'ann@client.example', (('SIZE', '100'),))
        >>> command.problems
        ('no space belongs behind FROM:',)
        """
        line = line.removesuffix("\n").removesuffix("\r")
        word, _, rest = line.strip(" \t").replace("\t", " ").partition(" ")
        name = word.upper()
        verb = VERBS.get(name)
        argument = rest.strip()
        problems = _line_problems(line)
        address: str | None = None
        parameters: tuple[tuple[str, str | None], ...] = ()
        if verb is None and ":" in word:
            name, verb, argument = _split_glued(word, argument, problems) or (name, verb, argument)
        if verb is not None and verb.lead:
            address, tail = _read_path(verb, argument, problems)
            parameters = _read_parameters(tail, problems)
        elif verb is not None and verb.arguments == ("parameter",):
            parameters = _read_parameters(argument, problems)
        if verb is not None:
            _argument_problems(verb, argument, problems)
        _length_problem(line, verb, parameters, problems)
        return cls(line, name, argument, address, parameters, verb is not None, tuple(problems))


def _line_problems(line: str) -> list[str]:
    problems = []
    if line[:1] in {" ", "\t"}:
        problems.append("a command begins at the start of the line, without a space")
    if line[-1:] in {" ", "\t"} and line.strip(" \t"):
        problems.append("a space stands at the end of the line")
    if not line.strip(" \t"):
        problems.append("the line is empty")
    if any(character < " " and character != "\t" for character in line):
        problems.append("the line holds control characters")
    if "\t" in line:
        problems.append("a tab stands where the grammar wants a space")
    return problems


def _split_glued(word: str, rest: str, problems: list[str]) -> tuple[str, Verb, str] | None:
    """Read "MAILFROM:<a@b>", which some clients send, as the verb and its argument."""
    upper = word.upper()
    for verb in VERBS.values():
        if verb.lead and upper.startswith(verb.name + verb.lead):
            problems.append(f"a space belongs between {verb.name} and {verb.lead}")
            return verb.name, verb, f"{word[len(verb.name) :]} {rest}".strip()
    return None


def _read_path(verb: Verb, argument: str, problems: list[str]) -> tuple[str | None, str]:
    """Return the address in an argument such as "FROM:<a@b> SIZE=1" and what stands behind it."""
    lead = verb.lead.removesuffix(":")
    rest = argument
    if rest[: len(lead)].upper() == lead and rest[len(lead) :].lstrip()[:1] == ":":
        if rest[len(lead)] == " ":
            problems.append(f"no space belongs between {lead} and the colon")
        rest = rest.partition(":")[2]
        if rest.startswith(" ") and rest.strip():
            problems.append(f"no space belongs behind {verb.lead}")
    elif rest:
        problems.append(f"{verb.lead} is missing before the address")
        if rest[: len(lead) + 1].upper() == lead + " ":
            rest = rest[len(lead) + 1 :]
    rest = rest.strip()
    if not rest:
        if argument:
            problems.append("the address is missing")
        return None, ""
    if rest.startswith("<"):
        return _read_bracketed(verb, rest, problems)
    problems.append("the address belongs between < and >")
    address, _, tail = rest.partition(" ")
    return address.strip("<>"), tail


def _read_bracketed(verb: Verb, rest: str, problems: list[str]) -> tuple[str, str]:
    end = _closing_bracket(rest)
    if end < 0:
        problems.append("the closing > is missing")
        address, _, tail = rest[1:].partition(" ")
    else:
        address, tail = rest[1:end], rest[end + 1 :]
        if tail and not tail.startswith(" "):
            problems.append("a space belongs between > and the parameters")
    if address.startswith("@") and ":" in address:
        problems.append(
            "a source route stands before the address (obsolete, RFC 5321 appendix F.2)"
        )
        address = address.partition(":")[2]
    address = address.strip()
    if address:
        problem = grammar.mailbox_problem(address)
        if problem:
            problems.append(problem)
    elif verb.name == "RCPT":
        problems.append("a recipient cannot be empty")
    return address, tail


def _closing_bracket(text: str) -> int:
    """Return the index of the > that closes a path, passing over a quoted local part."""
    quoted = escaped = False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == ">" and not quoted:
            return index
    return text.find(">")


def _read_parameters(text: str, problems: list[str]) -> tuple[tuple[str, str | None], ...]:
    found: list[tuple[str, str | None]] = []
    for word in text.split():
        keyword, equals, value = word.partition("=")
        if not grammar.matches(grammar.ESMTP_PARAMETER_UTF8, word):
            problems.append(f"{keyword or word} is not a well-formed parameter (KEYWORD=value)")
        keyword = keyword.upper()
        if any(keyword == earlier for earlier, _ in found):
            problems.append(f"{keyword} is given twice")
        found.append((keyword, value if equals else None))
    return tuple(found)


def _argument_problems(verb: Verb, argument: str, problems: list[str]) -> None:
    words = argument.split()
    if len(words) < verb.required:
        problems.append(f"an argument is missing: {verb.syntax}")
        return
    if words and not verb.arguments:
        problems.append(f"{verb.name} takes no argument")
    if words and verb.name in ("EHLO", "HELO", "LHLO"):
        problem = grammar.domain_problem(words[0])
        if problem:
            problems.append(problem)
    if verb.name == "BDAT" and words and not (words[0].isascii() and words[0].isdigit()):
        problems.append("BDAT wants a number of octets")
    if verb.name in ("BDAT", "BURL") and len(words) > 1 and words[1].upper() != "LAST":
        problems.append("only LAST may follow")


def _length_problem(
    line: str,
    verb: Verb | None,
    parameters: tuple[tuple[str, str | None], ...],
    problems: list[str],
) -> None:
    allowed = AUTH_LINE_ALLOWED if verb and verb.name == "AUTH" else LINE_ALLOWED
    rows = (PARAMETERS.get((verb.name, keyword)) for keyword, _ in parameters) if verb else ()
    allowed += sum({row.extension: row.octets for row in rows if row is not None}.values())
    octets = len(encode(line)) + len("\r\n")
    if octets > allowed:
        problems.append(f"the line has {octets} octets with its CRLF; {allowed} are allowed")
