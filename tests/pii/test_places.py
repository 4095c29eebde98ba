"""City, county, state and postal code agree, by tables that the drawing does not use."""

import re
from random import Random

import pytest
from stdnum.at import postleitzahl
from stdnum.es import postal_code
from stdnum.nl import postcode
from stdnum.se import postnummer

from lib.pii.locales import generator, locales
from lib.pii.places import _tables, draw, vouched

US_ZONES = (  # by the first digit of the ZIP code
    "CT MA ME NH NJ RI VT", "DE NY PA", "MD NC SC VA WV", "AL FL GA MS TN", "IN KY MI OH", "IA MN MT ND SD WI",
    "IL KS MO NE", "AR LA OK TX", "AZ CO ID NM NV UT WY", "AK CA HI OR WA",
)  # fmt: skip
GERMAN_ZONES = {  # first digits of the postal codes of a state
    "Baden-Württemberg": "678", "Bayern": "689", "Berlin": "1", "Brandenburg": "01", "Bremen": "2", "Hamburg": "2",
    "Hessen": "356", "Mecklenburg-Vorpommern": "12", "Niedersachsen": "234", "Nordrhein-Westfalen": "345",
    "Rheinland-Pfalz": "56", "Saarland": "6", "Sachsen": "0", "Sachsen-Anhalt": "03", "Schleswig-Holstein": "2",
    "Thüringen": "0379",
}  # fmt: skip
NATIONS = {  # postcode areas
    "Scotland": "AB DD DG EH FK G HS IV KA KW KY ML PA PH TD ZE",
    "Wales": "CF LD LL NP SA SY CH",
    "Northern Ireland": "BT",
}


def drawn(locale: str, count: int = 300) -> list:
    assert vouched(locale)
    return [draw(locale, Random(seed)) for seed in range(count)]


def test_american_zip_codes_lie_in_the_state() -> None:
    provider = generator("en_US").provider("faker.providers.address")
    codes = dict(zip(provider.states, (code for code in provider.states_abbr if code != "DC"), strict=True))
    assert codes["New York"] == "NY" and codes["Wyoming"] == "WY" and codes["Georgia"] == "GA"
    for place in drawn("en_US"):
        assert re.fullmatch(r"\d{5}", place.zip)
        zone = next(zone for zone, states in enumerate(US_ZONES) if codes[place.state] in states.split())
        # a few postal codes lie in a neighbouring zone: Fishers Island, NY 06390, and military ones
        assert int(place.zip[0]) == zone, place


def test_german_postal_codes_lie_in_the_state() -> None:
    places = drawn("de_DE")
    assert all(re.fullmatch(r"\d{5}", place.zip) and place.zip[0] in GERMAN_ZONES[place.state] for place in places)
    assert len({place.city for place in places}) > 50
    assert {place.state for place in places} == set(GERMAN_ZONES)


def test_a_wrong_state_would_be_seen() -> None:
    place = next(place for place in drawn("de_DE") if place.city == "München")._replace(state="Hamburg")
    assert place.zip[0] not in GERMAN_ZONES[place.state]


def test_spanish_postal_codes_begin_with_the_province() -> None:
    places = drawn("es_ES")
    assert all(postal_code.is_valid(place.zip) for place in places)
    assert {place.zip[:2] for place in places if place.city == "Bilbao"} <= {"48"}
    assert {place.zip[:2]: place.county for place in places}["28"] == "Madrid"


def test_french_postal_codes_begin_with_the_department() -> None:
    numbers = {name: number for number, name in generator("fr_FR").provider("faker.providers.address").departments}
    for place in drawn("fr_FR"):
        assert place.zip[:2] == numbers[place.county].replace("A", "0").replace("B", "0")
    assert {place.state for place in drawn("fr_FR") if place.county == "Finistère"} <= {"Bretagne"}


def test_italian_postal_codes_have_the_city_and_province() -> None:
    provider = generator("it_IT").provider("faker.providers.address")
    abbreviations = dict(zip(provider.states, provider.states_abbr, strict=True)) | {"Sud Sardegna": "SU"}
    places = drawn("it_IT")
    assert all([p.city, abbreviations[p.county]] in provider.cap_city_province[p.zip] for p in places)
    states = {place.county: place.state for place in places}
    known = {
        "Roma": "Lazio",
        "Milano": "Lombardia",
        "Torino": "Piemonte",
        "Cosenza": "Calabria",
        "Trento": "Trentino-Alto Adige",
    }
    assert all(states[county] == state for county, state in known.items()) and len(set(states.values())) == 20
    assert len({place.city for place in places}) > 200


def test_british_postcodes_lie_in_the_nation() -> None:
    elsewhere = set(" ".join(NATIONS.values()).split()) - {"SY", "CH"}
    for place in drawn("en_GB"):
        assert re.fullmatch(r"[A-Z]{1,2}\d \d[A-Z]{2}", place.zip)
        area = re.match(r"[A-Z]+", place.zip)[0]
        assert area in NATIONS[place.state].split() if place.state in NATIONS else area not in elsewhere


def test_canadian_postal_codes_lie_in_the_province() -> None:
    first = {place.state: place.zip[0] for place in drawn("en_CA")}
    assert first["British Columbia"] == "V" and first["Nova Scotia"] == "B" and first["Alberta"] == "T"
    assert {place.zip[0] for place in drawn("fr_CA", 50)} == set("GHJ")


def test_austrian_postal_codes_have_the_city_and_state() -> None:
    for place in drawn("de_AT"):
        known = postleitzahl.info(place.zip)
        assert known["region"] == place.state
        first_words = [re.split(r"[ -]", name)[0] for name in (known["location"].replace("St.", "Sankt"), place.city)]
        assert first_words[0] == first_words[1]  # the post writes Graz-Gösting, Klagenfurt am Wörthersee


def test_postal_codes_have_the_form_of_the_country() -> None:
    assert all(postcode.is_valid(place.zip) for place in drawn("nl_NL"))
    assert all(postnummer.is_valid(place.zip) for place in drawn("sv_SE"))
    digits = {  # how many, in each part
        "da_DK": "4", "de_CH": "4", "en_AU": "4", "es_MX": "5", "fi_FI": "5", "fr_CH": "4", "ja_JP": "3-4",
        "no_NO": "4", "pl_PL": "2-3", "pt_BR": "5-3", "pt_PT": "4-3",
    }  # fmt: skip
    for locale, parts in digits.items():
        form = "-".join(rf"\d{{{count}}}" for count in parts.split("-"))
        assert all(re.fullmatch(form, place.zip) for place in drawn(locale, 100))


def test_no_two_rows_of_the_table_contradict_each_other() -> None:
    for locale, rows in _tables().items():
        states: dict[str, set[str]] = {}
        for row in rows:
            for pattern in row["zips"].split("|") if row["zips"] else ():
                states.setdefault(pattern, set()).add(row["state"])
            assert row["state"] and (
                row["county"] or row["city"] or locale in ("en_AU", "en_CA", "es_MX", "fr_CA", "pt_BR")
            )
        assert {len(names) for pattern, names in states.items() if pattern != "X#@ #@#"} <= {1}
        cities = [row["city"] for row in rows if row["city"]]
        assert len(cities) == len(set(cities))


@pytest.mark.parametrize("locale", locales())
def test_every_locale_has_places(locale: str) -> None:
    for seed in range(5):
        place = draw(locale, Random(seed))
        assert all(place) and place == draw(locale, Random(seed))
