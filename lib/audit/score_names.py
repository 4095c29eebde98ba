"""Names of the scores that every audit has, whatever method it attacks. Light: methods' entries import it."""

OF_TEXTS = ("2-gram", "3-word overlap", "similarity")  # read the synthetic text alone
