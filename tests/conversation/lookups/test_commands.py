"""Look-ups as sub-commands and local commands: facts, reports, exit statuses."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from smtpshell.conversation import local
from smtpshell.conversation.lookups import LOOKUPS, base, imaginary
from smtpshell.conversation.settings import Settings
from smtpshell.lookup import dkim_sign
from tests.lookup.tables import Row, differences, rows

if TYPE_CHECKING:
    from pathlib import Path

KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
DATA = "ab" * 32
ZONE = f"""
example.com.                 MX   10 mx.example.com.
example.com.                 MX   20 mx2.example.com.
example.com.                 TXT  "v=spf1 mx include:_spf.example.net -all"
_spf.example.net.            TXT  "v=spf1 ip4:198.51.100.0/24 ~all"
mx.example.com.              A    192.0.2.25
mx2.example.com.             AAAA 2001:db8::25
25.2.0.192.in-addr.arpa.     PTR  mx.example.com.
_dmarc.example.com.          TXT  "v=DMARC1; p=reject; rua=mailto:d@example.com"
_smtp._tls.example.com.      TXT  "v=TLSRPTv1; rua=mailto:t@example.com"
default._bimi.example.com.   TXT  "v=BIMI1; l=; a="
s._domainkey.example.com.    TXT  "v=DKIM1; k=ed25519; p={KEY}"
_25._tcp.mx.example.com.     TLSA 3 1 1 {DATA}
25.2.0.192.list.example.     A    127.0.0.2
evil.example.                TXT  "v=spf1 \\027[31mred -all"
_dmarc.evil.example.         TXT  "v=DMARC1; p=none; \\027]0;title\\007"
xn--bcher-kva.example.       MX   0 .
;fault slow.example servfail
;fault _dmarc.slow.example servfail
"""


@pytest.fixture
def zone(tmp_path: Path) -> str:
    """Return a zone file."""
    path = tmp_path / "zone"
    path.write_text(ZONE, encoding="ascii")
    return str(path)


def run(*words: str, **settings: Any) -> int:
    """Run a look-up as a sub-command; the first word is its name."""
    module, _, function = LOOKUPS[words[0]].main.partition(":")
    made = Settings()
    for name, value in settings.items():
        setattr(made, name, value)
    status: int = getattr(import_module(module), function)(list(words[1:]), made)
    return status


def facts(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """Run a look-up with --json and return its exit status and its one object."""
    status = run(*words, "--json")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].isascii()
    found: dict[str, Any] = json.loads(lines[0])
    return status, found


RECORDS = {
    "record": "dmarc",
    "dkim-key": "dkim",
    "mta-sts-txt": "mta-sts",
    "mta-sts-policy": "mta-sts-policy",
    "tlsrpt": "tlsrpt",
    "tlsa": "tlsa",
    "bimi": "bimi",
    "spf-syntax": "spf",
}


@pytest.mark.parametrize("kind", RECORDS)
def test_shared_records(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every shared record tried with --record gives the expected fields and exit status."""
    table = "dmarc.tsv" if kind == "record" else "records.tsv"
    ignored = ("why", "note", "pyspf") if kind != "mta-sts-policy" else ()
    wrong: dict[str, Any] = {}
    for row in rows(table, kind):
        status, found = facts(capsys, RECORDS[kind], f"--record={row.text}")
        unlike = differences(row, found, *ignored)
        if row.expected.get("valid") is False and status != 1:
            unlike["status"] = status
        if unlike:
            wrong[row.number] = unlike
    assert not wrong


