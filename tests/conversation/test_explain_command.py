"""`smtpshell explain`: what it finds, shows and returns."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smtpshell.conversation.explain_command import _Progress, main
from smtpshell.conversation.local import LOCAL
from smtpshell.conversation.settings import Settings
from smtpshell.protocol.errors import FileError, UsageError
from smtpshell.protocol.verbs import VERBS
from smtpshell.transcript.intake.records import KEYS
from tests.conversation.running import smtpshell

SAMPLES = Path(__file__).parents[1] / "knowledge" / "samples"
RELAY = "554 5.7.1 <zoe@elsewhere.example>: Relay access denied"


def objects(text: str) -> list[dict[str, object]]:
    """Return JSON lines as objects."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(autouse=True)
def _no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the width that a test runner sets from what is shown."""
    monkeypatch.delenv("COLUMNS", raising=False)


def test_one_reply_is_explained_at_length(capsys) -> None:
    """The verdict stands first; causes and commands to run follow."""
    assert main([RELAY, "--command", "RCPT"], Settings()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("554 5.7.1  Refused for good: ")
    assert "elsewhere.example" in lines[0]
    assert any("Likely causes" in line for line in lines)
    assert any("mynetworks" in line for line in lines)
    assert any("check with  /" in line for line in lines)


def test_json_has_the_keys_of_the_contract(capsys) -> None:
    """One object for each reply, in order, each with every key."""
    assert main(["--json", "550 5.1.1 User unknown\n451 4.7.1 Greylisted\n250 ok"], Settings()) == 0
    told = objects(capsys.readouterr().out)
    assert [one["class"] for one in told] == ["user_unknown", "greylisted", "ok"]
    assert [one["code"] for one in told] == [550, 451, 250]
    assert [one["line"] for one in told] == [1, 2, 3]
    assert all(one.keys() >= set(KEYS) for one in told)


def test_line_ends_may_be_written_out(capsys) -> None:
    r"""A reply of several lines can be given on one, with its line ends as \n or \r\n."""
    assert main(["--json", r"550-5.1.1 No such user\r\n550 5.1.1 here\n451 later"], Settings()) == 0
    assert [one["text"] for one in objects(capsys.readouterr().out)] == [
        "550 5.1.1 No such user 5.1.1 here",
        "451 later",
    ]


def test_words_on_the_command_line_are_one_text(capsys) -> None:
    """Quotes may be left out."""
    assert main(["--json", *["550", "5.1.1", "User", "unknown"]], Settings()) == 0
    assert objects(capsys.readouterr().out)[0]["class"] == "user_unknown"


def test_the_command_changes_the_meaning(capsys) -> None:
    """--command gives what a code alone leaves open."""
    meanings = []
    for command in ("MAIL", "RCPT"):
        assert main(["--json", "--command", command, "250 2.1.0 Ok"], Settings()) == 0
        meanings.append(objects(capsys.readouterr().out)[0]["meaning"])
    assert meanings[0] != meanings[1]


def test_facts_of_the_session_are_used(capsys) -> None:
    """Host, port and banner given as options reach causes, commands and the speaker."""
    words = ["--json", "--host", "mx.b.example", "--port", "25", "--tls", "no", "--banner"]
    words += ["mx.b.example ESMTP Postfix", "--user", "ann", "--sender", "ann@a.example"]
    assert (
        main(
            [*words, "--recipient", "zoe@elsewhere.example", "554 5.7.1 Relay access denied"],
            Settings(),
        )
        == 0
    )
    told = objects(capsys.readouterr().out)[0]
    assert told["software"] == "postfix"
    assert told["recipient"] == "zoe@elsewhere.example"
    assert "mx.b.example" in json.dumps(told["next"]) + json.dumps(told["causes"])


def test_standard_input_is_read() -> None:
    """Without a text, and with -, the text comes from standard input."""
    for words in ([], ["-"], ["--file", "-"]):
        run = smtpshell("explain", "--json", *words, stdin=RELAY + "\n")
        assert run.status == 0, run.err
        assert run.objects[0]["class"] == "relay_denied"


def test_a_bounce_gives_one_object(capsys) -> None:
    """A whole bounce message is one reply, with recipient and command."""
    assert (
        main(["--json", "--file", str(SAMPLES / "postfix" / "unknown-user.eml")], Settings()) == 0
    )
    told = objects(capsys.readouterr().out)
    assert [(one["class"], one["command"], one["recipient"]) for one in told] == [
        ("user_unknown", "RCPT", "nobody@exim.example")
    ]


def test_a_log_gives_a_line_for_each_refusal(capsys) -> None:
    """Many replies take a line each, with the place in the text; --long tells all of each."""
    log = str(SAMPLES / "postfix" / "mail.log")
    assert main(["--file", log], Settings()) == 0
    short = capsys.readouterr().out.splitlines()
    assert short[0].startswith("68:")
    assert "user_unknown" in short[0]
    assert "--long" in short[-1]
    assert main(["--file", log, "--long"], Settings()) == 0
    long = capsys.readouterr().out
    assert long.count("Likely causes") == len(short) - 2


def test_replies_that_said_yes_are_left_out_unless_wanted(capsys) -> None:
    """In a session the one refusal is what matters; --all lists the others too."""
    session = str(SAMPLES / "programs" / "swaks" / "relay-denied.txt")
    assert main(["--file", session], Settings()) == 0
    out = capsys.readouterr().out
    assert out.startswith("554 5.7.1  Refused for good")
    assert "Replies that said yes: 4" in out
    assert main(["--file", session, "--all"], Settings()) == 0
    assert "220" in capsys.readouterr().out
    assert main(["250 2.1.5 Ok"], Settings()) == 0
    assert capsys.readouterr().out.startswith("250 2.1.5 ")


def test_only_one_class(capsys) -> None:
    """--only shows what is asked for; several may be named."""
    log = str(SAMPLES / "exim" / "mail.log")
    assert main(["--json", "--only", "relay_denied,tls", "--file", log], Settings()) == 0
    assert {one["class"] for one in objects(capsys.readouterr().out)} == {"relay_denied", "tls"}


def test_a_summary_counts(capsys) -> None:
    """Classes by number, texts that differ in addresses alone counted as one."""
    log = str(SAMPLES / "exim" / "mail.log")
    assert main(["--summary", "--file", log], Settings()) == 0
    first, second, *_, last = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["21", "mailbox_disabled"]
    assert second.split(None, 1) == ["21", "451 mailbox is locked, try again later"]
    assert "104 lines" in last
    assert main(["--summary", "--json", "--file", log], Settings()) == 0
    told = objects(capsys.readouterr().out)
    assert told[0]["class"] == "mailbox_disabled"
    assert told[0]["count"] == 21


def test_nothing_found(capsys) -> None:
    """Text without a reply ends with 1 and says what could not be read, and what to give."""
    assert main(["the delivery was rejected because we felt like it, so there"], Settings()) in (
        0,
        1,
    )
    capsys.readouterr()
    assert main(["hello, world"], Settings()) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "no reply was found in 1 line" in said.err


def test_unread_lines_are_told(capsys) -> None:
    """Beside what was explained it says how much was not read."""
    assert main(["550 5.1.1 User unknown\nfoo\nbar"], Settings()) == 0
    assert "2 lines held nothing that could be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "error", "status"),
    [
        (["--only", "nonsense", "550 no"], UsageError, 1),
        (["--port", "x", "550 no"], UsageError, 1),
        (["--file", "a", "550 no"], UsageError, 1),
        (["--no-such-option"], UsageError, 1),
        (["--file", "/nonexistent/mail.log"], FileError, 10),
        (["--file", "/"], FileError, 10),
    ],
)
def test_mistakes_are_told(words: list[str], error: type[Exception], status: int) -> None:
    """Usage errors are 1, files that cannot be read 10."""
    with pytest.raises(error) as caught:
        main(words, Settings())
    assert caught.value.status == status  # type: ignore[attr-defined] # both have one


@pytest.mark.skipif(os.name != "posix", reason="a pipe that breaks is a matter of POSIX")
def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """`smtpshell explain ... | head` ends quietly."""
    path = tmp_path / "many.txt"
    path.write_text("550 5.1.1 User unknown\n" * 20_000)
    command = [sys.executable, "-m", "smtpshell", "explain", "--file", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stdout.readline().startswith(b"1:")
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 0


def test_json_lines_stay_aligned() -> None:
    """As many lines out as in, each answering its own, bad ones and the last without an end too."""
    given: list[str] = []
    for number in range(300):
        kind = number % 5
        record = {"reply": f"{550 - number % 50} 5.1.1 x", "command": "RCPT"}
        bad = ("{bad", "", "[1]", '{"command": "RCPT"}')
        given.append(json.dumps(record) if kind == 0 else bad[kind - 1])
    run = smtpshell("explain", "--jsonl", stdin="\n".join(given) + "\n" + given[0])
    assert run.status == 0
    told = run.objects
    assert len(told) == 301
    for number, one in enumerate([*given, given[0]]):
        assert ("error" in told[number]) == (number % 5 != 0)
        if number % 5 == 0:
            assert told[number]["code"] == int(json.loads(one)["reply"][:3])
        assert told[number].keys() >= set(KEYS)


def test_what_a_server_sent_stays_text(capsys) -> None:
    """Escape sequences and controls in a pasted reply never reach the terminal."""
    for words in (
        ["550 5.1.1 \x1b[31mred\x07"],
        ["--json", "550 \x1b[31m \udcff"],
        ["\x1b]0;x\x07 550 5.1.1 x"],
    ):
        main(words, Settings())
        said = capsys.readouterr()
        assert "\x1b" not in said.out + said.err
        assert "\x07" not in said.out + said.err


def test_every_command_that_is_advised_exists(capsys) -> None:
    """Each next step of every sample is a local command or an SMTP verb."""
    for path in sorted(SAMPLES.glob("*/*.eml")) + sorted(SAMPLES.glob("programs/*/*.txt")):
        main(["--json", "--file", str(path)], Settings())
    for one in objects(capsys.readouterr().out):
        for command in one["next"]:  # type: ignore[attr-defined] # a list of texts
            word = command.split()[0]
            assert (
                word[1:] in LOCAL if word.startswith("/") else word.upper() in VERBS or word == "."
            )


LINE = (
    "Nov 22 07:07:06 mx postfix/smtp[253]: {0:X}: to=<u{0}@b.example>, relay=mx.b.example"
    "[192.0.2.1]:25, delay=0.2, dsn=5.1.1, status=bounced (host mx.b.example[192.0.2.1] said: 550 "
    "5.1.1 <u{0}@b.example>: User unknown {0} (in reply to RCPT TO command))\n"
    "Nov 22 07:07:06 mx postfix/qmgr[1]: {0:X}: removed\n"
)
PROGRAM = """\
import resource, sys
from smtpshell.conversation.explain_command import main
from smtpshell.conversation.settings import Settings
sys.stdout = open("/dev/null", "w")
main(sys.argv[1:], Settings())
assert "prompt_toolkit" not in sys.modules
sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
"""


def most_memory(path: Path, *words: str) -> int:
    """Explain a file in a process of its own; return its greatest size in KiB."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words, "--file", str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return int(done.stderr)


