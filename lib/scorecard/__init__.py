"""Comparison of arms: scorecard, differences that hold, frontier, runs side by side."""
