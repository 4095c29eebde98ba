"""Comparison of arms: scorecard, differences that survive, frontier, runs side by side."""
