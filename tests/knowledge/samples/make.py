"""Make the samples of this folder anew: `python -m tests.knowledge.samples.make [FOLDER]`.

Real mail servers send to each other in a small internet (see world.py) what they must refuse, and
return to the senders what they could not deliver. Kept are, one folder for each program:

    PROGRAM/CASE.eml   the bounce that the sender got; CASE tells what was wrong
    PROGRAM/mail.log   what the program logged

The files are what the programs wrote. Only names of folders are replaced, and logs cut short.
Needs Linux, root and Debian's packages.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.interop.servers import MailServer, dovecot, exim, opensmtpd, postfix, sink

from . import senders, world

PACKAGES = (
    *("exim4-daemon-light", "exim4-base", "opensmtpd"),
    *("sendmail-bin", "sendmail-base", "sendmail-cf", "liblockfile1", "m4", "libsigsegv2"),
    *("nullmailer", "dma"),
)

TEXT = """\
From: Ann <{sender}>
To: <{recipient}>
Subject: {subject}
Date: Sun, 22 Nov 2026 09:00:00 +0000
Message-ID: <{case}@client.example>

Hello,
this is the case of {case}.
"""

CASES = {
    "unknown-user": "nobody@{peer}.example",
    "relay-denied": "zoe@loop.example",
    "no-such-domain": "zoe@nowhere.example",
    "null-mx": "zoe@null.example",
    "no-connection": "zoe@down.example",
    "blocked": "listed@postfix.example",
    "no-reverse-name": "reverse@postfix.example",
    "encryption-required": "encrypted@postfix.example",
    "not-allowed": "closed@postfix.example",
    "policy-broken": "policy@postfix.example",
    "spam": "content@postfix.example",
    "too-big": "big@postfix.example",
    "over-quota": "full@dovecot.example",
    "mailbox-full": "full@exim.example",
    "deferred": "later@exim.example",
    "bad-characters": ".dot@exim.example",
    "list-expansion": "nobody@opensmtpd.example",
}


POSTFIX = """
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1, {address}
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
bounce_queue_lifetime = 0
smtp_bind_address = {address}
smtpd_peername_lookup = yes
smtp_dns_support_level = enabled
smtp_host_lookup = dns
default_transport = smtp
relay_domains = dovecot.example
relay_transport = lmtp:unix:{lmtp}
message_size_limit = 50000
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
maximal_queue_lifetime = 8s
smtp_connect_timeout = 5s
header_checks = regexp:{{{{/^Subject: .*lottery/ REJECT}}}}
smtpd_restriction_classes = listed, reverse, encrypted, policy
listed = reject_rbl_client dnsbl.example
reverse = reject_unknown_reverse_client_hostname
encrypted = reject_plaintext_session
policy = check_policy_service inet:127.0.0.1:9
smtpd_recipient_restrictions = check_recipient_access inline:{{
  {{listed@postfix.example = listed}}, {{reverse@postfix.example = reverse}},
  {{encrypted@postfix.example = encrypted}}, {{policy@postfix.example = policy}},
  {{closed@postfix.example = reject}} }}
"""

EXIM = """\
dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = smtp
  ignore_target_hosts = 127.0.0.0/8
  no_more

later:
  driver = redirect
  domains = +local_domains
  local_parts = later
  allow_defer
  data = :defer: mailbox is locked, try again later

"""

DOVECOT = """
mail_plugins = quota
plugin {
  quota = maildir:User quota
  quota_rule = *:bytes=10
}
"""

SETTLED = 14.0  # seconds without a new bounce after which no more is awaited
LONGEST = 120.0
LOG_LINES = 160
NOISE = re.compile(rb"gethostbyaddr|lost connection after CONNECT|warning: bounce_queue|aliases")


@dataclass(frozen=True, slots=True)
class Sender:
    """A program that sends: how to hand it a message, its log, and how to read its bounces."""

    name: str
    domain: str
    send: Callable[[str, str, bytes], None]
    log: Path
    bounces: Callable[[], list[bytes]]


def submission(server: MailServer) -> Callable[[str, str, bytes], None]:
    """Return a function that hands a message to a server over SMTP, as a host of its network."""
    service = "relay" if "relay" in server.ports else "smtp"

    def send(sender: str, recipient: str, message: bytes) -> None:
        with (
            smtplib.SMTP(
                server.host, server.ports[service], source_address=("127.0.0.1", 0)
            ) as client,
            contextlib.suppress(smtplib.SMTPException),
        ):
            client.sendmail(sender, [recipient], message)

    return send


def pipe(server: MailServer) -> Callable[[str, str, bytes], None]:
    """Return a function that hands a message to Exim's command."""

    def send(sender: str, recipient: str, message: bytes) -> None:
        command = [*server.command[:-1], "-oi", "-f", sender, recipient]
        subprocess.run(command, input=message, check=False, timeout=60)

    return send


