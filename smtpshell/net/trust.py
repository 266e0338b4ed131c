"""Whether a chain leads to a trusted root: OpenSSL's own judgement, over what the server sent.

pyOpenSSL's X509StoreContext asks the same code that the ssl module's handshake would. It reports
one error and stops, so dates are left out of a second look: a chain that is expired *and* unknown
is told as both.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from smtpshell.net.errors import TlsError
from smtpshell.net.tls import TlsSettings, trusted_files
from smtpshell.protocol.errors import Status
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from OpenSSL import crypto

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which pyOpenSSL does not name

# OpenSSL's verification errors (x509_vfy.h), as far as they are told apart here.
UNREADABLE = -1
SELF_SIGNED = 18
UNTRUSTED_ROOT = 19
NO_ISSUER = frozenset({2, 20, 21})
DATES = frozenset({9, 10})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What OpenSSL says of a chain: `code` 0 means trusted, otherwise its error with its words.

    `depth` counts from the server's certificate (0) to the one that the error is about; `path` is
    the chain that OpenSSL built, root included, as DER, when it is trusted.
    """

    code: int
    depth: int = 0
    message: str = ""
    path: tuple[bytes, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether the chain leads to a trusted root."""
        return self.code == 0


def warm_up() -> None:
    """Import what a judgement needs, so that it can happen while the network is waited for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import OpenSSL.crypto  # noqa: F401  # imported for its effect


class TrustStore:
    """The trusted certificates of some settings, asked as often as needed.

    Raises TlsError of kind `settings` when the given trusted certificates cannot be read.
    """

    def __init__(self, settings: TlsSettings) -> None:
        self._store = _open_store(settings)

    def judge(self, chain: Sequence[bytes], now: datetime | None = None) -> Judgement:
        """Ask OpenSSL whether a chain, as the server sent it, is trusted now (or at `now`)."""
        if now is not None:
            self._store.set_time(now)
        return self._ask(chain)

    def judge_without_dates(self, chain: Sequence[bytes]) -> Judgement:
        """Ask the same, leaving all dates out; the store leaves them out from then on."""
        self._store.set_flags(_NO_CHECK_TIME)
        return self._ask(chain)

    def _ask(self, chain: Sequence[bytes]) -> Judgement:
        from OpenSSL import crypto

        kind = crypto.FILETYPE_ASN1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                first, *others = (crypto.load_certificate(kind, der) for der in chain)
                path = crypto.X509StoreContext(self._store, first, others).get_verified_chain()
                return Judgement(0, path=tuple(crypto.dump_certificate(kind, one) for one in path))
            except crypto.X509StoreContextError as error:
                code, depth, message = error.errors
                return Judgement(int(code), int(depth), str(message))
            except (crypto.Error, ValueError, TypeError) as error:
                words = f"the chain cannot be read ({type(error).__name__})"
                return Judgement(UNREADABLE, 0, words)


def _open_store(settings: TlsSettings) -> crypto.X509Store:
    from OpenSSL import crypto

    store = crypto.X509Store()
    if settings.extra_ca_pem is not None:
        _add_pem(store, settings.extra_ca_pem)
        return store
    places: tuple[Any, Any] = trusted_files(settings)
    if places == (None, None):
        _add_system(store)
        return store
    try:
        store.load_locations(*places)
    except (crypto.Error, OSError) as error:
        if settings.trust == "system":
            return store
        raise TlsError(
            "settings",
            "cannot read the trusted certificates",
            settings.ca_file or settings.ca_folder,
            "Give a PEM file, or a folder prepared by openssl rehash.",
            status=Status.FILE,
        ) from error
    return store


def _add_pem(store: crypto.X509Store, pem: bytes) -> None:
    from OpenSSL import crypto

    marker = b"-----END CERTIFICATE-----"
    for part in pem.split(marker)[:-1]:
        try:
            store.add_cert(crypto.load_certificate(crypto.FILETYPE_PEM, part + marker + b"\n"))
        except crypto.Error as error:
            raise TlsError(
                "settings",
                "the given CA's certificate cannot be read",
                "",
                "Give certificates in PEM form.",
            ) from error


def _add_system(store: crypto.X509Store) -> None:
    """Take the certificates from where the ssl module finds them (Windows has no files)."""
    import ssl

    from OpenSSL import crypto

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    for der in context.get_ca_certs(binary_form=True):
        try:
            store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, der))
        except crypto.Error:
            continue
