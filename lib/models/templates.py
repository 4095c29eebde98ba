"""Prompt templates: named placeholders, and optional passages in square brackets.

``"Write a {tone} review[ in about {words} words]."``: the bracketed passage is left out where ``words`` has no value.
A literal brace or square bracket is written twice.
"""

import re
import string
from collections.abc import Collection, Iterator, Mapping

from lib.common.errors import DoppelError, nearest
from lib.data.labels import TOPIC

_HEADING = re.compile(r"[^{}:]*:\s*\{[^{}]*\}.*")  # "Rating: {rating} of 5"
_PLACEHOLDER = re.compile(r"(\{\{|\}\})|\s*\{[^{}]*\}")  # with the space before it; doubled braces are kept
_SPAN = re.compile(r"(?<!\[)\[(?!\[)(?P<inside>[^\[\]]*)\]|\[\[|\]\]|[^\[\]]+|(?P<stray>[\[\]])")


def fields(template: str) -> set[str]:
    """Names of all placeholders of ``template``, inside brackets and outside.

    Raises:
        ValueError: ``template`` has a brace or bracket without its partner.
    """
    return {field for passage, _ in _passages(template) for field in _fields(passage)}


def label_fields(template: str) -> set[str]:
    """Names of the labels in the prompt of a model that is fine-tuned or sampled from.

    Args:
        template: such a prompt: placeholders for labels, and no optional passages (square brackets are literal).

    Returns:
        The labels' names, without duplicates.

    Raises:
        DoppelError: ``template`` is empty or malformed, or a placeholder has a format or is {text}.
    """
    if not template.strip():
        raise DoppelError(
            "models.template_empty",
            "the prompt template is empty",
            name="template",
            value=template,
            remedy="write a prompt, with a {label} where a label belongs",
        )
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise DoppelError(
            "models.template_malformed",
            f"prompt template {template!r}: {error}",
            name="template",
            value=template,
            remedy="write a literal brace twice",
        ) from None
    if any(spec or conversion for _, _, spec, conversion in pieces):
        raise DoppelError(
            "models.placeholder_formatted",
            f"prompt template {template!r}: a placeholder has a format or a conversion",
            name="template",
            value=template,
            remedy="write the label's name alone, as {rating}",
        )
    names = {field for _, field, _, _ in pieces if field is not None}
    if "text" in names:
        raise DoppelError(
            "models.placeholder_is_text",
            "prompt template: {text} is the record itself, and a prompt may contain no private text",
            name="text",
            remedy="build the prompt from labels alone",
        )
    return names


def unlabelled(template: str, given: str | None = None) -> str:
    """The prompt for no label in particular, which guidance leads a model away from.

    Args:
        template: the prompt with labels, as `label_fields` takes it.
        given: the same prompt without its labels. None makes it: a line ``name: {label}`` is left out where a line with
            other words remains, of other lines the placeholders are.

    Returns:
        The prompt without placeholders. It ends with the white space that ``template`` ends with, so that the same text
        can follow both.

    Raises:
        DoppelError: ``template`` has no label, ``given`` has one or is empty, or the placeholders were all the words.
    """
    if not label_fields(template):
        raise DoppelError(
            "models.prompt_without_labels",
            "the prompt has no label, so there is nothing to guide by",
            name="guidance",
            remedy="set guidance: 0, or put a {label} into the prompt",
        )
    if given is None:
        lines = template.split("\n")
        plain = [line for line in lines if not _HEADING.fullmatch(line)]
        kept = plain if any(map(_has_word, plain)) else lines
        text = "\n".join(_PLACEHOLDER.sub(r"\1", line) for line in kept)
    else:
        text = given
    names_label = given is not None and bool(label_fields(given))
    if names_label or not _has_word(text):
        raise DoppelError(
            "models.prompt_not_unlabelled",
            "prompt_without_label has a placeholder" if names_label else "without labels the prompt has no word",
            name="prompt_without_label",
            value=given,
            remedy="set it to what the prompt says without any label",
        )
    return text.strip() + template[len(template.rstrip()) :]


def check_labels(template: str, labels: Collection[str]) -> None:
    """Check that every placeholder of a prompt is a label.

    Args:
        template: a prompt as `label_fields` takes it.
        labels: names of the labels that the records have.

    Raises:
        DoppelError: a placeholder is not among ``labels``, or `label_fields` refuses the template.
    """
    for field in sorted(label_fields(template) - set(labels)):
        raise DoppelError(
            "models.placeholder_unknown",
            f"prompt template: {{{field}}} is not a label",
            name=field,
            remedy=nearest(field, labels) if labels else "the records have no labels",
        )


