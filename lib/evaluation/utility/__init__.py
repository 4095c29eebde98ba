"""Utility: what can be done with synthetic text, beside what real text of the same size can do."""
