"""Activation steering: one noisy mean of hidden states moves a model that is not trained (EPSVec, arXiv:2602.21218)."""
