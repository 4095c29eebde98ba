"""Private records from nothing: a made-up person, what happened to them, and a text about it (Privasis)."""
