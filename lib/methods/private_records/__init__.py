"""Texts about made-up people and what happened to them: no noise is drawn, and no private record is read."""
