"""Labelled texts as files of other projects, and back: a file a format, each with what it loses; see `registry`."""
