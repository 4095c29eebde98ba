"""Measures of pictures: spaces that had no vote, and classifiers. *Evaluation only* where real pictures enter."""
