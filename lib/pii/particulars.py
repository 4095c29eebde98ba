"""Dates, addresses, jobs, vehicles and the like: values of a person, or of a thing, that no other file has."""

from collections import defaultdict
from datetime import date, time, timedelta
from functools import cache

from faker.providers.geo import Provider

from lib.pii import checksums
from lib.pii.persons import Person, years_before

DATE_YEARS = 3  # a date lies at most so many years before the reference date
MAKERS = ("1HG", "1FT", "1G1", "2T1", "3VW", "4T1", "5YJ", "JTD", "KMH", "WBA", "WDB", "WVW", "VF1", "ZFA", "YV1")
VIN_MARKS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
VIN_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"
NEARBY = 0.03  # degrees, about 3 km: how far from a town coordinates lie at most
TOWNS = {  # of countries that Faker has none of: Athens, Thessaloniki, Patras; Budapest, Debrecen, Szeged; and so on
    "GR": [(37.98, 23.73), (40.64, 22.94), (38.25, 21.73)],
    "HU": [(47.50, 19.04), (47.53, 21.63), (46.25, 20.15)],
    "NP": [(27.71, 85.32), (28.21, 83.99)],
    "SI": [(46.05, 14.51), (46.55, 15.65)],
}


def birthday(person: Person) -> str:
    """The date of birth in one of the locale's forms."""
    return _written(person.birth, person.pick("birth form", person.locale.dates))


def day(person: Person) -> str:
    """A day of the three years up to the reference date, in one of the locale's forms."""
    rng = person.rng("day")
    span = (person.reference - years_before(person.reference, DATE_YEARS)).days
    return _written(person.reference - timedelta(days=rng.randint(0, span)), rng.choice(person.locale.dates))


def clock(person: Person) -> str:
    """A time of day in one of the locale's forms."""
    rng = person.rng("clock")
    return f"{time(rng.randrange(24), rng.randrange(60)):{rng.choice(person.locale.clocks)}}"


def _written(when: date, form: str) -> str:
    return when.strftime(form.replace("%Y", f"{when.year:04}"))


def street(person: Person) -> str:
    """A street of the locale, made up, without the number."""
    return person.fake("street", "town" if person.locale.name == "ja_JP" else "street_name")  # Japan names blocks


def building(person: Person) -> str:
    """The number of a house."""
    return person.fake("building", "building_number")


def flat(person: Person) -> str:
    """The flat or floor."""
    return person.fake(
        "flat", "numerify", person.pick("flat form", person.locale.words["secondary"]).replace("#", "%", 1)
    )


def coordinates(person: Person) -> str:
    """Coordinates near a town of the person's country, in degrees; not near the person's city, which may be made up."""
    rng = person.rng("coordinates")
    latitude, longitude = rng.choice(_towns()[person.locale.country])
    digits = rng.choice([4, 4, 5, 6])
    latitude, longitude = (degrees + rng.uniform(-NEARBY, NEARBY) for degrees in (latitude, longitude))
    return rng.choice(["{:.{}f}, {:.{}f}", "{:.{}f},{:.{}f}", "[{:.{}f},{:.{}f}]"]).format(
        latitude, digits, longitude, digits
    )


@cache
def _towns() -> dict[str, list[tuple[float, float]]]:
    """Latitude and longitude of towns by country; not by Faker's `local_latlng`, which may be at sea in Greece."""
    towns = defaultdict(list, TOWNS)
    for latitude, longitude, _, country, _ in Provider.land_coords:
        towns[country].append((float(latitude), float(longitude)))
    return towns


def job_area(person: Person) -> str:
    """The field of the job."""
    return person.pick("job area", person.locale.words["job_areas"])


def job_type(person: Person) -> str:
    """The role."""
    return person.pick("job type", person.locale.words["job_types"])


def job_title(person: Person) -> str:
    """The job, with the field and role of `job_area` and `job_type`."""
    level = person.pick("job level", person.locale.words["job_levels"])
    return person.locale.words["job_form"].format(level=level, area=job_area(person), type=job_type(person))


def company(person: Person) -> str:
    """A company, made up."""
    return person.fake("company", "company")


def eyes(person: Person) -> str:
    """The colour of the eyes."""
    return person.pick("eyes", person.locale.words["eyes"])


def direction(person: Person) -> str:
    """A point of the compass."""
    return person.pick("direction", person.locale.words["directions"])


def height(person: Person) -> str:
    """The height of a grown woman or man: in feet in the United States, in centimetres or metres elsewhere."""
    rng = person.rng("height")
    centimetres = round(rng.gauss(*person.of_sex(((163, 6), (176, 7)))))
    if person.locale.country == "US":
        feet, inches = divmod(round(centimetres / 2.54), 12)
        return rng.choice(["{}'{}\"", "{} ft {} in", "{} feet {} inches"]).format(feet, inches)
    metres = f"{centimetres / 100:.2f}".replace(".", person.locale.decimal)
    return rng.choice([f"{centimetres} cm", f"{centimetres}cm", f"{metres} m"])


def imei(person: Person) -> str:
    """The number of a mobile device: 15 digits, the last of which checks the others."""
    rng = person.rng("imei")
    body = ("00" if person.reserved else rng.choice(["35", "86", "01"])) + "".join(
        str(rng.randrange(10)) for _ in range(12)
    )
    number = body + checksums.luhn(body)
    return rng.choice([number, f"{number[:2]}-{number[2:8]}-{number[8:14]}-{number[14]}"])


def vin(person: Person) -> str:
    """A vehicle identification number of a real maker, with the check digit that North America asks for."""
    rng = person.rng("vin")
    marks = "".join(rng.choice(VIN_MARKS) for _ in range(5))
    number = f"{rng.choice(MAKERS)}{marks}0{rng.choice(VIN_YEARS)}{rng.choice(VIN_MARKS)}{rng.randrange(10**6):06}"
    return number[:8] + checksums.vin(number) + number[9:]


def plate(person: Person) -> str:
    """A number plate of the locale, or an American one where Faker has none."""
    return person.fake("plate", "license_plate")
