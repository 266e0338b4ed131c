"""The practice server: small mail worlds made of data, served on loopback, never relaying.

The rooms within the room:

    scenario        a world as frozen values        scenario_file   ... read from TOML
    expression      the language of `when`          rules           which rule fires, and why
    checking        is a scenario sound?            library         the scenarios by name
    world           what outlives a connection      clock           time that moves when told to
    mailbox         stored messages                 accounts        published users and their logins
    server          hosts and ports on loopback     wire            one connection, TLS included
    dialogue        one client with one host        facts, policy   what it knows, what it thinks
    profiles        from a host to a server's side  personalities   the words of known servers
    delivery        what becomes of a message       hop             ... from host to host, in memory
    reports         delivery status notifications   signing         changes and DKIM on the way
    verdicts        SPF, DKIM, DMARC of the world   certificates    throw-away, made when used
    malform         what a reply should not be      tap             the server's side as events
    steward         a word of whoever keeps it      client          for a person who is the server

The data lie in lessons/scenarios; README.md there is the guide for authors.
"""
