"""A made-up letter, for pictures and toys: everything in it is invented."""

from lib.pii.spans import Filled
from lib.private_records.places import located
from lib.private_records.schema import Attribute, Group
from lib.sanitization.case import Original

TEXT = """Ada Lovelace
12 Main Street, Springfield, Illinois 62701

Dear Dr. Lee,

On 14 March 2019 I slipped on the ice near the tram stop and broke my left wrist. I am 34 and a clerk at Acme Ltd. The
bill came to $1,250. You can call me at 425-555-0123 or write to ada.lovelace@example.org.

Kind regards,
Ada Lovelace"""
TOLD = {  # name -> value, class
    "full_name": ("Ada Lovelace", "FIRSTNAME"),
    "house_number": ("12", "BUILDINGNUMBER"),
    "street": ("Main Street", "STREET"),
    "city": ("Springfield", "CITY"),
    "state": ("Illinois", "STATE"),
    "postal_code": ("62701", "ZIPCODE"),
    "date": ("14 March 2019", "DATE"),
    "accident_place": ("the tram stop", ""),
    "bone": ("left wrist", ""),
    "age": ("34", "AGE"),
    "job_title": ("clerk", "JOBTITLE"),
    "employer": ("Acme Ltd", "COMPANYNAME"),
    "bill": ("$1,250", ""),
    "phone": ("425-555-0123", "PHONENUMBER"),
    "email": ("ada.lovelace@example.org", "EMAIL"),
}
GROUPS = {
    "who the person is": ("full_name", "age"),
    "how to reach the person": ("phone", "email", "house_number", "street", "postal_code"),
    "work and money": ("job_title", "employer", "bill"),
    "the accident": ("date", "accident_place", "bone"),
}


def letter(id: str = "letter") -> Original:
    """The letter as a record.

    Args:
        id: decides about its targets.
    """
    named = [
        Attribute(name, value, "profile" if label else "event", name in ("full_name", "phone", "email"), (), label)
        for name, (value, label) in TOLD.items()
    ]
    attributes, _ = located(Filled(TEXT, ()), named)
    groups = tuple(Group(title, names) for title, names in GROUPS.items())
    return Original(id, TEXT, {"record_type": "letter to a hospital"}, attributes, groups)
