"""What the teacher sees of a room that is open: who sits where, and what is worth an eye.

The server prints it, and tells it to whoever watches in another terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from smtpshell.protocol.text import visible
from smtpshell.tutor.classroom.asking import socket_path
from smtpshell.tutor.classroom.ports import overview, places_of
from smtpshell.tutor.classroom.watching import Watch, clock_of

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings
    from smtpshell.practice.scenario import Scenario
    from smtpshell.tutor.classroom.room import Room, RoomLog
    from smtpshell.tutor.lesson import Lesson


PUBLIC = "A domain is a name and no password"


class Desk:
    """The teacher's desk: takes in the records of a room, prints lines, keeps the log."""

    def __init__(self, settings: Settings, log: RoomLog | None) -> None:
        self._settings = settings
        self._log = log
        self._watch = Watch()
        self._said = ""
        self.watchers: set[Callable[[str], None]] = set()
        """Whoever is told each line too, in another terminal."""

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Take in a record of the room."""
        self._keep(record)
        line = self._watch.note(record)
        if self._settings.json:
            self._object(record)
        if line:
            self._timed(line)

    def opened(
        self, room: Room, scenario: Scenario, lesson: Lesson | None, *, controlled: bool
    ) -> None:
        """Tell who sits where."""
        steps = len(lesson.steps) if lesson is not None else 0
        record = {"at": round(time.time(), 3), "event": "opened", "steps": steps}
        self._watch.note(record)
        self._keep(record)
        places = places_of(room)
        if self._settings.json:
            for place in places:
                self._object(place)
            return
        for line in overview(places, projected=True):
            self._line(line)
        logins = ", ".join(f"{user.name} / {user.password}" for user in scenario.users)
        if logins:
            self._line(f"# Published logins: {logins}.")
        secret = "Give each student's domain to its owner alone" if room.keys.secret else PUBLIC
        self._line(f"# {secret}: whoever says it is in that student's world.")
        self._line(
            "# HELP CLASS, PORTS, MAILBOX, DNS and DEMO answer students. Nothing is relayed."
        )
        if lesson is not None:
            self._line(
                "# Should this server be lost, students go on alone, with the same variants: "
                f"SMTPSHELL_STUDENT=ID smtpshell lesson {lesson.id}"
            )
        if not controlled:
            self._line(
                "# This server hears no say, pause or reset: another one runs here, or no socket "
                f"can be made at {socket_path()}."
            )
        else:
            self._line("# In another terminal: smtpshell classroom say, pause, demo, reset, ports.")
        self._line("# Ctrl-C stops the server.")

    def _keep(self, record: Mapping[str, Any]) -> None:
        """Write to the log; where that fails the class goes on without it."""
        if self._log is None:
            return
        try:
            self._log(record)
        except OSError as error:
            self._log = None
            self._timed(f"Trouble: the log cannot be written any more: {error.strerror}.")

    def summary(self) -> str:
        """Return where everybody is, in one line."""
        return self._watch.summary(time.time())

    def sum_up(self) -> None:
        """Tell where everybody is, if that is news."""
        for line in self._watch.newly_stuck(time.time()):
            self._timed(line)
        summary = self.summary()
        if summary != self._said:
            self._timed(summary)
        self._said = summary

    def _timed(self, text: str) -> None:
        line = visible(f"{clock_of(time.time())} {text}", ascii_only=self._settings.plain)
        for watcher in tuple(self.watchers):
            watcher(line)
        if not self._settings.json:
            self._line(line)

    def _line(self, text: str) -> None:
        print(visible(text, ascii_only=self._settings.plain), flush=True)

    def _object(self, facts: Mapping[str, Any]) -> None:
        from smtpshell.transcript.jsonl import as_json

        print(as_json(dict(facts)), flush=True)
