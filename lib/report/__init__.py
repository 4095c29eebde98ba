"""The report of a run, as pages that stand alone: `write` makes them, from a scorecard and the run's folder."""

from lib.report.images import Figure
from lib.report.page import TEMPLATES, write

__all__ = ["TEMPLATES", "Figure", "write"]
