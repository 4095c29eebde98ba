"""Private prediction: each token from a model's public logits and the clipped mean of what private records change."""
