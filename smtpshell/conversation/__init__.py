"""Headless conversations: the driver, its operations, the local commands, and scripts."""
