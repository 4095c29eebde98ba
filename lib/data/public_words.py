"""Ordinary words of a language, from Faker: a public vocabulary."""

from faker import Faker

from lib.common.errors import DoppelError


def public_words(locale: str = "en_US") -> list[str]:
    """Faker's ordinary words of a language, sorted; used by `rare_secrets` and `suffixed` in `lib.audit.canary_texts`.

    Args:
        locale: language and country as Faker names them: ``en_US``, ``de_DE``.

    Raises:
        DoppelError: for a locale that Faker does not know.
    """
    return sorted(set(faker(locale).get_words_list()))


def faker(locale: str) -> Faker:
    """Faker's generator for ``locale``; a locale that it does not know raises DoppelError."""
    try:
        return Faker(locale)
    except AttributeError:
        raise DoppelError(
            "data.unknown_locale",
            f"locale = {locale!r} is not one of Faker's",
            name="locale",
            value=locale,
            remedy="name one such as en_US, de_DE or ja_JP",
        ) from None
