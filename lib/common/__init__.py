"""Helpers of every other package; imports nothing else of lib."""
