"""The TLS handshake of a conversation: the upgrade of its link, and the verdict on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.protocol.values import replace

if TYPE_CHECKING:
    from smtpshell.conversation.targets import Target
    from smtpshell.conversation.terms import Options
    from smtpshell.net.link import Link
    from smtpshell.net.tls import TlsSettings
    from smtpshell.net.verdict import Verdict


def settings_for(target: Target, options: Options) -> TlsSettings:
    """Return the TLS settings for a target; its own authority, if any, is trusted beside others."""
    if target.ca_pem is None:
        return options.tls
    return replace(options.tls, extra_ca_pem=target.ca_pem())


async def shake_hands(link: Link, target: Target, options: Options) -> tuple[Verdict, bytes]:
    """Upgrade a link; return the verdict and the plain text that had arrived before.

    The name to verify is the target's host unless another is set. Raises `TlsError`.
    """
    from smtpshell.net.tls import make_context
    from smtpshell.net.verdict import judge

    settings = settings_for(target, options)
    host = settings.sni or target.host
    context = make_context(settings)
    injected = await link.start_tls(context, host, options.connect_timeout)
    assert link.ssl_object is not None
    return judge(link.ssl_object, host, settings, group=link.group), injected
