"""Texts without what they should not tell, and the check of what leaks all the same (Privasis)."""
