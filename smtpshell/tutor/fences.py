"""The fences of a lesson: `smtp`, `hint`, `ask`, `feedback`, `check` and `teacher`, each read.

A reader takes the numbered lines of a fence, the line that it opens on, what stands behind its
kind, and a function to complain to; it returns the block it can make of what is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from smtpshell.tutor.lesson import (
    EVENTS,
    Action,
    Alternative,
    Answer,
    Ask,
    Block,
    Check,
    Client,
    Condition,
    Directive,
    Exchange,
    Expected,
    Feedback,
    Hint,
    Reaction,
    Rule,
    Smtp,
    Teacher,
    Tool,
    WireEvent,
)

Numbered = list[tuple[int, str]]
Complain = Callable[[int, str], None]

DIRECTIVES: dict[str, tuple[str, str, str]] = {
    "connect": (r"(\S+)?", "[HOST:PORT]", "connect, to a door of this world"),
    "starttls": (r"", "", "start TLS"),
    "close": (r"", "", "drop the connection"),
    "clock": (r"\+\d{1,6}(ms|s|m|h|d)", "+6m", "move the practice clock"),
    "drip": (r"\d{1,6}(ms|s|m|h|d)", "200ms", "the next reply comes one octet at a time"),
    "needs": (
        r"[A-Za-z0-9][A-Za-z0-9-]*",
        "KEYWORD",
        "skip the rest of a step without the keyword",
    ),
}
"""The directives: what may stand behind each as an expression, how to write that, and what it does.
"""

NOT_IN_LESSONS = ("bdat", "data", "lesson", "quit", "save", "send", "set")
"""Commands that a lesson does not run: with them its file could read and write other files."""

OPERATORS = ("==", "!=", "<", ">", "includes", "contains", "matches", "exists", "empty")
WITHOUT_OPERAND = ("exists", "empty")
SUBJECTS: dict[str, str] = {
    "reply.code": "",
    "reply.enhanced": "",
    "reply.text": "",
    "session.tls": "",
    "session.auth": "",
    "session.verbs": "",
    "session.helo": "",
    "envelope.from": "",
    "envelope.to": "",
    "header": "FIELD",
    "body": "",
    "raw": "",
    "delivered": "ADDRESS",
    "spf": "",
    "dkim": "",
    "dmarc": "",
    "elapsed": "",
    "var": "NAME",
}
"""What a check may be about, and the argument that some subjects take."""

_CLIENT = re.compile(r"C([:=~])(?: (.*))?")
_REPLY = re.compile(r"S: ([2-5][0-9]{2})([ -])(.*)")
_BARE = re.compile(r"S: ([2-5][0-9]{2})")
_EVENT = re.compile(r"S: <([a-z]+)>")


class _Wire:
    """Collects the lines of a wire fence into exchanges."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self.actions: list[Action] = []
        self._clients: list[Client] = []
        self._reactions: list[Reaction] = []
        self._alternatives: list[Alternative] = []
        self._pending: list[str] = []
        self._pending_code = 0
        self._pending_line = 0
        self._began = 0
        self._in_alternative = False

    def take(self, number: int, line: str) -> None:
        """Take one line of the fence."""
        if line.startswith("C| "):
            self._alternative(number, line[3:])
        elif match := _CLIENT.fullmatch(line):
            self._client(Client(match[1], match[2] or "", number))
        elif line.startswith("S"):
            self._server(number, line)
        elif line.startswith("$ "):
            self.end()
            self._tool(line[2:].strip(), number)
        elif line.startswith("> "):
            self._output(number, line[2:])
        elif line.startswith("@"):
            self._directive(number, line[1:])
        elif line.strip() and not line.startswith("# "):
            self._complain(number, f"{line!r} begins with none of C: C= C~ C| S: $ > @ #")

    def _client(self, client: Client) -> None:
        if self._in_alternative and not self._alternatives[-1].reactions:
            last = self._alternatives.pop()
            self._alternatives.append(
                Alternative((*last.clients, client), last.reactions, last.line)
            )
            return
        if self._reactions or self._in_alternative:
            self.end()
        self._begin(client.line)
        self._clients.append(client)

    def _begin(self, line: int) -> None:
        self._began = self._began or line

    def _alternative(self, number: int, text: str) -> None:
        self._end_reply(number)
        if not self._reactions:
            self._complain(number, "'C|' stands behind the replies of the first branch")
        self._in_alternative = True
        self._alternatives.append(Alternative((Client(":", text, number),), (), number))

    def _server(self, number: int, line: str) -> None:
        if line == "S: ...":
            if not self._pending_code:
                self._complain(number, "'S: ...' ends a reply that began with 'S: CODE-'")
            self._finish(open_=True)
        elif event := _EVENT.fullmatch(line):
            if event[1] not in EVENTS:
                known = ", ".join(f"<{name}>" for name in EVENTS)
                self._complain(number, f"<{event[1]}> is none of {known}")
            self._react(WireEvent(event[1], number))
        elif reply := _REPLY.fullmatch(line):
            self._reply_line(number, int(reply[1]), reply[2], reply[3])
        elif bare := _BARE.fullmatch(line):
            self._reply_line(number, int(bare[1]), " ", "*")
        else:
            self._complain(number, "a reply is 'S: CODE text', 'S: CODE-text' or 'S: ...'")

    def _reply_line(self, number: int, code: int, separator: str, pattern: str) -> None:
        if self._pending_code and code != self._pending_code:
            self._complain(number, f"the reply began with {self._pending_code}")
        if not self._pending_code:
            self._pending_line = number
        self._pending_code = code
        self._pending.append(pattern)
        if separator == " ":
            self._finish(open_=False)

    def _finish(self, *, open_: bool) -> None:
        if self._pending_code:
            reply = Expected(self._pending_code, tuple(self._pending), self._pending_line, open_)
            self._pending, self._pending_code = [], 0
            self._react(reply)

    def _react(self, reaction: Reaction) -> None:
        self._begin(reaction.line)
        if self._in_alternative:
            last = self._alternatives.pop()
            self._alternatives.append(
                Alternative(last.clients, (*last.reactions, reaction), last.line)
            )
        else:
            self._reactions.append(reaction)

    def _end_reply(self, number: int) -> None:
        if self._pending_code:
            self._complain(number, "the reply before has no last line ('S: CODE text' or 'S: ...')")
            self._pending, self._pending_code = [], 0

    def _output(self, number: int, pattern: str) -> None:
        last = self.actions[-1] if self.actions else None
        if not isinstance(last, Tool) or self._began:
            self._complain(number, "'> ' stands behind '$ COMMAND'")
            return
        self.actions[-1] = Tool(last.command, (*last.output, pattern), last.line)

    def _directive(self, number: int, text: str) -> None:
        self.end()
        name, _, argument = text.partition(" ")
        if name not in DIRECTIVES:
            known = ", ".join(f"@{known}" for known in DIRECTIVES)
            self._complain(number, f"@{name} is none of {known}")
            return
        form, example, _ = DIRECTIVES[name]
        if not re.fullmatch(form, argument.strip()):
            right = f"@{name} {example}".strip()
            self._complain(number, f"@{name} cannot take {argument.strip()!r}; write {right}")
        else:
            self.actions.append(Directive(name, argument.strip(), number))

    def _tool(self, command: str, number: int) -> None:
        name = command.lstrip("/").partition(" ")[0].casefold()
        if name in NOT_IN_LESSONS:
            self._complain(number, f"a lesson may not run /{name}: that reaches beyond the lesson")
        self.actions.append(Tool(command, (), number))

    def end(self) -> None:
        """End the exchange that is being collected."""
        if self._began:
            self._end_reply(self._began)
            if not self._reactions:
                self._complain(self._began, "the client's lines get no reply ('S: ...' is missing)")
            else:
                self.actions.append(
                    Exchange(
                        tuple(self._clients),
                        tuple(self._reactions),
                        tuple(self._alternatives),
                        self._began,
                    )
                )
        self._clients, self._reactions, self._alternatives = [], [], []
        self._began = 0
        self._in_alternative = False


