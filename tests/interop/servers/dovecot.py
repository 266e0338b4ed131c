"""Dovecot as a private instance: its submission service, and LMTP over TCP and a UNIX socket.

| service       | what it is                                                                 |
|---------------|----------------------------------------------------------------------------|
| `submission`  | STARTTLS offered, clear-text logins only behind it; every mechanism below    |
| `submissions` | the same with TLS at once; a client certificate allows EXTERNAL              |
| `lmtp`        | delivery into the mailboxes of `dovecot.example`, one reply per recipient    |

The submission service relays what it takes to `relay`, a loopback port. Tokens for XOAUTH2 and
OAUTHBEARER are JSON Web Tokens signed with a key of this instance: `token(server)` makes one.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import shutil
import time
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
    wait_for_ports,
    write_certificates,
)

DOMAIN = "dovecot.example"
SERVICES = ("submission", "submissions", "lmtp")
MECHANISMS = (
    "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256",
    "XOAUTH2", "OAUTHBEARER", "EXTERNAL",
)  # fmt: skip
TOKEN_KEY = b"the key of this test's tokens, and of nothing else"

CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = {name}
log_path = {folder}/dovecot.log
auth_verbose = yes
listen = {host}
protocols = submission lmtp
hostname = mail.{domain}
postmaster_address = postmaster@{domain}
mail_location = maildir:{folder}/mail/%n
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1
mail_plugins =
shutdown_clients = yes
stats_writer_socket_path =

ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_ca = <{authority}
ssl_verify_client_cert = yes
ssl_require_crl = no
ssl_cert_username_field = commonName
auth_ssl_username_from_cert = yes
disable_plaintext_auth = yes

auth_mechanisms = {mechanisms}
auth_failure_delay = 0
auth_username_format = %n
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
  args = scheme=plain {folder}/users
}}
passdb {{
  driver = static
  mechanisms = external
  args = nopassword=yes
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}

submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
submission_relay_ssl = no
submission_relay_trusted = no
submission_max_mail_size = 10M
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no

service submission-login {{
  inet_listener submission {{
    port = {submission}
  }}
  inet_listener submissions {{
    port = {submissions}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = {host}
    port = {lmtp}
  }}
  unix_listener {folder}/lmtp.sock {{
    mode = 0666
  }}
}}
"""

OAUTH2 = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = sub
username_format = %n
"""


@contextlib.contextmanager
def dovecot(
    relay: int,
    *,
    settings: str = "",
    host: str = HOST,
    fixed: Mapping[str, int] | None = None,
) -> Iterator[MailServer]:
    """Run Dovecot until the block is left; what is submitted goes to the loopback port `relay`.

    `settings` is appended to the configuration; `fixed` gives services a port. Needs root. Skips
    where Dovecot's submission and LMTP packages are not installed.
    """
    modules = ("/usr/lib/dovecot/submission", "/usr/lib/dovecot/lmtp")
    require("Dovecot", "dovecot", *modules)
    with private_folder("dc") as folder:
        certificates = write_certificates(folder, host)
        ports = free_ports(*SERVICES, host=host, fixed=fixed)
        (folder / "mail").mkdir()
        shutil.chown(folder / "mail", "mail", "mail")
        users = [
            f"{user}:{PASSWORD}::::{folder}/mail/{user}" for user in (USER, SECOND_USER, "full")
        ]
        (folder / "users").write_text("\n".join(users) + "\n")
        key = folder / "keys" / "default" / "HS256" / "default"
        key.parent.mkdir(parents=True)
        key.write_bytes(base64.b64encode(TOKEN_KEY))
        (folder / "oauth2.conf").write_text(OAUTH2.format(folder=folder))
        configuration = folder / "dovecot.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                name=folder.name,
                host=host,
                domain=DOMAIN,
                relay=relay,
                mechanisms=" ".join(MECHANISMS).lower(),
                **certificates,
                **ports,
            )
            + settings
        )
        log = folder / "dovecot.log"
        with running(["dovecot", "-F", "-c", configuration], log) as process:
            wait_for_ports(host, ports.values(), log, process)
            yield MailServer(
                name="Dovecot",
                host=host,
                domain=DOMAIN,
                folder=folder,
                authority=certificates["authority"],
                log=log,
                ports=ports,
                sockets={"lmtp": folder / "lmtp.sock"},
                mailboxes={user: folder / "mail" / user for user in (USER, SECOND_USER)},
            )


def token(server: MailServer, *, lifetime: float = 3600) -> str:
    """Return an OAuth 2 access token (RFC 7519, HS256) that `server` takes for its user."""
    now = int(time.time())
    claims = {"sub": server.user, "iat": now - 60, "exp": int(now + lifetime), "aud": server.domain}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.digest(TOKEN_KEY, signed, hashlib.sha256)
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()
