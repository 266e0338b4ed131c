"""smtpshell speaks raw SMTP, explains every reply, and teaches the protocol."""

__version__ = "0.1.0"