def _smtp(lines: Numbered, began: int, _argument: str, complain: Complain) -> Block:
    wire = _Wire(complain)
    for number, line in lines:
        wire.take(number, line.rstrip() if not line.startswith("C") else line)
    wire.end()
    if not wire.actions:
        complain(began, "the fence is empty")
    return Smtp(tuple(wire.actions), began, "\n".join(line for _, line in lines))


def _hint(lines: Numbered, began: int, _argument: str, complain: Complain) -> Block:
    texts: list[str] = []
    for number, line in lines:
        match = re.fullmatch(r"(\d+)\. (.+)", line)
        if match is not None:
            if int(match[1]) != len(texts) + 1:
                complain(number, f"hint {match[1]} stands where {len(texts) + 1} belongs")
            texts.append(match[2].strip())
        elif line.startswith("   ") and texts:
            texts[-1] += " " + line.strip()
        elif line.strip():
            complain(number, "a hint is 'NUMBER. text'")
    if not texts:
        complain(began, "there is no hint")
    return Hint(tuple(texts), began)


def _with_says(text: str) -> tuple[str, str]:
    """Split "answer : what to say"."""
    match = re.fullmatch(r"(.*?)\s+: (.*)", text)
    return (match[1].strip(), match[2].strip()) if match else (text.strip(), "")


