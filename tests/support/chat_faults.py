"""A loopback server's answers of which a share fail, each in one of the ways in which models and servers do."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from lib.data.hash_order import rank
from support.chat_server import Answer, Reply, drop, fine, hang, status


def _refused(text: str) -> dict[str, object]:
    return {"content": "I'm sorry, but I can't help with that request."}


def _preamble(text: str) -> dict[str, object]:
    return {"content": f"Sure! Here is what you asked for:\n\n{text}"}


def _empty(text: str) -> dict[str, object]:
    return {"content": ""}


def _truncated(text: str) -> dict[str, object]:
    return {"content": text[: len(text) // 2], "finish": "length"}


def _fenced(text: str) -> dict[str, object]:
    return {"content": f"```json\n{text}\n```"}


def _partial(text: str) -> dict[str, object]:
    return {"content": text[: len(text) * 2 // 3]}


def _nested(text: str) -> dict[str, object]:
    return {"content": json.dumps({"answer": _value(text)})}


def _twice(text: str) -> dict[str, object]:
    value = _value(text)
    if not isinstance(value, dict) or not value:
        return {"content": f'{{"a": 1, "a": 2}}{text}'}
    key = json.dumps(next(iter(value)))
    return {"content": f"{{{key}: 0, {text.strip().removeprefix('{')}"}


def _no_strings(text: str) -> dict[str, object]:
    value = _value(text)
    if isinstance(value, dict):
        others = [7, None, [1, "two"], True, {"x": 1.5}]
        value = {key: others[place % 5] for place, key in enumerate(value)}
    elif isinstance(value, list):
        value = [*range(len(value))]
    return {"content": json.dumps(value)}


def _thinking(text: str) -> dict[str, object]:
    return {"content": f'<think>The user wants {{"a": 1}}. Fine.</think>\n{text}'}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


OF_TEXT: dict[str, Callable[[str], dict[str, object]]] = {  # what becomes of a right answer
    "refusal": _refused, "preamble": _preamble, "empty": _empty, "truncated": _truncated, "fenced": _fenced,
    "partial JSON": _partial, "nested JSON": _nested, "a key twice": _twice, "no strings": _no_strings,
    "thinking": _thinking,
}  # fmt: skip
OF_SERVER: dict[str, Answer] = {
    "400": status(400), "429": status(429), "500": status(500), "dropped": drop, "timeout": hang,
}  # fmt: skip
KINDS = (*OF_TEXT, *OF_SERVER)


class Faulty:
    """Answers for `ChatServer.usual`, of which a share fails.

    Which request fails, and how, depends on the seed, its messages and its draws alone, so neither on the order in
    which requests come, nor on how many are in flight; see `support.endpoints.loopback`. An error of the server passes
    with the first try, or lasts, one as often as the other; 400 always lasts, as do faults of a text; 429 always
    passes, since one that lasts ends a run.

    Args:
        right: the text of the right answer to a request.
        share: of the requests that fail, in [0, 1].
        seed: of the draw.
        kinds: of `KINDS`.

    Attributes:
        failed: requests by kind of fault, further tries not counted.
        whole: requests that were answered rightly, further tries not counted.
    """

    def __init__(
        self, right: Callable[[dict[str, Any]], str], share: float = 0.2, seed: int = 0, kinds: Sequence[str] = KINDS
    ):
        self._right, self._share, self._seed, self._kinds = right, share, seed, kinds
        self.failed: Counter[str] = Counter()
        self.whole = 0
        self._seen: set[str] = set()

    def __call__(self, handler: Any, body: dict[str, Any]) -> Reply:
        sent = json.dumps([body["messages"], body["seed"]])
        kind = self._kinds[rank(self._seed, "kind", sent) % len(self._kinds)] if self._fails(sent) else ""
        with handler.server.lock:
            first = sent not in self._seen
            self._seen.add(sent)
            self.failed[kind] += first and kind != ""
            self.whole += first and kind == ""
        text = self._right(body)
        if kind in OF_TEXT:
            given = OF_TEXT[kind](text)
            return fine(given.pop("finish", "stop"), **given)(handler, body)
        lasts = kind == "400" or (kind != "429" and rank(self._seed, "lasts", sent) % 2)
        if kind in OF_SERVER and (first or lasts):
            return OF_SERVER[kind](handler, body)
        return fine(content=text)(handler, body)

    def _fails(self, sent: str) -> bool:
        return rank(self._seed, "fault", sent) < self._share * 2**64
