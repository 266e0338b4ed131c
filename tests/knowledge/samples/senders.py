"""Mail programs that only the samples need: each as something that sends and gets bounces back."""

from __future__ import annotations

import contextlib
import mailbox
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.interop.servers.running import private_folder, running, wait_for_ports

from . import world

SENDMAIL_MACROS = """\
divert(-1)dnl
divert(0)dnl
define(`_CF_DIR_', `/usr/share/sendmail/cf/')dnl
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mx.sendmail.example')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`confPID_FILE', `{folder}/sendmail.pid')dnl
define(`STATUS_FILE', `{folder}/statistics')dnl
define(`confCW_FILE', `-o /dev/null')dnl
define(`HELP_FILE', `/etc/mail/helpfile')dnl
define(`confHOST_STATUS_DIRECTORY', `')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDEF_USER_ID', `8:8')dnl
define(`confTO_CONNECT', `5s')dnl
define(`confTO_QUEUERETURN', `20s')dnl
define(`confDONT_BLAME_SENDMAIL', `{unsafe}')dnl
define(`ALIAS_FILE', `{folder}/aliases')dnl
define(`LOCAL_MAILER_PATH', `{folder}/deliver')dnl
define(`LOCAL_MAILER_ARGS', `deliver $u')dnl
define(`LOCAL_MAILER_FLAGS', `lsDFMnPS')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nouucp', `reject')dnl
FEATURE(`accept_unresolvable_domains')dnl
LOCAL_DOMAIN(`sendmail.example')dnl
DAEMON_OPTIONS(`Name=MTA, Addr={address}, Port=25')dnl
CLIENT_OPTIONS(`Family=inet, Addr={address}')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""

UNSAFE = "AssumeSafeChown,GroupWritableDirPathSafe,MapInUnsafeDirPath,RunProgramInUnsafeDirPath"


@dataclass(frozen=True, slots=True)
class Program:
    """A program that takes a message on standard input: its command, its log, its mailbox."""

    command: tuple[str, ...]
    log: Path
    mailbox: Path

    def send(self, sender: str, recipient: str, message: bytes) -> None:
        """Hand a message over; a refusal on the spot is left to the log."""
        words = [word.format(sender=sender) for word in self.command]
        subprocess.run([*words, recipient], input=message, check=False, timeout=60)

    def bounces(self) -> list[bytes]:
        """Return the messages that came back."""
        if not self.mailbox.exists():
            return []
        if self.mailbox.is_dir():
            return [path.read_bytes() for path in sorted(self.mailbox.iterdir())]
        return [message.as_bytes() for message in mailbox.mbox(self.mailbox)]


@contextlib.contextmanager
def sendmail(logs: Path) -> Iterator[Program]:
    """Run Sendmail as an MX of `sendmail.example` with a queue that is looked at every second."""
    with private_folder("sm") as folder:
        address = world.ADDRESSES["mx.sendmail.example"]
        for name in ("queue", "mail"):
            (folder / name).mkdir(mode=0o700)
        (folder / "mail").chmod(0o777)
        deliver = folder / "deliver"
        deliver.write_text(f'#!/bin/sh\nexec cat >"{folder}/mail/$$.eml"\n')
        deliver.chmod(0o755)
        macros = SENDMAIL_MACROS.format(folder=folder, address=address, unsafe=UNSAFE)
        done = subprocess.run(["m4"], input=macros, capture_output=True, text=True, check=True)
        configuration = folder / "sendmail.cf"
        configuration.write_text(done.stdout)
        program = ["/usr/libexec/sendmail/sendmail", "-C", str(configuration)]
        (folder / "aliases").write_text("postmaster: root\n")
        subprocess.run([*program, "-bi"], check=True, stdout=subprocess.DEVNULL)
        with running([*program, "-bD", "-q1s"], logs / "sendmail-output.log") as process:
            wait_for_ports(address, [25], logs / "sendmail-output.log", process)
            yield Program(
                (*program, "-oi", "-f", "{sender}"), logs / "sendmail.log", folder / "mail"
            )


@contextlib.contextmanager
def dma(logs: Path) -> Iterator[Program]:
    """Set up the DragonFly mail agent; it has no daemon."""
    Path("/etc/dma").mkdir(exist_ok=True)
    Path("/etc/dma/dma.conf").write_text("MAILNAME host.dma.example\n")
    Path("/var/spool/dma").mkdir(exist_ok=True)
    box = Path("/var/mail/ann")
    box.touch()
    shutil.chown(box, "ann", "mail")
    yield Program(("/usr/sbin/dma", "-f", "{sender}"), logs / "dma.log", box)


@contextlib.contextmanager
def nullmailer(logs: Path, returns: Path) -> Iterator[Program]:
    """Run nullmailer, which passes everything to Postfix; bounces reach the maildir `returns`."""
    Path("/etc/mailname").write_text("host.nullmailer.example\n")
    files: Mapping[str, str] = {
        "defaultdomain": "nullmailer.example",
        "remotes": "mx.postfix.example smtp",
        "pausetime": "1",
        "maxpause": "2",
        "queuelifetime": "8",
    }
    for name, text in files.items():
        Path("/etc/nullmailer", name).parent.mkdir(exist_ok=True)
        Path("/etc/nullmailer", name).write_text(text + "\n")
    for name in ("queue", "tmp", "failed"):
        Path("/var/spool/nullmailer", name).mkdir(parents=True, exist_ok=True)
    trigger = Path("/var/spool/nullmailer/trigger")
    subprocess.run(["mkfifo", str(trigger)], check=False)
    log = logs / "nullmailer.log"
    with running(["nullmailer-send"], log):
        yield Program(("nullmailer-inject", "-f", "{sender}"), log, returns)