@contextlib.contextmanager
def all_senders(logs: Path) -> Iterator[list[Sender]]:
    """Start every program of the small internet."""
    address = world.ADDRESSES
    with contextlib.ExitStack() as stack:
        start = stack.enter_context
        start(world.name_server())
        start(world.system_log(logs))
        boxes = start(dovecot(start(sink()).port, settings=DOVECOT))
        mx = address["mx.postfix.example"]
        settings = POSTFIX.format(address=mx, lmtp=boxes.sockets["lmtp"])
        first = start(postfix(settings=settings, host=mx, fixed={"smtp": 25}))
        second = start(exim(routers=EXIM, host=address["mx.exim.example"], fixed={"smtp": 25}))
        mx = address["mx.opensmtpd.example"]
        third = start(opensmtpd(relay=f"src {mx}", host=mx, fixed={"smtp": 25}, output="-F"))
        returned = first.mailboxes["bob"] / "new"
        fourth = start(senders.sendmail(logs))
        fifth = start(senders.dma(logs))
        sixth = start(senders.nullmailer(logs, returned))
        yield [
            Sender("postfix", first.domain, submission(first), first.log, first.delivered),
            Sender("exim", second.domain, pipe(second), second.log, second.delivered),
            Sender(
                "opensmtpd", third.domain, submission(third), logs / "smtpd.log", third.delivered
            ),
            Sender("sendmail", "sendmail.example", fourth.send, fourth.log, fourth.bounces),
            Sender("dma", "host.dma.example", fifth.send, fifth.log, fifth.bounces),
            Sender("nullmailer", "postfix.example", sixth.send, sixth.log, sixth.bounces),
            Sender("dovecot", "dovecot.example", lambda *_: None, boxes.log, list),
        ]


def main(target: Path) -> None:
    """Make every sample in `target`."""
    print("starting", flush=True)
    with tempfile.TemporaryDirectory(prefix="logs-") as logs, all_senders(Path(logs)) as programs:
        for program in programs:
            print(f"{program.name} sends", flush=True)
            for case, pattern in CASES.items():
                send_case(program, case, pattern)
        wait_until_settled(programs)
        for program in programs:
            write_samples(program, target / program.name)


def send_case(program: Sender, case: str, pattern: str) -> None:
    """Hand the message of one case to a program, unless the program is itself its destination."""
    peer = "exim" if program.name == "postfix" else "postfix"
    recipient = pattern.format(peer=peer)
    if program.name == "nullmailer":  # its mail all goes through Postfix
        skip = not recipient.endswith("@postfix.example") and case != "relay-denied"
    else:
        skip = recipient.endswith(f"@{program.domain}")
    if skip:
        return
    user = "bob" if program.name == "nullmailer" else "ann"
    sender = f"{user}@{program.domain}"
    subject = "You won the lottery" if case == "spam" else f"A message ({case})"
    text = TEXT.format(sender=sender, recipient=recipient, subject=subject, case=case)
    if case == "too-big":
        text += 1000 * f"{'A long line of a large message.':.<64}\n"
    program.send(sender, recipient, text.encode())


def wait_until_settled(programs: list[Sender]) -> None:
    """Return when no bounce has come for SETTLED seconds."""
    begun = changed = time.monotonic()
    seen = -1
    while time.monotonic() - changed < SETTLED and time.monotonic() - begun < LONGEST:
        count = sum(len(program.bounces()) for program in programs)
        if count != seen:
            seen, changed = count, time.monotonic()
        time.sleep(0.5)


def write_samples(program: Sender, folder: Path) -> None:
    """Write the bounces of a program by their cases, and its log."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for bounce in program.bounces():
        found = re.search(rb"Message-ID: <([\w-]+)@client\.example>", bounce, re.IGNORECASE)
        case = found[1].decode() if found else "unnamed"
        if found and len(bounce) < 20_000:
            (folder / f"{case}.eml").write_bytes(anonymous(bounce))
    if program.log.exists():
        lines = [line for line in program.log.read_bytes().splitlines() if not NOISE.search(line)]
        log = b"".join(line + b"\n" for line in lines[:LOG_LINES])
        (folder / "mail.log").write_bytes(anonymous(log))


def anonymous(octets: bytes) -> bytes:
    """Replace the names of temporary folders."""
    return re.sub(rb"/tmp/\w\w-\w+", b"/srv/mail", octets)


if __name__ == "__main__" and world.enter("tests.knowledge.samples.make", PACKAGES):
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
