"""Records: sources, cleaning, labels, private text."""
