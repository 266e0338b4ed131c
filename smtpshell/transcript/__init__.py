"""Conversations as text and JSON lines: write, load, redact, export."""
