"""Simulators: pictures that are drawn from a few parameters, without any model."""
