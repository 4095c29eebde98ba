"""A check of the machine that Doppel is to run on: each path in small, beside an oracle."""
