"""Postfix as a private instance: one service for each way a client may meet it.

| service      | what it is                                                                  |
|--------------|-----------------------------------------------------------------------------|
| `smtp`       | an MX: STARTTLS offered, mail for `postfix.example` only                      |
| `submission` | STARTTLS required, then AUTH required; a login owns its own address only      |
| `smtps`      | the same with TLS at once                                                     |
| `xclient`    | like `smtp`, and loopback may use XCLIENT and XFORWARD                        |
| `small`      | like `smtp`, with messages up to 10,000 octets                                |
| `plain`      | AUTH without TLS, all mechanisms                                              |
| `proxied`    | like `smtp`, behind a proxy that says whose connection it is (PROXY header)   |

Passwords are kept by Cyrus SASL (sasldb), so that Dovecot's own submission service is the second
implementation of every mechanism. Mail for other domains goes to `relay`, a loopback port, or to
Postfix's error transport.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .running import (
    HOST,
    PASSWORD,
    PATIENCE,
    SECOND_USER,
    USER,
    MailServer,
    free_ports,
    private_folder,
    require,
    wait_for_ports,
    write_certificates,
)

DOMAIN = "postfix.example"
SERVICES = ("smtp", "submission", "smtps", "xclient", "small", "plain", "proxied")
MAIL_UID = 8  # Debian's "mail"; owns the mailboxes

MAIN = """\
compatibility_level = 3.6
myhostname = mx.{domain}
mydestination =
mynetworks =
inet_interfaces = all
inet_protocols = ipv4
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
alternate_config_directories =
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:5.1.1 no local users
default_transport = {relay}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_tls_security_level = none
smtpd_peername_lookup = no
smtputf8_enable = yes
strict_rfc821_envelopes = no
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ {{{user}@{domain} = {user}/}},
  {{{second}@{domain} = {second}/}}, {{pelé@{domain} = {second}/}} }}
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
smtpd_tls_CAfile = {authority}
smtpd_tls_chain_files = {key}, {certificate}
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_sender_login_maps = inline:{{ {{{user}@{domain} = {user}@{domain}}},
  {{{second}@{domain} = {second}@{domain}}} }}
smtpd_discard_ehlo_keywords =
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_junk_command_limit = 1000
cyrus_sasl_config_path = {folder}/etc/sasl
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = {domain}
smtpd_sasl_security_options = noanonymous
smtpd_sasl_tls_security_options = noanonymous
notify_classes =
minimal_backoff_time = 300s
bounce_size_limit = 5000
"""

MASTER = """\
{host}:{smtp}       inet n - n - - smtpd
{host}:{submission} inet n - n - - smtpd -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes
  -o {{smtpd_client_restrictions=permit_sasl_authenticated, reject}}
  -o {{smtpd_sender_restrictions=reject_sender_login_mismatch}}
{host}:{smtps}      inet n - n - - smtpd -o syslog_name=postfix/smtps
  -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes
  -o {{smtpd_client_restrictions=permit_sasl_authenticated, reject}}
  -o {{smtpd_sender_restrictions=reject_sender_login_mismatch}}
{host}:{xclient}    inet n - n - - smtpd -o smtpd_authorized_xclient_hosts=127.0.0.0/8
  -o smtpd_authorized_xforward_hosts=127.0.0.0/8
{host}:{small}      inet n - n - - smtpd -o message_size_limit=10000
{host}:{plain}      inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_security_level=none -o smtpd_sasl_security_options=
{host}:{proxied}    inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
lmtp      unix - - n - - lmtp
virtual   unix - n n - - virtual
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
showq     unix n - n - - showq
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {folder}/etc/sasl/sasldb2
mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 ANONYMOUS
"""


@contextlib.contextmanager
def postfix(
    *,
    relay: int | None = None,
    settings: str = "",
    host: str = HOST,
    fixed: Mapping[str, int] | None = None,
    names: Sequence[str] = (),
) -> Iterator[MailServer]:
    """Run Postfix until the block is left.

    `relay` is a loopback port that takes all mail for other domains; `settings` are lines of
    main.cf; `fixed` gives services a port; `names` stand in the certificate. Needs root. Skips
    where Postfix or Cyrus SASL's tools are not installed.
    """
    require("Postfix", "postfix", "postlog", "saslpasswd2")
    with private_folder("pf") as folder:
        certificates = write_certificates(folder, host, *names)
        ports = free_ports(*SERVICES, host=host, fixed=fixed)
        configuration = folder / "etc"
        for name in ("etc", "etc/sasl", "queue", "data", "mail"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        shutil.chown(folder / "mail", MAIL_UID, MAIL_UID)
        values = {
            "folder": folder,
            "domain": DOMAIN,
            "uid": MAIL_UID,
            "user": USER,
            "second": SECOND_USER,
            "relay": f"smtp:[{HOST}]:{relay}" if relay else "error:5.4.4 mail leaves no test",
            **certificates,
        }
        (configuration / "main.cf").write_text(
            merged(MAIN.format(**values), settings), encoding="utf-8"
        )
        (configuration / "master.cf").write_text(
            MASTER.format(host=host, **ports), encoding="utf-8"
        )
        (configuration / "sasl" / "smtpd.conf").write_text(SASL.format(**values), encoding="utf-8")
        add_logins(configuration / "sasl" / "sasldb2")
        log = folder / "mail.log"
        control(configuration, "start")
        try:
            wait_for_ports(host, ports.values(), log)
            yield MailServer(
                name="Postfix",
                host=host,
                domain=DOMAIN,
                folder=folder,
                authority=certificates["authority"],
                log=log,
                ports=ports,
                user=f"{USER}@{DOMAIN}",
                mailboxes={user: folder / "mail" / user for user in (USER, SECOND_USER)},
            )
        finally:
            control(configuration, "stop")
            wait_for_end(folder)


def merged(*texts: str) -> str:
    """Join texts in the form of main.cf; of each parameter the last value stays.

    Postfix warns of doubles; every daemon's warning at its start can clog its log's own daemon.
    """
    entries = [entry for text in texts for entry in re.split(r"\n(?=\S)", text.strip())]
    return "\n".join({entry.split("=")[0].strip(): entry for entry in entries}.values()) + "\n"


def control(configuration: Path, verb: str) -> None:
    """Start or stop the instance through Postfix's own script; its words stand in the failure."""
    done = subprocess.run(
        ["postfix", "-c", configuration, verb],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"postfix {verb}: {done.stdout}{done.stderr}"


def wait_for_end(folder: Path) -> None:
    """Return when the master process has released its lock."""
    pid = folder / "queue" / "pid" / "master.pid"
    deadline = time.monotonic() + PATIENCE
    while pid.exists() and time.monotonic() < deadline:
        number = pid.read_text().strip()
        if not number or not Path(f"/proc/{number}/cmdline").exists():
            return
        time.sleep(0.02)


def add_logins(database: Path) -> None:
    """Write the users into a Cyrus SASL password database that the postfix account may read."""
    for user in (USER, SECOND_USER):
        subprocess.run(
            ["saslpasswd2", "-p", "-c", "-f", database, "-u", DOMAIN, user],
            input=PASSWORD.encode(), check=True, capture_output=True,
        )  # fmt: skip
    shutil.chown(database, "postfix")
