"""SMTP with no input or output: bytes to values and values to bytes; standard library only."""
