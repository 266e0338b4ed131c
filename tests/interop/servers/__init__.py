"""Real mail servers, started as private instances by the tests that need them."""

from .dovecot import dovecot, token
from .exim import exim
from .opensmtpd import opensmtpd
from .postfix import postfix
from .running import MailServer
from .sink import Sink, sink

__all__ = ["MailServer", "Sink", "dovecot", "exim", "opensmtpd", "postfix", "sink", "token"]
