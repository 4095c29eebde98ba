"""What the gradients that DP-SGD releases say of each canary.

The guarantee covers every noisy gradient of a training, not the last weights alone. So an attack may read them, as that
on Aug-PE reads the votes: a canary that joined a batch added its own clipped gradient to that step's sum. Which
gradient that is follows from the public model at the first step. Later ones would ask for it anew, at the price of a
training each: they are searched for the first one, which tells less from step to step. A single canary joins a batch
with the sampling probability alone, so little can be shown of it; one that came a hundred times joins most.
*Evaluation only*: it runs on audited arms; of their gradients only these products are kept, and removed with the arms.
"""

from collections.abc import Sequence

import numpy as np
import torch
from peft import PeftModel

from lib.methods.dp_lora import per_sample
from lib.models.examples import Batch, Example, by_length
from lib.models.losses import example_losses, head_splits

TOKENS_AT_ONCE = 512  # of a batch of canaries
RIDGE = 0.01  # of the mean squared norm
COLUMNS_AT_ONCE = 2**16  # of gradients that are widened to float32


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
    split_head = head_splits(model, Batch.of(examples[:1], 0, device))
    try:
        for part in by_length([1] * len(examples), [len(e) for e in examples], TOKENS_AT_ONCE):
            batch = Batch.of([examples[i] for i in part], 0, device)
            losses = example_losses(model, batch, split_head=split_head)
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


def products(gradients: torch.Tensor, others: torch.Tensor) -> np.ndarray:
    """Scalar products of the rows of two sets of gradients, float64 (n, k), in blocks of bounded memory."""
    found = torch.zeros(len(gradients), len(others), dtype=torch.float64)
    for start in range(0, gradients.shape[1], COLUMNS_AT_ONCE):
        part = slice(start, start + COLUMNS_AT_ONCE)
        found += (gradients[:, part].float() @ others[:, part].float().T).double()
    return found.numpy()


def scores(known: np.ndarray, released: np.ndarray) -> np.ndarray:
    """How much of each record's gradient is in each released one, shape (steps, records); higher means rather in.

    ``known`` (records, records) are the `products` of the records' gradients before the first step (`of_examples`):
    canaries, and others that were not in as background. ``released`` (records, steps) are their products with what
    each step handed the optimizer. A released gradient is taken for a mix of all of them and of noise, and the
    coefficients are estimated by ridge regression: so what a canary shares with the others, or with any record, does
    not speak for it. Without the background the gradients of the real records of the batch drown those of the canaries.
    """
    ridge = RIDGE * known.diagonal().mean() * np.eye(len(known))
    return np.linalg.solve(known + ridge, released).T
