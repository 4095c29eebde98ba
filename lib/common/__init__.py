"""Helpers that every other room uses; they import nothing else of lib."""
