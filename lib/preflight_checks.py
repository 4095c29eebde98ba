"""What can be refused about a stage's parameters before its kernel starts, beyond their types and ranges.

A check takes the resolved parameters and raises DoppelError. It must stay light: importing this file
may not import torch or transformers.
"""

from collections.abc import Callable, Mapping

CHECKS: dict[str, Callable[[Mapping[str, object]], None]] = {}  # by notebook: the budget's feasibility, say
