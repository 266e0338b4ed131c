"""The finder: which form a line has, and which lines belong together.

Forms are tried from the most telling to the least: a log line, a line of a session, a field of a
bounce, the error text of a program, a reply somewhere in a sentence, and last a phrase such as
"Connection refused". What may be said again by a later line (an exception and its cause) is held
back for a few lines; what fails without a reply counts only when no refusal stands near, because
programs add such words to one ("could not send mail").
"""

from __future__ import annotations

import json
from collections import deque

from smtpshell.protocol.replies import Reply
from smtpshell.protocol.values import replace
from smtpshell.transcript.intake.containers import unwrapped
from smtpshell.transcript.intake.found import Found, clean, reply_of
from smtpshell.transcript.intake.logs import read_log, said_by_host
from smtpshell.transcript.intake.phrases import failure_in, place_in
from smtpshell.transcript.intake.programs import ProgramErrors
from smtpshell.transcript.intake.report import Bounce, begins_bounce, is_status_field
from smtpshell.transcript.intake.talk import (
    SERVER,
    Talk,
    is_command_line,
    is_reply_line,
    split_mark,
)
from smtpshell.transcript.intake.words import known_words

NEAR = 60
"""Lines within which a refusal explains a failure, and a repetition belongs to what it repeats."""

SOON = 8
"""Lines within which a log tells the same failure again."""

SAMPLES = 3
"""Lines that could not be read, kept to be shown."""

WORDS_TRIED = 40
"""Lines without a code that are tried as a server's words when nothing else was found."""

_FRAMES = ("at ", "#", 'File "', "raise ", "^", "... ", "thrown in ", "Stack trace", "Traceback")
"""Beginnings of lines that say where in a program something happened, not what."""

_TROUBLE = ("error", "fail", "reject", "refus", "denied", "bounce", "undeliver", "unable", "block")