@pytest.mark.skipif(os.name != "posix", reason="the size of a process is read the POSIX way")
@pytest.mark.parametrize("words", [("--only", "tls"), ("--summary",)])
def test_memory_is_flat(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Two hundred thousand lines take hardly more memory than two thousand."""
    small, large = tmp_path / "small.log", tmp_path / "large.log"
    small.write_text("".join(LINE.format(number) for number in range(1_000)))
    quiet = "Nov 22 07:07:06 mx postfix/smtpd[9]: connect from h{}.example[192.0.2.9]\n"
    with large.open("w") as file:
        for number in range(10_000):
            file.write(LINE.format(number))
            file.writelines(quiet.format(number * 18 + place) for place in range(18))
    growth = most_memory(large, *words) - most_memory(small, *words)
    assert growth < 12_000


class Terminal(io.StringIO):
    """Standard error as a terminal would be."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


@pytest.mark.parametrize(("size", "shown"), [(1 << 24, True), (0, False)])
def test_a_bar_shows_progress_where_the_length_is_known(
    monkeypatch, size: int, shown: bool
) -> None:
    """On a terminal a long file shows how far it is; a pipe has no length to show."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    progress = _Progress(size, Settings())
    progress._at -= 10
    for _ in range(_Progress.EVERY):
        progress.step(1 << 11)
    progress.end()
    assert ("50%  4,096 lines" in screen.getvalue()) is shown
    assert not shown or screen.getvalue().endswith("\r")


def test_columns_are_honoured_and_pipes_are_not_folded() -> None:
    """With COLUMNS nothing of ours runs past it; in a pipe each row stays one line."""
    narrow = smtpshell("explain", RELAY, env={"COLUMNS": "50"})
    assert max(map(len, narrow.lines)) <= 70
    assert all(len(line) <= 50 for line in narrow.lines if " " in line and "#" not in line)
    wide = smtpshell("explain", RELAY, env={"COLUMNS": ""})
    assert wide.lines[0].endswith("to elsewhere.example for you.")
    several = smtpshell("explain", "--file", "-", stdin=f"{RELAY}\n\n550 5.1.1 User unknown\n" * 2)
    assert len([line for line in several.lines if "relay_denied" in line]) == 2


def test_commands_of_causes_are_not_listed_twice(capsys) -> None:
    """What a cause says to check with does not stand below once more."""
    main([RELAY], Settings())
    commands = [line.split("  ")[-1] for line in capsys.readouterr().out.splitlines()]
    checks = [line for line in commands if line.startswith(("/", "RCPT"))]
    assert len(checks) == len(set(checks))


def test_json_tells_on_standard_error_what_it_could_not_read() -> None:
    """Objects alone stand on standard output; what was passed over is told beside them."""
    text = f"{RELAY}\n\nsome odd error 0x80\n"
    run = smtpshell("explain", "--json", stdin=text)
    assert [item["class"] for item in run.objects] == ["relay_denied"]
    assert "1 line held nothing that could be read, such as line 3" in run.err
    assert smtpshell("explain", "--json", "-q", stdin=text).err == ""


def test_the_name_of_a_file_alone_is_read(tmp_path, monkeypatch, capsys) -> None:
    """One word that names a file which is there stands for what the file holds."""
    (tmp_path / "bounce.eml").write_text(RELAY + "\n")
    monkeypatch.chdir(tmp_path)
    for name in ("bounce.eml", "./bounce.eml", str(tmp_path / "bounce.eml")):
        assert main(["--json", name], Settings()) == 0
        assert objects(capsys.readouterr().out)[0]["class"] == "relay_denied"
    assert main(["gone.eml"], Settings()) == 1
    with pytest.raises(UsageError):
        main(["--file", "bounce.eml", "bounce.eml"], Settings())


def test_a_wrong_json_line_says_where_and_the_rest_goes_on(tmp_path, capsys) -> None:
    """The answer to a line that holds no reply has its number, and what is wrong with it."""
    wrong = ["{'reply': '550'}", "[1]", '{"reply": ""}', "\x00\xff", "[" * 100_000]
    file = tmp_path / "x.jsonl"
    lines = ['{"reply": "550 5.1.1 no"}', *wrong, '{"reply": "250 ok"}']
    file.write_text("\n".join(lines) + "\n", encoding="latin-1")
    assert main(["--jsonl", "--file", str(file)], Settings()) == 0
    shown = capsys.readouterr()
    told = objects(shown.out)
    assert [one.get("line") for one in told] == [None, 2, 3, 4, 5, 6, None]
    assert told[1]["error"].endswith("at column 2")
    assert shown.err.startswith("smtpshell: 5 lines held no reply. line 2: not JSON: expecting ")
