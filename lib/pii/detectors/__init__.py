"""Detectors: what finds personal data in a text, each behind one interface."""
