"""Sanitized records made up for tests: what they tell, and what they were to hide and to keep."""

from lib.private_records.schema import Attribute, Place
from lib.sanitization.schema import Sanitized, Targets

TEXT = (
    "Maria Lopez, aged 42, was seen on 12 March 2021 at Riverside Clinic.\n"
    "Diagnosis: chronic lymphocytic leukemia\nShe paid $1,250.00. Call 415-555-0123 or write to m.lopez@example.com.\n"
    "Her brother drives her home."
)
VALUES = {  # name -> value, class
    "full_name": ("Maria Lopez", ""),
    "age": ("42", "AGE"),
    "visit_date": ("12 March 2021", "DATE"),
    "clinic": ("Riverside Clinic", ""),
    "diagnosis": ("chronic lymphocytic leukemia", ""),
    "amount_paid": ("$1,250.00", "AMOUNT"),
    "phone": ("415-555-0123", "PHONENUMBER"),
    "email": ("m.lopez@example.com", "EMAIL"),
    "escort": ("brother", ""),
}
CLEAN = (
    "The patient, a middle-aged adult, was seen in 2021 at a hospital.\n"
    "They have an illness. They paid something. There is a number and an address to reach them.\n"
    "Her brother drives her home."
)
PLANTED = {  # name of a leak -> target, what the sanitized text says of it, kind
    "as it was": ("full_name", "It is Maria Lopez.", "direct"),
    "capitals": ("full_name", "It is MARIA LOPEZ.", "direct"),
    "spaces": ("full_name", "It is Maria\u00a0 \nLopez.", "direct"),
    "other order": ("full_name", "It is Lopez, Maria.", "direct"),
    "accents": ("full_name", "It is María López.", "direct"),
    "unseen characters": ("full_name", "It is Ma\u200bria Lo\u00adpez.", "direct"),
    "look-alike letters": ("full_name", "It is Mаria Lоpez.", "direct"),  # Cyrillic а and о
    "separators": ("phone", "It is (415) 555.0123.", "direct"),
    "digits in words": ("phone", "It is four one five, five five five, zero one two three.", "direct"),
    "another form of the day": ("visit_date", "It was on 2021-03-12.", "direct"),
    "other separators of a number": ("amount_paid", "It cost 1250 dollars.", "direct"),
    "a number in words": ("age", "The patient is forty-two.", "direct"),
    "at and dot": ("email", "Write to m dot lopez at example dot com.", "direct"),
    "a list gives it away": ("diagnosis", "It is a leukemia, of the lymphocytic kind.", "inferred"),
    "the month": ("visit_date", "It was in March 2021.", "proximity"),
    "a rounded sum": ("amount_paid", "They paid 1,240 dollars.", "proximity"),
    "a narrow age": ("age", "The patient is in her early forties.", "proximity"),
}


def record(sanitized: str, targets: tuple[str, ...] = (), id: str = "record-1", text: str = TEXT) -> Sanitized:
    """A record whose attributes are `VALUES`; all but the targets and ``escort``, which is kept, may go or stay."""
    attributes = tuple(
        Attribute(name, value, "event", False, (Place(text.index(value), text.index(value) + len(value)),), label)
        for name, (value, label) in VALUES.items()
    )
    return Sanitized(id, text, sanitized, Targets((), targets, ("escort",)), attributes)
