"""The noisy label counts of 00_process_data as a mechanism. Light: `verify` imports it."""

from collections.abc import Mapping

from lib.common.errors import DoppelError
from lib.privacy.accounting import DiscreteGaussian


def mechanism(parameters: Mapping[str, object]) -> DiscreteGaussian | None:
    """What 00_process_data draws for its label counts: one release of discrete Gaussian noise.

    Unit and neighbours: add or remove one record, or one user, who counts once in one cell (L2 sensitivity 1). With
    topics a cell is a combination of labels and topic, and all of this is the same (`lib.models.topics`).

    Args:
        parameters: of 00_process_data, or the settings that a certificate has of it: ``label_histogram_scale``, sigma
            of the noise in (0, inf) or None; ``label_domain``, values by label; ``topics``, their number or None.

    Returns:
        None where the counts are declared public, and where all units are in one cell, which holds n.

    Raises:
        DoppelError: topics would be counted without noise. They are read off private texts, so nobody can declare their
            counts public.
    """
    scale, domain = parameters.get("label_histogram_scale"), parameters.get("label_domain")
    topics = parameters.get("topics")
    if topics is not None and scale is None:
        raise DoppelError(
            "privacy.topics_without_noise",
            f"topics = {topics} with label_histogram_scale: null: topics are read off private texts",
            name="label_histogram_scale",
            remedy="set label_histogram_scale, or topics: null",
        )
    one_cell = (
        topics is None
        and domain is not None
        and all(not isinstance(values, list) or len(values) == 1 for values in domain.values())
    )
    return None if scale is None or one_cell else DiscreteGaussian(scale)