def test_shared_walks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every shared walk comes out as expected through a zone file."""

    def outcome(row: Row) -> dict[str, Any]:
        case = json.loads(row.text)
        author = case["author"].removesuffix(".")
        lines = [f'{name}. TXT "{text}"' for name, texts in case["txt"].items() for text in texts]
        lines.append(f"{author}. MX 0 ." if case["author_exists"] else f";fault {author} nxdomain")
        path = tmp_path / row.number
        path.write_text("\n".join(lines), encoding="utf-8")
        return differences(row, facts(capsys, "dmarc", case["author"], "--zone", str(path))[1])

    wrong = {row.number: found for row in rows("dmarc.tsv", "walk") if (found := outcome(row))}
    assert not wrong


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("mx example.com", 0),
        ("mx nobody.example", 1),
        ("mx slow.example", 3),
        ("spf example.com", 0),
        ("spf example.com --ip 192.0.2.25", 0),
        ("spf example.com --ip 203.0.113.1", 1),
        ("spf slow.example --ip 203.0.113.1", 3),
        ("spf example.com --ip nonsense", 64),
        ("spf", 64),
        ("dmarc example.com", 0),
        ("dmarc nobody.example", 1),
        ("dmarc slow.example", 3),
        ("dmarc example.com --spf other.example", 1),
        ("dmarc", 64),
        ("mta-sts --port 70000 example.com", 64),
        ("dmarc example.com --timeout never", 64),
        ("dmarc example.com --nonsense", 64),
        ("dkim s example.com", 0),
        ("dkim t example.com", 1),
        ("dkim", 64),
        ("tlsrpt example.com", 0),
        ("mta-sts example.com", 0),
        ("mta-sts-policy example.com", 1),
        ("tlsa example.com", 0),
        ("tlsa mx.example.com --host", 0),
        ("ptr 192.0.2.25", 0),
        ("ptr 192.0.2.26", 1),
        ("ptr example.com", 64),
        ("bimi example.com", 0),
        ("dnsbl 192.0.2.25 --list list.example", 1),
        ("dnsbl 192.0.2.26 --list list.example", 0),
        ("check example.com", 0),
        ("check example.com --strict", 1),
        ("check nobody.example", 1),
        ("check slow.example", 3),
        ("check", 64),
        ("preview 192.0.2.25 --sender ann@example.com", 0),
        ("preview 203.0.113.1 --sender ann@example.com", 1),
        ("preview 192.0.2.25", 64),
    ],
)
def test_statuses(words: str, status: int, zone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status says whether all is fine, something is wrong, nobody knows, or misuse."""
    assert run(*words.split(), "--zone", zone) == status
    shown = capsys.readouterr()
    if status == 64:
        assert not shown.out
        assert len(shown.err.splitlines()) == 1
    else:
        first = shown.out.splitlines()[0]
        assert first.startswith({0: "OK", 1: ("PROBLEM", "OK"), 3: "NO ANSWER"}[status])  # type: ignore[arg-type]  # a text or several
        assert max(map(len, shown.out.splitlines())) <= 80


def test_absent_zone_file_and_nobody_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    """A zone file that is not there, and a name server that is no address, are told in one line."""
    assert run("mx", "example.com", "--zone", "/nowhere/zone") == 10
    assert run("mx", "example.com", "--nameserver", "nonsense") == 64
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_silent_name_server(capsys: pytest.CaptureFixture[str]) -> None:
    """A name server that does not answer is not an absent record."""
    words = ("mx", "example.com", "--nameserver", "127.0.0.1:1", "--timeout", "0.2")
    status, found = facts(capsys, *words)
    assert status == 3
    assert found["fate"] == "unknown"


