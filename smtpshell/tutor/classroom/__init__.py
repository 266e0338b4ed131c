"""The classroom: one teacher and many learners.

submit          a learner's logs, packed into one file      submission  what that file holds
grade           a folder of such files, graded              intake      ... read without trust
attempts        what the records of a log come to           replaying   ... done again, for real
points          what that is worth                          reports     tables and mistakes
gradebooks      the tables that course systems import
receipts        what the server saw, signed                 witnessed   grades held against it

commands        `smtpshell classroom` and its words         serving     the teacher's server
room            a practice world for each student           keys        names that say whose it is
lobby           the port that a class shares                following   how far a student is
desk            what the teacher's screen tells             watching    ... and what is worth an eye
control         the socket for the teacher's words          asking      its other end
telling         say, pause, demo, reset                     ports       where everybody sits
bulletin        what the whole class is told                topics      what students may ask
demo            the lesson's own solution, shown
"""
