"""Fidelity: how far synthetic text is from held-out real text. *Evaluation only*: every number here is non-private."""
