"""Prompting alone: the model never saw a private record. Its arms are the floor of every comparison."""
