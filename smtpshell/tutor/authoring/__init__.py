"""The author's room: what helps to write lessons, to keep them true, and to show them.

commands        `smtpshell lesson new`, `format`, `guide`, `record`
template        the file of a new lesson, and the format on one page
accept          the server's words taken over        rewording    ... as far as that is certain
i18n            texts out to translators and in      texts        ... found in a lesson file
po              PO files
preview         what a learner meets, from a step on
render          a lesson to read or to watch         rendering    ... as a page of HTML
timeline        ... as it passes in time             recordings   ... as casts, captions, tapes
answers         what a class answered, to be marked
saving          a real server as a scenario          course       ... what it was told and said
personality     ... and how that becomes rules       drawn        ... and the file of a scenario
trial           ... which is tried out
writing         files, whole or not at all
"""
