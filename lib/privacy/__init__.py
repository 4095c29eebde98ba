"""Mechanisms, their accounting, the ledger of an arm, and the offline check of a certificate."""
