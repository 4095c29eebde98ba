"""Prompting alone: a model that never saw a private record; the floor of every comparison."""
