"""What the gradients that DP-SGD releases say about each canary.

The guarantee covers every noisy gradient of a training, not only the last weights. So an attack may read them, as the
attack on Aug-PE reads the votes: a canary that joined a batch added its own clipped gradient to that step's sum. At the
first step this gradient follows from the public model. At later steps it would have to be computed anew, at the cost of
a whole training; instead those steps are searched for the first gradient too, which says less from step to step. A
single canary joins a batch with the sampling probability only, so little can be shown about it; a canary with a hundred
copies joins most batches.

*Evaluation only*: this runs on audited arms. Only scalar products of their gradients are kept, and removed with the
arms.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from peft import PeftModel

from lib.methods.dp_lora import contrast as contrasting
from lib.methods.dp_lora import per_sample
from lib.models.examples import Batch, Example, by_length
from lib.models.losses import example_losses, head_splits

TOKENS_AT_ONCE = 512  # of a batch of canaries
RIDGE = 0.01  # times the mean squared norm of a gradient
COLUMNS_AT_ONCE = 2**16  # of gradients, widened to float32


def of_examples(
    model: PeftModel,
    examples: Sequence[Example],
    *,
    max_grad_norm: float,
    contrast: float,
    progress: Callable[[int], object] = lambda done: None,
) -> tuple[torch.Tensor, np.ndarray]:
    """Clipped gradients of single examples by the model as it is, and their losses, which the same pass gives.

    Computed without dropout, whose masks in a step are not known. At the start of a training LoRA's second matrices are
    zero, so the first ones have no gradient yet: their columns are zeros.

    Args:
        model: with its adapter attached; its mode is restored afterwards.
        examples: at least one.
        max_grad_norm: L2 norm to which a gradient is clipped, above 0; that of the training.
        contrast: weight of the loss against wrong prompts, which the examples have where it is above 0.
        progress: called with the number of examples newly done.

    Returns:
        The gradients, float16, on the CPU, shape (examples, trainable weights); and the mean loss of each completion in
        nats per token, shape (examples,).

    Raises:
        DoppelError: a trainable parameter has no per-example gradient (`lib.methods.dp_lora.per_sample.attach`).
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    device = parameters[0].device
    gradients = torch.empty(len(examples), sum(p.numel() for p in parameters), dtype=torch.float16)
    nats = np.empty(len(examples))
    training = model.training
    model.eval()
    per_sample.attach(model)
    split_head = head_splits(model, Batch.of(examples[:1], 0, device))
    of_each = [list(contrasting.rows([example])) for example in examples]
    try:
        for group in by_length([*map(len, of_each)], [max(map(len, rows)) for rows in of_each], TOKENS_AT_ONCE):
            members = [row for i in group for row in of_each[i]]
            losses = example_losses(model, Batch.of(members, 0, device), split_head=split_head)
            factors = torch.tensor(contrasting.factors(members, losses.tolist(), contrast), device=device)
            (losses * factors).sum().backward()
            nats[group] = losses.detach().double().cpu().numpy().reshape(len(group), -1)[:, 0]
            rows = torch.cat([p.grad_sample.flatten(1).float() for p in parameters], dim=1)
            rows = rows.unflatten(0, (len(group), -1)).sum(1)
            clipped = rows * (max_grad_norm / rows.norm(dim=1, keepdim=True)).clamp(max=1)
            gradients[group] = clipped.half().cpu()
            for parameter in parameters:
                parameter.grad = parameter.grad_sample = None
            progress(len(group))
    finally:
        per_sample.detach(model)
        model.train(training)
    return gradients, nats


def products(gradients: torch.Tensor, others: torch.Tensor) -> np.ndarray:
    """Scalar products of the rows of two sets of gradients, computed in blocks of bounded memory.

    Args:
        gradients: of any float type, shape (n, trainable weights).
        others: of any float type, shape (k, trainable weights).

    Returns:
        float64, shape (n, k).
    """
    total = torch.zeros(len(gradients), len(others), dtype=torch.float64)
    for start in range(0, gradients.shape[1], COLUMNS_AT_ONCE):
        columns = slice(start, start + COLUMNS_AT_ONCE)
        total += (gradients[:, columns].float() @ others[:, columns].float().T).double()
    return total.numpy()


def scores(known: np.ndarray, released: np.ndarray) -> np.ndarray:
    """How much of each record's gradient is in each released one.

    A released gradient is taken to be a mix of all known gradients plus noise, and the coefficients are estimated by
    ridge regression. So what a canary's gradient shares with those of other records does not count for it. Without a
    background the gradients of the batch's real records would drown those of the canaries.

    Args:
        known: `products` of the k records' gradients before the first step (`of_examples`), shape (k, k). The records
            are canaries, and others that were not trained on as a background.
        released: their `products` with what each step handed the optimizer, shape (k, steps).

    Returns:
        The coefficients, shape (steps, k); higher: rather in.
    """
    ridge = RIDGE * known.diagonal().mean() * np.eye(len(known))
    return np.linalg.solve(known + ridge, released).T
