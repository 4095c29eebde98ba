"""Shapes of micro-batches: few, with little padding, and from public settings alone."""

import pytest

from lib.methods.dp_lora.settings import LEAST_TOKENS, rounded, rows_of


def test_shapes_are_few_and_pad_little() -> None:
    shapes = [rounded(positions) for positions in range(1, 4097)]
    assert all(shape >= positions for positions, shape in enumerate(shapes, 1)) and shapes == sorted(shapes)
    assert all(shape <= 1.25 * positions for positions, shape in enumerate(shapes, 1) if positions > 32)
    for octave in (64, 256, 1024):
        assert len({shape for shape in shapes if octave < shape <= 2 * octave}) <= 4
    assert [rounded(shape) for shape in shapes] == shapes  # a shape has room for itself


@pytest.mark.parametrize(
    ("width", "tokens", "expected_batch", "contrast", "rows"),
    [
        (32, 512, 40.0, 0.0, LEAST_TOKENS // 32),
        (32, 128, 40.0, 0.0, 4),  # no more than fit
        (1024, 512, 40.0, 0.0, 1),  # a text that is too long is by itself
        (1024, 512, 40.0, 0.5, 2),  # and stays beside its contrast
        (64, 4096, 1280.0, 0.0, 20),  # a sixty-fourth of a large batch
        (64, 4096, 1280.0, 0.5, 40),
        (96, 512, 200.0, 0.5, 4),  # pairs are not parted, though five would fit
    ],
)
def test_rows_of_a_micro_batch(width: int, tokens: int, expected_batch: float, contrast: float, rows: int) -> None:
    assert rows_of(width, tokens, expected_batch, contrast) == rows
