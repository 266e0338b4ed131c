"""Pasted text to replies: a source of replies like a live session, only out of step with it.

People paste what they have: one reply, a bounce, a log, a session, the error of a program. A
`Finder` takes such text line by line and gives back each reply as a `Found`, with what the text
tells around it: the command it answers, who sent it, to whom. What fails without a reply ("no such
host") is found as well.

    lines   octets to text lines, each of bounded length
    finder  the order in which the forms are tried, and what belongs together
    logs    one line of a mail log
    talk    a session: the two sides alternating, in nine notations
    report  a bounce: its MIME parts and its delivery status
    words   what a bounce says to people
    markup  the same where it is said in HTML
    containers  log lines in the JSON of journald and of containers
    records replies as JSON lines
    programs  the error texts of mail programs and libraries
    phrases what fails without a reply

Nothing here raises, whatever the text; memory stays bounded however long it is; each line is read
in time proportional to its length.
"""
