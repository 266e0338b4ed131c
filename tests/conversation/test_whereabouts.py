"""Whether a server is the recipient's own mail host: /why tells the two cases apart."""

from __future__ import annotations

import pytest

from tests.conversation.running import in_process
from tests.conversation.test_script import Mailish, at
from tests.net.rogue import serve

ZONE = """\
here.example.     300 IN SOA ns.here.example. host.here.example. 1 3600 600 86400 300
here.example.     300 IN MX 10 rogue.example.
rogue.example.    300 IN A 192.0.2.1
there.example.    300 IN MX 10 mx.there.example.
mx.there.example. 300 IN A 192.0.2.2
"""


@pytest.mark.parametrize(("domain", "known"), [("here.example", False), ("there.example", True)])
def test_why_says_when_the_server_is_not_the_recipients(tmp_path, domain, known) -> None:
    """Only where the host is no exchanger of the domain is that named as a fact."""
    zone = tmp_path / "zone"
    zone.write_text(ZONE)
    refusing = Mailish(answers={"RCPT": b"554 5.7.1 Relay access denied\r\n"})
    with serve(refusing) as server:
        run = in_process(
            at(server),
            *("EHLO client.example", "MAIL FROM:<>", f"RCPT TO:<zoe@{domain}>", "/why"),
            zone=str(zone),
        )
    assert any("not a mail exchanger" in line for line in run.lines) is known


def test_reserved_domains_are_not_asked_of_the_real_dns(monkeypatch) -> None:
    """Without a zone or a name server of their own no question leaves for a reserved domain."""
    from smtpshell.conversation.lookups import base

    monkeypatch.setattr(base, "resolver_for", lambda *_: pytest.fail("the DNS was asked"))
    refusing = Mailish(answers={"RCPT": b"554 5.7.1 Relay access denied\r\n"})
    with serve(refusing) as server:
        run = in_process(
            at(server), "EHLO x.example", "MAIL FROM:<>", "RCPT TO:<z@a.example>", "/why"
        )
    assert any("Likely causes" in line for line in run.lines)


SPF_ZONE = """\
client.example.        300 IN SOA ns.client.example. host.client.example. 1 3600 600 86400 300
client.example.        300 IN TXT "v=spf1 ip4:192.0.2.77 -all"
_dmarc.client.example. 300 IN TXT "v=DMARC1; p=reject"
"""


def test_preview_serves_why_and_tells_what_the_server_did(tmp_path) -> None:
    """What /preview found stands under a refusal of the sender, and beside it the reply."""
    zone = tmp_path / "zone"
    zone.write_text(SPF_ZONE)
    refusing = Mailish(answers={"RCPT": b"550 5.7.23 SPF validation failed\r\n"})
    lines = ("EHLO client.example", "MAIL FROM:<ann@client.example>", "RCPT TO:<b@x.example>")
    with serve(refusing) as server:
        asked = in_process(at(server), *lines, "/why", zone=str(zone))
        run = in_process(at(server), *lines, "/preview 198.51.100.1", "/why", zone=str(zone))
    assert any("/preview IP" in line for line in asked.lines)
    assert any(
        line.startswith("# the server") and "refused RCPT: 550" in line for line in run.lines
    )
    place = run.lines.index("# What a receiver sees in you (/preview)")
    assert any("fail for client.example" in line for line in run.lines[place:])
