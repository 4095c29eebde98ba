"""Recognise refusals: what models write instead of the text that they are asked for."""

import re

_BOT = r"(?:ai|artificial intelligence|(?:large |ai )?language model|virtual assistant|chatbot)"
_KIND = r"(?: (?:language model|model|assistant|system|program|chatbot))?"
_CANNOT = (
    r"(?: (?:can't|cannot|can not|won't|will not|won't be able to|will not be able to)"
    r"|(?: a|')m (?:unable to|not (?:able to|allowed to|programmed to|comfortable(?: with)?)))"
)
_SORRY = (
    r"(?:(?:i'm |i am |we're |we are )?(?:so |very |really |truly )?sorry|i apologi[sz]e|(?:my )?apologies"
    r"|unfortunately|regrettably)[^.!?\n]{0,40}?[,;.!:—–-]* ?(?:but |however,? )?"
)
# a genuine text is never about the request itself
_REQUEST = (
    r"(?:this|that|your|such an?|any such|these|those|the (?=request))(?: \w+)? ?(?:request|prompt|task|question)s?\b"
)
# "I can't write a bad review of this place" is praise, so such adjectives are excluded
_OBJECT = (
    r"(?:(?!good|great|bad|better|best|positive|negative|glowing|more|enough|higher|honest|five|another)\w+ ){0,4}"
    r"(?:reviews?|content|texts?|stories|story|responses?|abstracts?|prompts?|passages?|materials?|versions?|sentences?)\b"
)
_DO = (
    r"(?:assist\b|comply\b|engage in\b|participate in (?:this|that|such)\b|do that[.,]?$"
    r"|help(?: you)?(?: out)? with (?:this|that|your|creating|generating|writing)\b"
    r"|help(?: you)? (?:to )?(?:create|generate|write)\b"
    rf"|(?:fulfil+|complete|comply with|accommodate|satisfy|answer|process|respond to|continue with) {_REQUEST}"
    rf"|(?:generat|creat|writ|provid|produc|rewrit|rephras|paraphras)(?:e|ing) (?:{_OBJECT}|(?:this|that)[.,!]))"
)
_DECLINE = rf"(?:must |have to )?(?:respectfully )?decline (?:{_REQUEST}|to (?:answer|write|generate|create|engage)\b)"

_AT_THE_START = re.compile(
    rf"(?:{_SORRY})?(?:as an? {_BOT}[^.!?\n]{{0,60}}?)?i(?:(?: simply| just)?{_CANNOT} {_DO}| {_DECLINE})"
    r"|it (?:is not|isn't|would not be|wouldn't be) (?:appropriate|ethical) for me to\b"
)
_ANYWHERE = re.compile(
    # the model speaks about itself
    rf"\bas an? {_BOT}{_KIND}(?:,? (?:developed|created|trained|designed|made)[^.,\n]{{0,40}})?"
    r",? (?:i|my|(?:it's|it is) (?:not|against|beyond|outside))\b"
    rf"|\bi(?:'m| am)(?: just| only| merely)? an? {_BOT}{_KIND}"
    r"(?:[.,;!]|$| (?:and|so|but) i\b| (?:designed|trained|created|developed|programmed|without|that|who)\b)"
    r"|\bi (?:don't|do not) have (?:any )?personal (?:\w+ )?(?:opinions|feelings|beliefs|emotions|preferences)\b"
    # rules that only a model has
    r"|\bagainst my (?:programming|(?:ethical |content |safety |usage )*guidelines)\b"
    r"|\bviolat\w+ (?:my|our|openai's|the) (?:\w+ )?(?:content|usage|safety) (?:policy|policies|guidelines)\b"
)


def is_refusal(text: str) -> bool:
    """Whether a model refused the request instead of answering it. English only.

    Regret and inability alone are not refusals ("I'm sorry I bought this", "I can't recommend it"), to keep false
    positives rare: a refusal begins the text and is about writing, assisting or the request itself, or the model
    speaks about itself as a model.

    Args:
        text: what the model wrote.
    """
    plain = " ".join(text.casefold().replace("’", "'").split()).lstrip("*_#> ")
    return bool(_AT_THE_START.match(plain) or _ANYWHERE.search(plain))
