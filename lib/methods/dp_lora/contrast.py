"""A loss that teaches the label: a text must be likelier behind its own prompt than behind one with other labels.

After the prompt-mismatch loss of Mattern et al. 2022 (arXiv:2210.13918), which lowers the likelihood of a text behind a
wrong prompt. Taken as it stands, such a penalty has no lower bound: text that is ever less likely behind wrong prompts
always pays, until the model writes no language any more. Here it is the cross entropy of guessing which of two prompts
a text belongs to, by Bayes' rule from the model itself (a generative classifier, as in GeDi, Krause et al. 2021,
arXiv:2009.06367). For an example of T completion tokens, with summed losses S behind its own prompt and S' behind the
wrong one:

    loss = (S + contrast * log(1 + exp(S - S'))) / T

The second term is at most about log 2 at the start, never below 0, and its gradient fades once the text tells its
label, at whatever length. So it cannot diverge, and ``contrast`` says how many times a nat about the label counts as
much as one about the text.

**The guarantee is unchanged.** The wrong prompt is chosen by a public hash of the record itself, among prompts of the
declared label domain. So the loss of an example, its gradient and, summed over a user's records, the unit's gradient
depend on that unit and the weights alone, as without contrast. It is then clipped to the same norm, summed, and noised
as before: unit, neighbours, sampler and sensitivity are those of `lib.methods.dp_lora.trainer`. (Were the draw from a
generator that walks through the file, one record more would change the prompts, and so the gradients, of all behind.)
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from transformers import PreTrainedTokenizerBase

from lib.data.hash_order import rank
from lib.data.records import Record
from lib.models.examples import Example, encode_all
from lib.models.prompt import Prompt


def encode(
    records: Sequence[Record],
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    cells: Sequence[Mapping[str, str]],
    *,
    max_tokens: int,
    unit: str,
    contrast: float,
    seed: int,
) -> tuple[list[Example], int]:
    """Encode records for training.

    Args:
        records: as `lib.models.examples.encode_all` takes them.
        tokenizer: likewise.
        prompt: likewise.
        cells: as `with_wrong_prompts` takes them; not used without contrast.
        max_tokens: as `lib.models.examples.encode_all` takes it.
        unit: likewise.
        contrast: weight of the loss against wrong prompts; above 0, each example gets one.
        seed: of the wrong prompts.

    Returns:
        The examples in the order of ``records``, and how many of them were cut off.

    Raises:
        DoppelError: there are no records, or one cannot be encoded.
    """
    examples, cut = encode_all(records, tokenizer, prompt, max_tokens=max_tokens, unit=unit)
    return (with_wrong_prompts(examples, records, tokenizer, prompt, cells, seed=seed) if contrast else examples), cut


def with_wrong_prompts(
    examples: Sequence[Example],
    records: Sequence[Record],
    tokenizer: PreTrainedTokenizerBase,
    prompt: Prompt,
    cells: Sequence[Mapping[str, str]],
    *,
    seed: int,
) -> list[Example]:
    """Give each example a prompt with other labels than its own.

    Args:
        examples: as `lib.models.examples.encode_all` makes them. Private, and so is the result.
        records: those that they were made from, in the same order.
        tokenizer: the model's own.
        prompt: the template of the examples' prompts.
        cells: the combinations of labels of the declared domain; public.
        seed: another one draws other prompts.

    Returns:
        The examples with ``wrong_prompt`` set. Each is drawn evenly among the prompts that differ from the record's
        own, by a hash of the record's text; pre-flight has seen that there are some
        (`lib.methods.dp_lora.method.check_labels_to_contrast`).
    """
    ids: dict[str, list[int]] = {}
    result = []
    for example, record in zip(examples, records, strict=True):
        labels = {prompt.text(labels := {**record.labels, **cell}): labels for cell in cells}
        others = sorted(labels.keys() - {prompt.text(record.labels)})
        text = others[rank(seed, "contrast", record.text.reveal()) % len(others)]
        if text not in ids:
            ids[text] = prompt.build(tokenizer, labels[text])
        result.append(replace(example, wrong_prompt=ids[text]))
    return result


def rows(examples: Sequence[Example]) -> Iterator[Example]:
    """The sequences whose losses an objective needs.

    Args:
        examples: any.

    Yields:
        Each example, and behind one with a wrong prompt its completion behind that.
    """
    for example in examples:
        yield example
        if example.wrong_prompt is not None:
            yield replace(example, prompt=example.wrong_prompt, wrong_prompt=None)


def factors(rows: Sequence[Example], means: Sequence[float], contrast: float) -> list[float]:
    """The derivative of the summed losses of the examples by each row's mean loss.

    Computed in Python, so that it has the same bits wherever a row stands in a tensor
    (`lib.methods.dp_lora.shapes`).

    Args:
        rows: as `rows` yields them.
        means: mean loss of each row in nats per completion token.
        contrast: weight of the loss against the wrong prompt, at least 0.

    Returns:
        A factor for each row: 1 without a wrong prompt; else 1 + contrast * p, and -contrast * p for the row behind
        it, where p is the probability that the model gives to the wrong prompt of the two.
    """
    result: list[float] = []
    for place, row in enumerate(rows):
        if row.wrong_prompt is not None:
            difference = (means[place] - means[place + 1]) * len(row.completion)
            pull = contrast * (1 + math.tanh(difference / 2)) / 2
            result += [1 + pull, -pull]
        elif len(result) == place:  # no row of a pair
            result.append(1.0)
    return result
