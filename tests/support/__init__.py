"""Toy projects, servers and corpora that several tests share."""
