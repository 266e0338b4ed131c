"""The practice server: scenarios as data, mailboxes, clock, certificates; loopback only."""
