"""Arms made again on a corpus with canaries, and attacked. *Evaluation only*: nothing of this is ever released."""
