"""TLS settings and the contexts made from them.

Two kinds of context serve two wishes. For diagnosis the handshake shall go through, whatever the
server's keeper has set up: no verification, TLS 1.0 up, security level 0; the verdict is computed
afterwards. For scripts that demand verification the ssl module verifies in the handshake itself.

The system's trusted certificates are taken from the hashed folder alone where one stands beside the
bundle: parsing the bundle takes 20 ms, the folder is read certificate by certificate when needed.
"""

from __future__ import annotations

import os
import re
import ssl
import warnings

from smtpshell.net.errors import TlsError
from smtpshell.net.faults import reason_of
from smtpshell.protocol.errors import Status
from smtpshell.protocol.values import dataclass, field

# The words a user writes, and OpenSSL's versions (RFC 2246, 4346, 5246, 8446).
VERSIONS: dict[str, ssl.TLSVersion] = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}

_EVERY_CIPHER = "ALL:COMPLEMENTOFDEFAULT:!eNULL:!aNULL:!PSK:!SRP:@SECLEVEL=0"
_LEGACY_SERVER_CONNECT = 0x4  # SSL_OP_LEGACY_SERVER_CONNECT; the ssl module names it since 3.12


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How to speak TLS.

    `minimum` and `maximum` are keys of VERSIONS or empty; `ciphers` an OpenSSL cipher list for
    TLS 1.2 and older; `sni` a name to send in place of the host's; `certificate` and `key` the
    client's, PEM files; `ca_file`, `ca_folder` and `extra_ca_pem` (PEM) stand in for the system's
    trusted certificates; `verify` demands verification in the handshake.
    """

    minimum: str = ""
    maximum: str = ""
    ciphers: str = ""
    sni: str = ""
    certificate: str = ""
    key: str = ""
    key_password: str = field(default="", repr=False)
    ca_file: str = ""
    ca_folder: str = ""
    extra_ca_pem: bytes | None = None
    verify: bool = False

    @property
    def trust(self) -> str:
        """Whose certificates are trusted: `given`, `practice` or `system`."""
        if self.extra_ca_pem is not None:
            return "practice"
        return "given" if self.ca_file or self.ca_folder else "system"


def version_of(text: str) -> ssl.TLSVersion:
    """Read a version as users write it: `1.2`, `TLSv1.2`, `tls1_2`; raises TlsError."""
    word = re.sub(r"^(tls)?v?", "", text.strip().lower()).replace("_", ".")
    version = VERSIONS.get("1.0" if word == "1" else word)
    if version is None:
        raise TlsError(
            "settings", f"unknown TLS version {text!r}", "", f"Choose from {', '.join(VERSIONS)}."
        )
    return version


def make_context(settings: TlsSettings) -> ssl.SSLContext:
    """Make the context for one link; raises TlsError of kind `settings` when something is unusable.

    Pass the name that shall be verified (or sent as SNI) to `Link.start_tls`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.verify:
        context.hostname_checks_common_name = False  # RFC 9525 section 2
        _trust(context, settings)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.options |= _LEGACY_SERVER_CONNECT
    context.options |= ssl.OP_NO_RENEGOTIATION  # it would make writing wait for reading
    _set_ciphers(context, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.0 and 1.1, asked for here
        if settings.minimum:
            context.minimum_version = version_of(settings.minimum)
        if settings.maximum:
            context.maximum_version = version_of(settings.maximum)
    if settings.certificate:
        _load_client_certificate(context, settings)
    return context


def _set_ciphers(context: ssl.SSLContext, settings: TlsSettings) -> None:
    ciphers = settings.ciphers or ("" if settings.verify else _EVERY_CIPHER)
    if not ciphers:
        return
    if settings.ciphers and not settings.verify and "@SECLEVEL" not in ciphers:
        ciphers += ":@SECLEVEL=0"
    try:
        context.set_ciphers(ciphers)
    except (ssl.SSLError, ValueError) as error:
        raise TlsError(
            "settings",
            f"no cipher matches {settings.ciphers!r}",
            "",
            "Write an OpenSSL cipher list, such as ECDHE+AESGCM.",
        ) from error


def _load_client_certificate(context: ssl.SSLContext, settings: TlsSettings) -> None:
    def password() -> str:  # without this OpenSSL would ask on the terminal
        return settings.key_password

    try:
        context.load_cert_chain(settings.certificate, settings.key or None, password)
    except ssl.SSLError as error:
        reasons = {
            "KEY_VALUES_MISMATCH": "the key does not belong to the certificate",
            "NO_START_LINE": "the file holds no certificate or no key in PEM form",
            "PEM_LIB": "the file holds no certificate or no key in PEM form",
            "BAD_PASSWORD_READ": "the key is locked and no password for it is given",
            "BAD_DECRYPT": "the password does not open the key",
        }
        reason = reason_of(error)
        what = reasons.get(reason, reason.replace("_", " ").lower())
        raise _file_error(what, settings.certificate) from error
    except (OSError, ValueError) as error:
        missing = next(
            (
                name
                for name in (settings.certificate, settings.key)
                if name and not os.access(name, os.R_OK)
            ),
            settings.certificate,
        )
        what = (getattr(error, "strerror", None) or str(error)).lower()
        raise _file_error(what, missing) from error


def _file_error(what: str, where: str) -> TlsError:
    return TlsError(
        "settings",
        f"cannot use this file for TLS: {what}",
        where,
        "Give PEM files: the certificate with its chain, and its key.",
        status=Status.FILE,
    )


def _trust(context: ssl.SSLContext, settings: TlsSettings) -> None:
    """Load the trusted certificates for verification by the ssl module."""
    if settings.extra_ca_pem is not None:
        try:
            context.load_verify_locations(cadata=settings.extra_ca_pem.decode("ascii", "replace"))
        except (ssl.SSLError, ValueError) as error:
            raise _file_error("it holds no certificate in PEM form", "the given CA") from error
        return
    files = trusted_files(settings)
    if files == (None, None):
        context.load_default_certs()
        return
    try:
        context.load_verify_locations(*files)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        what = (
            "it holds no certificate in PEM form"
            if isinstance(error, ssl.SSLError)
            else (getattr(error, "strerror", None) or str(error)).lower()
        )
        raise _file_error(what, settings.ca_file or settings.ca_folder) from error


def trusted_files(settings: TlsSettings) -> tuple[str | None, str | None]:
    """Return (bundle, hashed folder) of the trusted certificates, as `settings` or the system say.

    Both are None where the system keeps them elsewhere (Windows).
    """
    if settings.ca_file or settings.ca_folder:
        return settings.ca_file or None, settings.ca_folder or None
    paths = ssl.get_default_verify_paths()
    bundle, folder = paths.cafile, paths.capath
    if bundle and folder:
        real = os.path.realpath(bundle)
        chosen = paths.openssl_cafile_env in os.environ
        usual = not chosen or real == os.path.realpath(paths.openssl_cafile)
        if usual and os.path.split(real)[0] == os.path.realpath(folder) and _is_hashed(folder):
            return None, folder
    return bundle, folder


def _is_hashed(folder: str) -> bool:
    """Tell whether a folder's certificates can be found by their subject's hash."""
    try:
        with os.scandir(folder) as entries:
            return any(re.fullmatch(r"[0-9a-f]{8}\.\d+", entry.name) for entry in entries)
    except OSError:
        return False
