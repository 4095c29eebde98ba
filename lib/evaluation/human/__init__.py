"""Judgements of people: rating sheets, forms, agreement between raters."""
