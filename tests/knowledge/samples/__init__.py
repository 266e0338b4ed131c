"""What real mail programs say: bounces, log lines and error texts, and how they were made."""
