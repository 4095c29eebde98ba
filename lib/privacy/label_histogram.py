"""The noisy label counts of 00_process_data as a mechanism. Light: `verify` imports it."""

from collections.abc import Mapping

from lib.privacy.accounting import DiscreteGaussian


def mechanism(parameters: Mapping[str, object]) -> DiscreteGaussian | None:
    """What 00_process_data draws for its label counts: one release of discrete Gaussian noise.

    Unit and neighbours: add or remove one record, or one user, who counts once in one cell (L2 sensitivity 1).

    Args:
        parameters: of 00_process_data, or the settings that a certificate has of it: ``label_histogram_scale``, sigma
            of the noise in (0, inf) or None; ``label_domain``, values by label.

    Returns:
        None where the counts are declared public, and where all units are in one cell, which holds n.
    """
    scale, domain = parameters.get("label_histogram_scale"), parameters.get("label_domain")
    one_cell = domain is not None and all(
        not isinstance(values, list) or len(values) == 1 for values in domain.values()
    )
    return None if scale is None or one_cell else DiscreteGaussian(scale)
