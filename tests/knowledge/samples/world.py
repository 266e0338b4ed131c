"""A small internet in namespaces of the kernel's: reserved names, reserved addresses, no way out.

`enter()` restarts the calling program in its own network (loopback, and an interface that ends
nowhere and has the addresses of 192.0.2.0/24 that ADDRESSES lists), process tree (nothing outlives
it), host name, and view of the file system, in which Debian packages seem installed that exclude
each other. A name server answers from ZONE. So what servers say in there needs no names replaced.
Linux and root only.
"""

from __future__ import annotations

import contextlib
import os
import re
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset

ADDRESSES = {
    "mx.postfix.example": "192.0.2.25",
    "other.postfix.example": "192.0.2.25",  # not in the certificate
    "mx.exim.example": "192.0.2.26",
    "mx.opensmtpd.example": "192.0.2.27",
    "mx.sendmail.example": "192.0.2.28",
    "host.dma.example": "192.0.2.29",
    "host.nullmailer.example": "192.0.2.30",
    "mail.dovecot.example": "192.0.2.31",
    "mx.down.example": "192.0.2.99",  # nothing listens there
}
LISTED = (25, 26, 27, 28)  # last parts of the addresses on the block list
MAIL_DOMAINS = ("postfix", "exim", "opensmtpd", "sendmail", "down")
ZONE = [
    *(f"{name}. 300 IN A {address}" for name, address in ADDRESSES.items()),
    *(f"{domain}.example. 300 IN MX 10 mx.{domain}.example." for domain in MAIL_DOMAINS),
    "dma.example. 300 IN MX 10 host.dma.example.",
    "dovecot.example. 300 IN MX 10 mx.postfix.example.",
    "null.example. 300 IN MX 0 .",
    "loop.example. 300 IN MX 10 mx.postfix.example.",
    "loop.example. 300 IN MX 10 mx.exim.example.",
    "25.2.0.192.in-addr.arpa. 300 IN PTR mx.postfix.example.",
    "27.2.0.192.in-addr.arpa. 300 IN PTR mx.opensmtpd.example.",
    "28.2.0.192.in-addr.arpa. 300 IN PTR mx.sendmail.example.",
    *(f"{last}.2.0.192.dnsbl.example. 300 IN A 127.0.0.2" for last in LISTED),
    *(
        f'{last}.2.0.192.dnsbl.example. 300 IN TXT "listed, see https://dnsbl.example/192.0.2.{last}"'
        for last in LISTED
    ),
]
INSIDE = "SMTPSHELL_SAMPLES_INSIDE"
NAMESPACES = ("--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
REAPER = ("sh", "-c", '"$@"; exit $?', "sh")  # the first process must reap orphans; a shell does


def enter(module: str, packages: Sequence[str]) -> bool:
    """Return True inside the small internet; outside, run `module` in there and return False.

    `packages` are Debian packages that seem installed inside. They are fetched before the door
    closes, and stay unpacked in the temporary folder that the environment variable names.
    """
    if INSIDE in os.environ:
        furnish(Path(os.environ[INSIDE]))
        return True
    with tempfile.TemporaryDirectory(prefix="packages-") as folder:
        unpack(packages, Path(folder))
        subprocess.run(
            ["unshare", *NAMESPACES, *REAPER, sys.executable, "-m", module, *sys.argv[1:]],
            env={**os.environ, INSIDE: folder},
            check=True,
        )
    return False


def unpack(packages: Sequence[str], folder: Path) -> None:
    """Fetch Debian packages and lay out their files below `folder`/usr, /etc and /var."""
    with tempfile.TemporaryDirectory() as downloads:
        subprocess.run(["apt-get", "-qq", "download", *packages], cwd=downloads, check=True)
        for archive in Path(downloads).glob("*.deb"):
            subprocess.run(["dpkg", "-x", archive, folder], check=True)
    for name in ("usr", "etc", "var"):
        (folder / name).mkdir(exist_ok=True)


def furnish(packages: Path) -> None:
    """Lay packages over the file system, and name this host, its addresses and its name server."""
    addresses = " ".join(sorted(set(ADDRESSES.values())))
    shell = f"""
        set -e
        mount -t tmpfs -o mode=755 tmpfs /mnt
        cp -a {packages}/. /mnt/
        for top in usr etc var; do
            mkdir -p /mnt/.$top/upper /mnt/.$top/work
            mount -t overlay overlay /$top \
                -o lowerdir=/mnt/$top:/$top,upperdir=/mnt/.$top/upper,workdir=/mnt/.$top/work
        done
        mkdir /mnt/.dev
        mount -t tmpfs tmpfs /mnt/.dev
        cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /mnt/.dev/
        mount --move /mnt/.dev /dev
        hostname host.example
        echo nameserver 127.0.0.1 >/etc/resolv.conf
        echo 127.0.0.1 localhost >/etc/hosts
        echo 'hosts: files dns' >>/etc/nsswitch.conf
        useradd --no-create-home ann
        ip link set lo up
        ip link add net0 type bridge
        ip link set net0 up
        for address in {addresses}; do ip addr add $address/24 dev net0; done
    """
    subprocess.run(["sh", "-c", shell], check=True)


class Answers(socketserver.BaseRequestHandler):
    """Answers one DNS query over UDP from ZONE (RFC 1035): data, no data, or no such name."""

    def handle(self) -> None:
        """Read the query, write the response."""
        octets, connection = self.request
        response = dns.message.make_response(dns.message.from_wire(octets))
        response.flags |= dns.flags.AA | dns.flags.RA
        question = response.question[0]
        records = [line.split(maxsplit=4) for line in ZONE]
        named = [fields for fields in records if dns.name.from_text(fields[0]) == question.name]
        for name, ttl, class_, kind, value in named:
            if kind == dns.rdatatype.to_text(question.rdtype):
                response.answer.append(dns.rrset.from_text(name, int(ttl), class_, kind, value))
        if not named:
            below = any(
                dns.name.from_text(line.split()[0]).is_subdomain(question.name) for line in ZONE
            )
            response.set_rcode(dns.rcode.NOERROR if below else dns.rcode.NXDOMAIN)
        connection.sendto(response.to_wire(), self.client_address)


@contextlib.contextmanager
def name_server() -> Iterator[None]:
    """Answer queries on port 53 of loopback until the block is left."""
    with socketserver.ThreadingUDPServer(("127.0.0.1", 53), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


class Record(socketserver.BaseRequestHandler):
    """Appends one message of syslog(3), `<PRI>Mmm dd hh:mm:ss PROGRAM[PID]: TEXT`, to a file."""

    folder = Path()

    def handle(self) -> None:
        """Write the message to `folder`/PROGRAM.log with a host name, as a log daemon does."""
        text = self.request[0].decode(errors="replace")
        found = re.match(r"<\d+>(.{15}) (([\w/.-]+?)(?:\[.*)?: ?.*)", text, re.DOTALL)
        if found:
            date, line, program = found.groups()
            with (self.folder / f"{Path(program).name}.log").open("a", encoding="utf-8") as log:
                log.write(f"{date} host {line.rstrip()}\n")


@contextlib.contextmanager
def system_log(folder: Path) -> Iterator[None]:
    """Collect what programs send to syslog(3), in `folder`/PROGRAM.log, until the block is left."""
    Record.folder = folder
    with socketserver.UnixDatagramServer("/dev/log", Record) as server:
        Path("/dev/log").chmod(0o666)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()