def check_topic(named: Collection[str]) -> None:
    """Check that a prompt for records with topics asks for one: a text may not carry a topic that it was not asked for.

    Args:
        named: the placeholders of the prompt.

    Raises:
        DoppelError: the topic is not among them.
    """
    if TOPIC not in named:
        raise DoppelError(
            "models.topic_unsaid",
            f"the records have topics, and the prompt template has no {{{TOPIC}}}",
            name=TOPIC,
            remedy=f"put {{{TOPIC}}} into it, or set topics: null in the corpus stage",
        )


def render(template: str, values: Mapping[str, object]) -> str:
    """Fill in a template.

    Args:
        template: text with placeholders and optional passages.
        values: placeholder -> value. None: no value, so that every passage with this placeholder is left out.

    Returns:
        The filled-in text.

    Raises:
        KeyError: a placeholder of ``template`` is not in ``values``.
    """
    kept = (
        passage for passage, _ in _passages(template) if all(values[field] is not None for field in _fields(passage))
    )
    return "".join(passage.format_map(values) for passage in kept)


def problems(
    template: str, *, known: Collection[str], optional: Collection[str], needed: Collection[str]
) -> Iterator[DoppelError]:
    """All faults of a template.

    Args:
        template: text with placeholders and optional passages, public.
        known: placeholders that always have a value.
        optional: placeholders that may have no value, and so must stand inside square brackets.
        needed: placeholders among ``known`` that must be in the template, outside brackets.

    Yields:
        One unraised error per fault. A fault of syntax is yielded alone, since nothing else can be checked then.
    """
    shown = repr(template[:60])
    try:
        passages = _passages(template)
        pieces = [piece for passage, _ in passages for piece in string.Formatter().parse(passage)]
    except ValueError as error:
        yield DoppelError(
            "models.template_malformed",
            f"{shown}: {error}",
            name="template",
            value=template,
            remedy="write a literal brace or bracket twice",
        )
        return
    if any(spec or conversion for _, _, spec, conversion in pieces):
        yield DoppelError(
            "models.placeholder_formatted",
            f"{shown}: a placeholder has a format or a conversion",
            name="template",
            value=template,
            remedy="write the name alone, as {tone}",
        )
    for passage, bracketed in passages:
        yield from _problems_of_passage(shown, passage, bracketed, known, optional)
    unbracketed = {field for passage, bracketed in passages if not bracketed for field in _fields(passage)}
    for field in sorted(set(needed) - unbracketed):
        yield DoppelError(
            "models.placeholder_missing",
            f"{shown}: has no {{{field}}}",
            name=field,
            remedy="put it where the text belongs",
        )


def _problems_of_passage(
    shown: str, passage: str, bracketed: bool, known: Collection[str], optional: Collection[str]
) -> Iterator[DoppelError]:
    for field in sorted(_fields(passage)):
        if field in optional and not bracketed:
            yield DoppelError(
                "models.placeholder_not_bracketed",
                f"{shown}: {{{field}}} may have no value",
                name=field,
                remedy="put the words that go with it in [ ]",
            )
        elif field not in known and field not in optional:
            yield DoppelError(
                "models.placeholder_unknown",
                f"{shown}: {{{field}}} is neither a label nor a draw",
                name=field,
                remedy=nearest(field, {*known, *optional}),
            )
    if bracketed and not _fields(passage) & set(optional):
        yield DoppelError(
            "models.passage_not_optional",
            f"{shown}: [{passage}] would never be left out",
            name="template",
            value=passage,
            remedy="write a literal bracket twice",
        )


def _passages(template: str) -> list[tuple[str, bool]]:
    """The template cut at its square brackets: format strings, and whether each stood inside brackets.

    Raises:
        ValueError: a square bracket has no partner.
    """
    passages = []
    for span in _SPAN.finditer(template):
        if span["stray"]:
            raise ValueError("a square bracket without its other half")
        bracketed = span["inside"] is not None
        passages.append((span["inside"] if bracketed else span[0].replace("[[", "[").replace("]]", "]"), bracketed))
    return passages


def _fields(passage: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(passage) if field is not None}


def _has_word(text: str) -> bool:
    return any(character.isalpha() for character in text)
