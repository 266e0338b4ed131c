"""The client's sockets: connect, read, write, upgrade to TLS, and the facts of a certificate."""
