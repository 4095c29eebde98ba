"""The toy: what its text says of the far record is true."""

import numpy as np
import pytest

from lib.methods.steering import toy


def test_the_far_record_drags_the_plain_mean_and_not_the_clipped_one() -> None:
    made = toy.release(noise_multiplier=2.0)
    near = toy.NEAR.mean(0)
    assert made.plain_mean[0] < 0 < made.clipped_mean[0] and near[0] > 0
    lengths = np.linalg.norm(made.clipped, axis=1)
    assert lengths.max() <= toy.CLIP and lengths[-1] == pytest.approx(toy.CLIP, abs=1e-5)
    assert made.noisy_means.shape == (12, 2) and made.noisy_means.std() > 0
