"""Texts of another arm, or of a user, without what they should not tell: no noise is drawn."""
