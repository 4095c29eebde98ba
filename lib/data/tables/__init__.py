"""Rows of tables over a declared domain, kept as texts: a row is a JSON object, so it is a record like any other."""
