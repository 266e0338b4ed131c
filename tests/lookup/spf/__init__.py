"""Tests of the SPF room."""