def test_hostile_records_do_not_reach_the_terminal(
    zone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape sequences in a record are written out, in every report."""
    for words in ("spf evil.example", "dmarc evil.example", "check evil.example --trace"):
        run(*words.split(), "--zone", zone)
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "evil.example" in shown


def test_plain_output_is_ascii(zone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Plain mode writes ASCII alone; else an internationalised name is shown in both forms."""
    run("mx", "bücher.example", "--zone", zone)
    assert "bücher.example (xn--bcher-kva.example)" in capsys.readouterr().out
    run("mx", "bücher.example", "--zone", zone, plain=True)
    assert capsys.readouterr().out.isascii()
    assert (
        facts(capsys, "dmarc", "bücher.example", "--zone", zone)[1]["unicode"] == "bücher.example"
    )


def test_spf_facts(zone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """SPF for a sender and SPF of everybody have the fields of the contract."""
    _, one = facts(capsys, "spf", "example.com", "--ip", "198.51.100.9", "--zone", zone)
    assert one["result"] == "pass"
    assert {"explanation", "lookups", "void_lookups", "trace"} <= set(one)
    assert "worst_case" not in one
    _, everybody = facts(capsys, "spf", "example.com", "--zone", zone)
    assert everybody["worst_case"] == 2


def test_spf_record_in_place(zone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A record that is not published yet can be tried for a sender."""
    record = "v=spf1 ip4:203.0.113.0/24 -all"
    words = ("spf", "example.com", "--ip", "203.0.113.1", "--record", record, "--zone", zone)
    assert facts(capsys, *words)[1]["result"] == "pass"


def test_trace_is_readable(zone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The report of SPF shows each term, the question, the answer and what it cost."""
    run("spf", "example.com", "--ip", "203.0.113.1", "--zone", zone)
    shown = capsys.readouterr().out
    assert "include:_spf.example.net: no match" in shown
    assert "look-ups 1, total 2" in shown
    assert "mx.example.com A -> 192.0.2.25" in shown


def test_policy_lines_may_be_written_on_one(capsys: pytest.CaptureFixture[str]) -> None:
    r"""A policy's lines may be parted by a written \n."""
    text = r"version: STSv1\nmode: none\nmax_age: 86400"
    assert facts(capsys, "mta-sts-policy", "--record", text)[1]["valid"] is True


def test_record_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record may stand in a file; one that is not there is status 10."""
    path = tmp_path / "record"
    path.write_text("v=DMARC1; p=reject\n", encoding="ascii")
    assert facts(capsys, "dmarc", "--record", f"@{path}")[1]["p"] == "reject"
    assert run("dmarc", "--record", f"@{path}x") == 10


def test_many_domains_from_a_file(
    zone: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Domains from a file give one JSON object each, in order; comments and blanks do not count."""
    path = tmp_path / "domains"
    path.write_text("# ours\nexample.com\n\nnobody.example # gone\n", encoding="ascii")
    assert run("check", "--file", str(path), "--zone", zone, "--json") == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["domain"] for each in found] == ["example.com", "nobody.example"]
    assert run("check", "--file", str(path) + "x", "--zone", zone) == 10


def test_signing_and_verifying(
    zone: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message signed with a new key verifies with the record made for it."""
    _, made = facts(capsys, "dkim", "--new-key", "ed25519")
    key, message, signed = (tmp_path / name for name in ("key", "message", "signed"))
    key.write_text(made["private"], encoding="ascii")
    message.write_bytes(b"From: ann@example.com\nSubject: hello\n\nHello.\n")
    words = ("dkim", "t", "example.com", "--sign", str(message), "--key", str(key))
    assert run(*words, "--out", str(signed)) == 0
    field = capsys.readouterr().out
    assert signed.read_text(encoding="ascii").startswith(field)
    with open(zone, "a", encoding="ascii") as file:  # noqa: PTH123 - a name, not a Path
        file.write(f't._domainkey.example.com. TXT "{made["record"]}"\n')
    status, found = facts(capsys, "dkim", "--message", str(signed), "--zone", zone)
    assert (status, found["result"]) == (0, "pass")
    assert run("dkim", "--message", str(message), "--zone", zone) == 1
    assert "not signed" in capsys.readouterr().out


def test_signing_wants_a_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Signing without a key, or with a file that is none, is misuse."""
    message = tmp_path / "message"
    message.write_bytes(b"From: ann@example.com\n\nHello.\n")
    assert run("dkim", "t", "example.com", "--sign", str(message)) == 64
    words = ("dkim", "t", "example.com", "--sign", str(message), "--key", str(message))
    assert run(*words) == 64
    assert "cannot be read" in capsys.readouterr().err
    assert dkim_sign.new_key("ed25519").record.startswith("v=DKIM1")


def test_tables_agree() -> None:
    """Each look-up is a local command too, loads, and is named in its own module's table row."""
    for name, row in LOOKUPS.items():
        command = local.LOCAL[name]
        assert command.handler == row.slash
        module = import_module(f"smtpshell.conversation.lookups.{row.module}")
        assert module.LOOKUP.name == name
        assert callable(command.load())


def test_progress_is_for_terminals(
    zone: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal sees on standard error how many are done; a pipe and plain mode do not."""
    words = ("check", "example.com", "nobody.example", "--zone", zone, "--json")
    run(*words)
    assert not capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run(*words)
    assert "2 of 2 done" in capsys.readouterr().err
    run(*words, plain=True)
    assert not capsys.readouterr().err


def test_empty_domain_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty domain is as good as none, but an empty record is a record."""
    assert run("dmarc", "") == 64
    assert facts(capsys, "mta-sts-policy", "--record=")[1]["why"] == "version"


def test_one_status_for_many() -> None:
    """Of several results a problem weighs most, then silence."""
    assert base.total([0, 0]) == 0
    assert base.total([0, 3]) == 3
    assert base.total([3, 1, 0]) == 1
    assert base.total([]) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail.practice.example", True),
        ("ann@example.org", True),
        ("Example.COM.", True),
        ("[198.51.100.7]", True),
        ("2001:db8::1", True),
        ("notexample.com", False),
        ("example.edu", False),
        ("8.8.8.8", False),
    ],
)
def test_reserved_names(text: str, expected: bool) -> None:
    """Only names and addresses set aside for examples belong to the practice world."""
    assert imaginary.is_reserved(text) is expected


def talk(capsys: pytest.CaptureFixture[str], *lines: str) -> str:
    """Run lines as a script on the practice server; return what was printed."""
    from smtpshell.conversation import script

    sources = [("line", line) for line in lines]
    asyncio.run(script.run_lines(None, sources, Settings()))
    shown = capsys.readouterr()
    return shown.out + shown.err


def test_local_commands(zone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A look-up in a conversation shows its report as notes, and misuse as one line."""
    shown = talk(capsys, f"/dmarc example.com --zone {zone}", "/dmarc", "/spf 'unbalanced")
    assert "# OK: the DMARC policy for example.com is reject" in shown
    assert "DOMAIN or --record is missing" in shown
    assert "quotes do not match" in shown


def test_practice_world_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """Reserved names are answered by the practice world's DNS while the practice server runs."""
    shown = talk(capsys, "/mx practice.example")
    assert "Answered by the practice world's own DNS." in shown


def test_preview_takes_from_the_session(capsys: pytest.CaptureFixture[str]) -> None:
    """The receiver's eye takes HELO and MAIL FROM from the session, and the assumed address."""
    shown = talk(capsys, "EHLO client.example", "MAIL FROM:<ann@client.example>", "/preview")
    assert "SPF of client.example" in shown
    assert "reverse DNS of 192.0.2.77" in shown
