"""Lessons: the format, the engine, checks, progress and grading; no terminal."""
