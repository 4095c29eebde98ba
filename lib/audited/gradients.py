"""What a gradient that DP-SGD releases says of each canary.

The guarantee covers every noisy gradient of a training, not the last weights alone. So an attack may read them, as that
on Aug-PE reads the votes: a canary that joined a batch added its own clipped gradient to that step's sum. Here it reads
the first one, for which all canaries' gradients follow from the public model; later ones would ask for them anew at
every step, at the price of a training each. A single canary joins the first batch with the sampling probability alone,
so little can be shown of it; one that came a hundred times is there.
*Evaluation only*: it runs on audited arms, whose gradients are removed with them.
"""

from collections.abc import Sequence

import numpy as np
import torch
from peft import PeftModel

from lib import per_sample
from lib.per_sample import Batch, Example

TOKENS_AT_ONCE = 512  # of a batch of canaries
RIDGE = 0.01  # of the mean squared norm


def of_examples(
    model: PeftModel, examples: Sequence[Example], *, max_grad_norm: float
) -> tuple[torch.Tensor, np.ndarray]:
    """Clipped gradient of each example by the model as it is, float16 (examples, trainable weights), on the CPU; and
    its loss in nats a token, (examples,), which the same pass gives.

    At the start of a training LoRA's first matrices have no gradient yet (the second ones are zero): their columns are
    zeros. ``max_grad_norm`` is that of the training. Without dropout: that of a training's own step is not known.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    device = parameters[0].device
    found = torch.empty(len(examples), sum(p.numel() for p in parameters), dtype=torch.float16)
    nats = np.empty(len(examples))
    training = model.training
    model.eval()
    per_sample.attach(model)
    split_head = per_sample.head_splits(model, Batch.of(examples[:1], 0, device))
    try:
        for part in per_sample.by_length([1] * len(examples), [len(e) for e in examples], TOKENS_AT_ONCE):
            batch = Batch.of([examples[i] for i in part], 0, device)
            losses = per_sample.example_losses(model, batch, split_head=split_head)
            losses.sum().backward()
            nats[part] = losses.detach().double().cpu().numpy()
            rows = torch.cat([p.grad_sample.flatten(1).float() for p in parameters], dim=1)
            found[part] = (rows * (max_grad_norm / rows.norm(dim=1, keepdim=True)).clamp(max=1)).half().cpu()
            for parameter in parameters:
                parameter.grad = parameter.grad_sample = None
    finally:
        per_sample.detach(model)
        model.train(training)
    return found, nats


def scores(released: torch.Tensor, gradients: torch.Tensor, background: torch.Tensor) -> np.ndarray:
    """How much of each canary's gradient is in a released one, shape (canaries,); higher means rather in.

    ``released`` (trainable weights,) is what the first step handed the optimizer; ``gradients`` (canaries, trainable
    weights) and ``background`` (others, trainable weights) are those of `of_examples` before that step, the latter of
    records that were not in. The released one is taken for a mix of all of them and of noise, and the coefficients are
    estimated by ridge regression: so what a canary shares with the others, or with any record, does not speak for it.
    Without the background the gradients of the real records of the batch drown those of the canaries.
    """
    every = torch.cat([gradients, background]).float()
    products = (every @ every.T).double()
    ridge = RIDGE * products.diagonal().mean() * torch.eye(len(products), dtype=torch.float64)
    found = torch.linalg.solve(products + ridge, (every @ released.float()).double())
    return found[: len(gradients)].numpy()