class Finder:
    """Takes a text line by line and gives back what it finds, in order."""

    def __init__(self) -> None:
        self.lines = 0
        self.log_lines = 0
        self.unread = 0
        self.samples: list[tuple[int, str]] = []
        self._talk = Talk()
        self._notation = ""
        self._bounce: Bounce | None = None
        self._programs = ProgramErrors()
        self._held: deque[Found] = deque()
        self._refused_at = -NEAR
        self._said: Found | None = None
        self._found_any = False
        self._open: Found | None = None
        self._words: list[tuple[int, str]] = []
        self._after_blank = True
        self._told: dict[str, object] = {}

    def feed(self, line: str) -> list[Found]:
        """Take one line without its end; return what is settled by now."""
        self.lines += 1
        number = self.lines
        line = unwrapped(line)
        out: list[Found] = []
        if self._bounce is None and self._open is None:
            is_log, found = read_log(line, number)
            if is_log:
                self.log_lines += 1
                if found is not None:
                    self._cut_talk(out)
                    self._take(found, out)
                if self._held:
                    self._settle(number, out)
                return out
        self._read(line, number, out)
        if self._held:
            self._settle(number, out)
        return out

    def close(self) -> list[Found]:
        """Return what is left when the text has ended."""
        out: list[Found] = []
        self._end_bounce(out)
        self._end_open(out)
        self._cut_talk(out)
        self._settle(self.lines + 2 * NEAR, out)
        if not self._found_any:
            for number, line in self._words:
                if known_words(line):
                    out.append(Found(number, "words", reply_of(line)))
                    self.unread -= 1
        return out

    # --- forms ------------------------------------------------------------------------------------

    def _read(self, line: str, number: int, out: list[Found]) -> None:
        if self._bounce is not None:
            if not read_log(line, number)[0]:
                self._bounce.feed(line, number)
                if not self._bounce.done:
                    return
            self._end_bounce(out)
            is_log, found = read_log(line, number)
            if found is not None:
                self._take(found, out)
            if is_log:
                self.log_lines += 1
                return
        if self._open is not None and self._goes_on(line, out):
            return
        after_blank, self._after_blank = self._after_blank, not line.strip()
        if self._session_line(line, number, out):
            return
        self._cut_talk(out)
        if self._after_blank:
            return
        if (after_blank and begins_bounce(line)) or is_status_field(line):
            self._bounce = Bounce(line)
            self._bounce.feed(line, number)
            return
        if begins_bounce(line) and not line[:40].partition(": ")[1]:
            self._bounce = Bounce(line)
            self._bounce.feed(line, number)
            return
        if line.startswith('{"event"') and self._event(line, number, out):
            return
        self._sentence(line, number, out)

    def _session_line(self, line: str, number: int, out: list[Found]) -> bool:
        marked = split_mark(line)
        if marked is not None:
            side, words, self._notation = marked
            if side == SERVER:
                if is_reply_line(words):
                    self._say(words, number, self._notation, out)
                    return True
                return self._notation == "ours" or self._silence(line, number, out)
            if self._notation == "netsmtp" or words or self._notation != "curl":
                self._client(words, out)
            return True
        if self._talk.remark(line) or "reply: retcode (" in line or line.startswith("data: ("):
            return True
        bare = line.strip() if self._notation == "phpmailer" and self._talk.waits else line
        if is_reply_line(bare):
            self._notation = self._notation if bare is not line else ""
            self._say(bare, number, "", out)
            return True
        if self._notation == "" and self._talk.in_data:
            self._client(line, out)
            return True
        if is_command_line(line):
            self._notation = ""
            self._client(line, out)
            return True
        return False

    def _client(self, words: str, out: list[Found]) -> None:
        self._cut_talk(out)
        self._talk.client(words)

    def _cut_talk(self, out: list[Found]) -> None:
        """Pass on a reply of several lines that another kind of line cut short."""
        if self._talk.waits:
            cut = self._talk.cut()
            if cut is not None:
                self._take(cut, out)

    def _silence(self, line: str, number: int, out: list[Found]) -> bool:
        """Read "<** Timeout (3 secs) waiting for server response" in a server's place."""
        kind = failure_in(line)
        if kind:
            self._fail(Found(number, "session", None, kind, line.strip(), self._talk.place), out)
        return True

    def _say(self, words: str, number: int, source: str, out: list[Found]) -> None:
        found = self._talk.server(words, number, source and "session")
        if found is not None:
            self._take(found, out)

    def _sentence(self, line: str, number: int, out: list[Found]) -> None:
        if line.startswith("#") and self._notation == "ours" and not line.startswith("# Failed: "):
            return
        said = said_by_host(line, number)
        found = [said] if said is not None else self._programs.feed(line, number)
        for one in found:
            if one.reply is not None and one.words[3:4] == " " and f"{one.reply.code}-" in line:
                self._open = one
            else:
                self._take(one, out)
        if found:
            return
        self._complete(line)
        kind = failure_in(line)
        if kind:
            place = place_in(line) or self._talk.place
            self._fail(Found(number, "program", None, kind, line.strip()[:500], place), out)
            return
        self.unread += 1
        if not self._found_any and len(self._words) < WORDS_TRIED:
            self._words.append((number, line[:1_000]))
        if line.lstrip().startswith(_FRAMES):
            return
        if len(self.samples) < SAMPLES and any(word in line.lower() for word in _TROUBLE):
            self.samples.append((number, line[:200]))

    def _complete(self, line: str) -> None:
        """Add to a held find what a line of its dump tells: nodemailer's fields."""
        name, colon, value = line.strip().partition(": '")
        if not colon or not self._held:
            return
        value = value.rstrip("',")
        more: dict[str, object] = {}
        if name == "command":
            word = value.upper().split(" ")[0]
            more["verb"] = {"CONN": "CONNECT", "DATA": None}.get(word, word)
        elif name == "recipient":
            more["refused"] = (value,)
        self._held[-1] = self._held[-1].with_facts(clean(more))

    def _event(self, line: str, number: int, out: list[Found]) -> bool:
        """Read a line of our own `--json` output."""
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return False
        if not isinstance(event, dict):
            return False
        match event.get("event"):
            case "connected":
                self._told = clean(
                    {
                        "host": str(event.get("target") or ""),
                        "port": _number(event.get("port")),
                        "tls": event.get("tls") is True or None,
                    }
                )
            case "tls":
                self._told = {**self._told, "tls": True}
            case "reply":
                lines = event.get("lines")
                texts = tuple(str(text) for text in lines) if isinstance(lines, list) else ()
                verb = event.get("command") or (None if event.get("unasked") else "CONNECT")
                early = verb is None and "early" in str(event.get("flaws"))
                verb = "MESSAGE" if verb == "." or early else verb
                facts = clean({**self._told, "verb": verb, "early": "message" if early else ""})
                reply = Reply(_number(event.get("code")), texts)
                self._take(Found(number, "session", reply, facts=facts), out)
            case "failed":
                what = str(event.get("what") or "")
                kind = failure_in(what) or "failed"
                self._fail(Found(number, "session", None, kind, what, self._told), out)
            case _:
                pass
        return True

    # --- what belongs together --------------------------------------------------------------------

    def _goes_on(self, line: str, out: list[Found]) -> bool:
        """Add the lines "535-..." and "535 ..." that follow one which began a longer reply."""
        found = self._open
        assert found is not None
        assert found.reply is not None
        code = str(found.reply.code)
        text = line.strip()
        if not text.startswith(code) or text[3:4] not in (" ", "-"):
            self._end_open(out)
            return False
        reply = Reply(found.reply.code, (*found.reply.lines, text[4:].strip())[:100])
        self._open = replace(found, reply=reply)
        if text[3] == " ":
            self._end_open(out)
        return True

    def _end_open(self, out: list[Found]) -> None:
        found, self._open = self._open, None
        if found is not None:
            self._take(found, out)

    def _end_bounce(self, out: list[Found]) -> None:
        bounce, self._bounce = self._bounce, None
        if bounce is None:
            return
        self._after_blank = True
        for found in bounce.close():
            self._take(found, out)

    def _take(self, found: Found, out: list[Found]) -> None:
        """Pass a find on, or let it wait while what stands before it is not settled."""
        self._found_any = True
        if found.reply is None:
            self._fail(found, out)
            return
        if found.is_refusal:
            if self._said and found.source in _REPEATED and self._is_said(found):
                return
            self._refused_at = found.line
            self._forget_failures(found.line)
            self._said = found if found.source == "session" else None
        if found.repeats:
            for place, held in enumerate(self._held):
                if _says_again(found, held):
                    self._held[place] = held.with_facts(found.facts)
                    return
        if self._held or found.source in _REPEATED:
            self._held.append(found)
        else:
            out.append(found)

    def _is_said(self, found: Found) -> bool:
        """Tell whether a program only repeats what the session above it shows."""
        said = self._said
        if said is None or found.line - said.line > NEAR:
            return False
        bare = found.reply is not None and said.reply is not None and not found.reply.text
        if bare and found.reply is not None and said.reply is not None:
            return found.reply.code == said.reply.code
        return _says_again(found, said)

    def _fail(self, found: Found, out: list[Found]) -> None:
        """Let a failure wait; of several near each other the most telling is kept."""
        self._found_any = True
        logged = found.source not in ("program", "session")
        for place, held in enumerate(self._held):
            near = held.reply is None and found.line - held.line <= NEAR
            if near and (not logged or (found.repeats and found.failure == held.failure)):
                better = _SURE.get(found.failure, 1) > _SURE.get(held.failure, 1)
                first, second = (found, held) if better else (held, found)
                self._held[place] = replace(first.with_facts(second.facts), line=held.line)
                return
        adds_nothing = found.failure in _ADDED and found.line - self._refused_at <= NEAR
        if adds_nothing and not logged:
            return
        self._held.append(found)

    def _forget_failures(self, number: int) -> None:
        """Drop the failures that a refusal near them explains better."""
        for held in [one for one in self._held if one.reply is None]:
            own = held.source in ("program", "session") and held.failure in _ADDED
            if own and number - held.line <= NEAR:
                self._held.remove(held)

    def _settle(self, number: int, out: list[Found]) -> None:
        """Let go of what can no longer be repeated or explained by a refusal."""
        held = self._held
        while held:
            reach = NEAR if held[0].source in _REPEATED else SOON
            if held[0].reply is not None and held[0].source not in _REPEATED:
                reach = -1
            if number - held[0].line <= reach:
                return
            out.append(held.popleft())


_ADDED = frozenset(
    ("login-failed", "no-auth", "no-starttls", "tls-failed", "closed", "failed", "timeout")
)
"""Failures that programs tell of beside the refusal that led to them."""

_REPEATED = frozenset(("program", "smtplib", "log"))
"""Sources whose texts may say the same again."""

_SURE = {"failed": 0, "filtered": 0, "timeout": 0, "closed": 0, "tls-failed": 0}
"""Kinds of failure that a more telling one near them replaces."""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _says_again(found: Found, held: Found) -> bool:
    if found.reply is None or held.reply is None or found.reply.code != held.reply.code:
        return False
    one, other = found.words[:200], held.words[:200]
    return one.startswith(other[:60]) or other.startswith(one[:60])
