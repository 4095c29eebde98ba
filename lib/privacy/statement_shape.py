"""What the values of a statement of privacy must look like before anything is computed from them."""

from collections.abc import Iterator

from lib.common import shape

MOST_EVENTS, MOST_STAGES = 1000, 1000  # an arm has two events; a stage that compares has those of all its arms
MAX_EPSILON = 1e6  # Doppel computes none that is larger


def _units(value: object, at: str) -> Iterator[str]:
    """0 where no private record was read, else 3 or more, below which there is no delta."""
    if type(value) is not int or value:
        yield from shape.integer(3)(value, at)


EVENT = shape.fields(
    stage=shape.text(shape.NAME),
    what=shape.text(shape.SENTENCE),
    privacy_seed=shape.optional(shape.integer(0)),
    checked=shape.one_of(True, False, None),
    mechanism=shape.data(depth=1, most=10),  # its class checks the figures
)
LEDGER = {  # by key: what a ledger is read from
    "unit": shape.one_of("record", "user", "none"),
    "units": _units,
    "delta": shape.number(least=0, most=1),
    "events": shape.items(EVENT, MOST_EVENTS),
    "public": shape.items(shape.text(shape.SENTENCE), 20),
    "ancestors": shape.entries(shape.NAME, shape.text(shape.HASH), MOST_STAGES),
}
CLAIMS = {  # by key: what is stated about it
    "stage": shape.text(shape.NAME),
    "epsilon": shape.optional(shape.number(least=0, most=MAX_EPSILON)),
    "target_epsilon": shape.optional(shape.number(above=0, most=MAX_EPSILON)),
    "neighbours": shape.text(shape.SENTENCE),
    "accountant": shape.fields(
        method=shape.text(shape.SENTENCE),
        library=shape.text(r"dp-accounting [0-9][0-9A-Za-z.]{0,30}"),  # the card tells readers to install it
        discretization=shape.number(above=0, most=1),
    ),
    "not_for_release": shape.items(shape.text(shape.SENTENCE), 3 * MOST_EVENTS),
}
