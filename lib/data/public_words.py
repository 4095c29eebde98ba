"""Names and words of a locale from Faker, which are public."""

from faker import Faker

from lib.common.errors import DoppelError


def public_words(locale: str = "en_US") -> list[str]:
    """Faker's ordinary words of a language: a public vocabulary for `rare_secrets` and `suffixed`."""
    return sorted(set(_faker(locale).get_words_list()))


def _faker(locale: str) -> Faker:
    try:
        return Faker(locale)
    except AttributeError:
        raise DoppelError(f"locale = {locale!r} is none of Faker's; name one such as en_US, de_DE or ja_JP") from None
