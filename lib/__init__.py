"""Doppel: differentially private synthetic text. Thin helpers for the notebooks; one job a file."""
