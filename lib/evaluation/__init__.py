"""Metrics of synthetic text between a floor and a ceiling."""
