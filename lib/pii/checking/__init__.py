"""How good a labelled set is: beside another set, and for a detector that learns from it."""
