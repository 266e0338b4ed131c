"""Exim as a private instance: a daemon, and the same configuration behind a pipe (`exim -bs`).

| service      | what it is                                                                  |
|--------------|-----------------------------------------------------------------------------|
| `smtp`       | an MX: STARTTLS offered, mail for `exim.example` only                         |
| `submission` | STARTTLS, then AUTH PLAIN, LOGIN or CRAM-MD5 required                         |
| `smtps`      | the same with TLS at once                                                     |

`MailServer.command` is the `exim -bs` command. The access control list speaks with the words of
Exim's own example configuration. Mail for other domains goes to `relay`, a loopback port.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping

from .running import (
    HOST,
    PASSWORD,
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

DOMAIN = "exim.example"
SERVICES = ("smtp", "submission", "smtps")
ACCOUNT = "Debian-exim"

CONFIGURATION = r"""exim_path = {program}
primary_hostname = mx.{domain}
spool_directory = {folder}/spool
log_file_path = {folder}/exim-%slog
pid_file_path = {folder}/exim.pid
process_log_path = {folder}/process.log
local_interfaces = {host}
daemon_smtp_ports = {smtp} : {submission} : {smtps}
tls_on_connect_ports = {smtps}
tls_certificate = {certificate}
tls_privatekey = {key}
tls_advertise_hosts = *
host_lookup =
rfc1413_hosts =
dns_ipv4_lookup =
disable_ipv6 = true
keep_environment =
deliver_drop_privilege = true
never_users = root
chunking_advertise_hosts = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
pipelining_connect_advertise_hosts =
message_size_limit = 10M
ignore_bounce_errors_after = 2d
timeout_frozen_after = 7d
domainlist local_domains = {domain}
acl_smtp_mail = check_mail
acl_smtp_rcpt = check_rcpt
acl_smtp_vrfy = accept
auth_advertise_hosts = ${{if and{{{{def:tls_in_cipher}}\
    {{!eq{{$received_port}}{{{smtp}}}}}}}{{*}}{{}}}}

begin acl

check_mail:
  deny    condition     = ${{if !eq{{$received_port}}{{{smtp}}}}}
          condition     = ${{if def:received_port}}
         !authenticated = *
          message       = authentication required
  accept

check_rcpt:
  accept  hosts         = :
  deny    message       = Restricted characters in address
          domains       = +local_domains
          local_parts   = ^[.] : ^.*[@%!/|]
  accept  authenticated = *
  require message       = relay not permitted
          domains       = +local_domains
  require verify        = recipient
  accept

begin routers

{routers}
relay:
  driver = manualroute
  domains = ! +local_domains
  transport = smtp
  self = send
  route_data = {relay}

full:
  driver = redirect
  domains = +local_domains
  local_parts = full
  allow_fail
  data = :fail: mailbox is full

mailbox:
  driver = accept
  domains = +local_domains
  local_parts = {user} : {second}
  transport = maildir
  cannot_route_message = Unknown user

begin transports

smtp:
  driver = smtp
  port = {relay_port}
  interface = {host}
  allow_localhost
  tls_tempfail_tryclear = false
  hosts_avoid_tls = *

maildir:
  driver = appendfile
  directory = {folder}/mail/$local_part_data
  maildir_format
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
  user = {account}

begin retry

* refused    F,1s,10m
*  *  F,2h,15m

begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2

login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{{user}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1

cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{if eq{{$auth1}}{{{user}}}{{{password}}}fail}}
  server_set_id = $auth1
"""


@contextlib.contextmanager
def exim(
    *,
    relay: int | None = None,
    routers: str = "",
    host: str = HOST,
    fixed: Mapping[str, int] | None = None,
) -> Iterator[MailServer]:
    """Run Exim until the block is left.

    `relay` is a loopback port that takes all mail for other domains; without it there is no route.
    `routers` stand before those of the configuration; `fixed` gives services a port. Needs root.
    Skips where Exim is not installed.
    """
    program = unpacked("/usr/sbin/exim4")
    require("Exim", program)
    with private_folder("ex") as folder:
        certificates = write_certificates(folder, host)
        ports = free_ports(*SERVICES, host=host, fixed=fixed)
        for name in ("spool", "mail"):
            (folder / name).mkdir()
            shutil.chown(folder / name, ACCOUNT, ACCOUNT)
        shutil.chown(folder, ACCOUNT)
        certificates["key"].chmod(0o644)
        configuration = folder / "exim.conf"
        configuration.write_text(
            CONFIGURATION.format(
                program=program,
                folder=folder,
                host=host,
                domain=DOMAIN,
                account=ACCOUNT,
                user=USER,
                second=SECOND_USER,
                password=PASSWORD,
                routers=routers,
                relay=HOST if relay else "",
                relay_port=relay or 25,
                **certificates,
                **ports,
            )
        )
        command = (str(program), "-C", str(configuration))
        output = folder / "output.log"
        with running([*command, "-bdf", "-q1m"], output) as process:
            wait_for_ports(host, ports.values(), output, process)
            yield MailServer(
                name="Exim",
                host=host,
                domain=DOMAIN,
                folder=folder,
                authority=certificates["authority"],
                log=folder / "exim-mainlog",
                ports=ports,
                mailboxes={user: folder / "mail" / user for user in (USER, SECOND_USER)},
                command=(*command, "-bs"),
            )
