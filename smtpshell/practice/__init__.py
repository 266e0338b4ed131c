"""The practice server: scenarios as data, mailboxes, clock, throw-away certificates; loopback only."""
