"""Texts with slots that are filled with made-up personal data: no noise is drawn, and no private record is read."""