def _whole_answers(lines: Numbered) -> Numbered:
    """Return the lines of a question, answers joined with the indented lines that go on."""
    whole: Numbered = []
    for number, line in lines:
        if whole and re.match(r"[=!~] |\([x ]\) ", whole[-1][1]) and line.startswith("  "):
            whole[-1] = (whole[-1][0], f"{whole[-1][1]} {line.strip()}".rstrip())
        else:
            whole.append((number, line))
    return whole


def _ask(lines: Numbered, began: int, argument: str, complain: Complain) -> Block:
    question: list[str] = []
    answers: list[Answer] = []
    words = 0
    if not re.fullmatch(r"[a-z][a-z0-9-]*", argument):
        complain(began, "a question needs an id: ```ask ID")
    for number, line in _whole_answers(lines):
        if line.startswith("= "):
            answers.append(Answer("=", line[2:].strip(), "", number))
        elif line.startswith("! "):
            text, says = _with_says(line[2:])
            if not says:
                complain(number, "a foreseen wrong answer says something: '! glob : text'")
            answers.append(Answer("!", text, says, number))
        elif match := re.fullmatch(r"\(([x ])\) (.+)", line):
            answers.append(Answer(match[1], *_with_says(match[2]), number))
        elif match := re.fullmatch(r"~ (\d+) words", line):
            words = int(match[1])
        elif answers and line.strip():
            complain(number, "an answer begins with = ! (x) ( ) or ~")
        elif line.strip():
            question.append(line.strip())
    if not question:
        complain(began, "the question has no text")
    right = any(answer.kind in "=x" for answer in answers)
    if not right and not words:
        complain(began, "the question has no right answer")
    return Ask(argument, tuple(question), tuple(answers), began, words)


def _feedback(lines: Numbered, began: int, _argument: str, complain: Complain) -> Block:
    rules: list[Rule] = []
    for number, line in lines:
        match = re.fullmatch(r"([CS]) (.*?)\s+: (.+)", line)
        if match is not None:
            rules.append(Rule(match[1], match[2].strip(), match[3].strip(), number))
        elif line.startswith("  ") and line.strip() and rules:
            last = rules.pop()
            rules.append(Rule(last.side, last.glob, f"{last.text} {line.strip()}", last.line))
        elif line.strip():
            complain(number, "feedback is 'C glob : text' or 'S glob : text'")
    if not rules:
        complain(began, "there is no feedback")
    return Feedback(tuple(rules), began)


def _check(lines: Numbered, began: int, _argument: str, complain: Complain) -> Block:
    conditions = [
        condition
        for number, line in lines
        if line.strip()
        for condition in [_condition(number, line, complain)]
        if condition is not None
    ]
    if not conditions:
        complain(began, "there is no condition")
    return Check(tuple(conditions), began)


def _condition(number: int, line: str, complain: Complain) -> Condition | None:
    rule, _, message = line.partition(" -- ")
    words = rule.split()
    subject = words.pop(0)
    if subject not in SUBJECTS:
        complain(number, f"{subject!r} is nothing that can be checked")
        return None
    argument = words.pop(0) if SUBJECTS[subject] and words else ""
    if subject == "delivered" and words[:1] == ["count"]:
        subject = "delivered count"
        words.pop(0)
    if words[:1] == ["is"]:
        words.pop(0)
    negated = words[:1] == ["not"]
    if negated:
        words.pop(0)
    operator = words.pop(0) if words else ""
    operand = " ".join(words)
    if operator not in OPERATORS:
        complain(number, f"{operator!r} is none of {' '.join(OPERATORS)}")
        return None
    if (operator in WITHOUT_OPERAND) != (not operand):
        complain(number, f"{operator} takes {'no' if operand else 'a'} value")
        return None
    return Condition(subject, argument, negated, operator, operand, message.strip(), number)


def _teacher(lines: Numbered, began: int, _argument: str, _complain: Complain) -> Block:
    return Teacher(tuple(line for _, line in lines), began)


READERS: dict[str, Callable[[Numbered, int, str, Complain], Block]] = {
    "smtp": _smtp,
    "hint": _hint,
    "ask": _ask,
    "feedback": _feedback,
    "check": _check,
    "teacher": _teacher,
}
"""The fences with a meaning; all others are prose."""
