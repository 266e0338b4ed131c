"""The classroom: one teacher and many learners.

submit          a learner's logs, packed into one file      submission  what that file holds
grade           a folder of such files, graded              intake      ... read without trust
attempts        what the records of a log come to           replaying   ... done again, for real
points          what that is worth                          reports     tables and mistakes
gradebooks      the tables that course systems import
commands        `smtpshell classroom` and its words         serving     the teacher's server
room            a practice world for each student           following   how far a student is
watching        what is worth a teacher's eye               control     words for the server
"""
