"""OpenSMTPD as a private instance.

| service | what it is                                                          |
|---------|---------------------------------------------------------------------|
| `smtp`  | an MX: STARTTLS offered, mail for `opensmtpd.example` only           |
| `relay` | mail for any domain goes on to where `relay` says                    |

Debian 12's build (6.8.0p2) cannot finish a TLS handshake under OpenSSL 3: its guarded private key
fails, and the client gets an "internal error" alert. That makes `smtp` a real server that offers
STARTTLS, answers 220 and breaks the handshake; nothing here logs in.

The paths of its spool, its socket and its delivery programs are compiled in. It therefore runs in
a mount namespace of its own, where private folders stand in the places of the system's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import trustme

from .running import (
    HOST,
    SECOND_USER,
    USER,
    MailServer,
    free_ports,
    private_folder,
    require,
    running,
    unpacked,
    wait_for_ports,
    write_certificates,
)

DOMAIN = "opensmtpd.example"
SERVICES = ("smtp", "relay")

CONFIGURATION = """\
pki "mx.{domain}" cert "{certificate}"
pki "mx.{domain}" key "{key}"
table boxes {{ "{user}@{domain}" = "mail", "{second}@{domain}" = "mail" }}
listen on {host} port {smtp} hostname "mx.{domain}" tls pki "mx.{domain}"
listen on {host} port {relay} hostname "mx.{domain}" tag RELAY
action "keep" maildir "{folder}/mail/%{{rcpt.user}}" virtual <boxes>
action "pass" relay {next}
match from any for domain "{domain}" action "keep"
match tag RELAY from any for any action "pass"
"""

NAMESPACE = """\
set -e
mount --bind "$1/spool" /var/spool
mount --bind "$1/lib" /var/lib
mount --bind "$1/run" /run
mount --bind "$2" /usr/libexec
exec "$3" "$4" -f "$1/smtpd.conf"
"""


@contextlib.contextmanager
def opensmtpd(
    *,
    relay: str = "",
    host: str = HOST,
    fixed: Mapping[str, int] | None = None,
    output: str = "-d",
) -> Iterator[MailServer]:
    """Run OpenSMTPD until the block is left.

    `relay` is the end of a "relay" action (smtpd.conf(5)): where mail for other domains goes;
    `fixed` gives services a port. `output` is "-d" to log to the file, "-F" to syslog. Needs
    root and mount namespaces (Linux). Skips where OpenSMTPD is not installed.
    """
    program = unpacked("/usr/sbin/smtpd")
    require("OpenSMTPD", program, "unshare")
    with private_folder("os") as folder:
        certificates = write_certificates(folder, host, key=trustme.KeyType.RSA)  # all it can guard
        certificates["key"].chmod(0o600)
        ports = free_ports(*SERVICES, host=host, fixed=fixed)
        for name, mode in (
            ("spool/smtpd", 0o711),
            ("lib/opensmtpd/empty", 0o755),
            ("run", 0o755),
            ("mail", 0o1777),
        ):
            (folder / name).mkdir(parents=True)
            (folder / name).chmod(mode)
        (folder / "smtpd.conf").write_text(
            CONFIGURATION.format(
                folder=folder,
                host=host,
                domain=DOMAIN,
                user=USER,
                second=SECOND_USER,
                next=relay,
                **certificates,
                **ports,
            )
        )
        log = folder / "smtpd.log"
        mounts = ["unshare", "--mount", "sh", "-c", NAMESPACE, "sh"]
        command = [*mounts, str(folder), str(unpacked("/usr/libexec")), str(program), output]
        with running(command, log) as process:
            wait_for_ports(host, ports.values(), log, process)
            yield MailServer(
                name="OpenSMTPD",
                host=host,
                domain=DOMAIN,
                folder=folder,
                authority=certificates["authority"],
                log=log,
                ports=ports,
                mailboxes={user: folder / "mail" / user for user in (USER, SECOND_USER)},
            )
