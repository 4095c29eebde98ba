"""What the values of a statement of privacy must look like before anything is computed from them."""

from collections.abc import Iterator, Mapping

from lib.common import shape

MOST_EVENTS, MOST_STAGES = 1000, 1000  # an arm has two events; a stage that compares has those of all its arms
MAX_EPSILON = 1e6  # Doppel computes none that is larger


EVENT = shape.fields(
    stage=shape.text(shape.NAME),
    what=shape.text(shape.SENTENCE),
    privacy_seed=shape.optional(shape.integer(0)),
    checked=shape.one_of(True, False, None),
    mechanism=shape.data(depth=1, most=10),  # its class checks the figures
)
LEDGER = {  # by key: what a ledger is read from
    "unit": shape.one_of("record", "user", "none"),
    "units": shape.integer(0),  # 0, and delta too, with unit none alone: see `of_unit`
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


def of_unit(statement: Mapping) -> Iterator[str]:
    """What units, delta and events must be beside the unit of a ``statement`` whose values have their shapes."""
    if statement["unit"] == "none":
        if statement["units"] or statement["delta"] or statement["events"]:
            yield "unit: without one there are no units, no delta and no events"
        return
    yield from shape.integer(3)(statement["units"], "units")
    yield from shape.number(above=0, most=1)(statement["delta"], "delta")
