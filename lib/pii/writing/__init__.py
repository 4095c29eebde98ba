"""Texts with slots: written by a grammar, a model or another arm, then filled and labelled."""
