"""The hybrid: texts of other arms, selected by noisy votes of the private records (Yu et al. 2024)."""
