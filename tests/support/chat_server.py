"""A loopback chat completions API that answers as a test tells it to, and counts."""

import json
import socket
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ChatServer(ThreadingHTTPServer):
    """``script[prompt]`` lists what its tries get, one after the other; then, and else, all get ``usual``.

    Attributes:
        tries: requests by prompt. paid: those of them that got a whole reply of status 200.
        bodies, headers, paths: of every request, in the order of their coming.
        most_in_flight: the highest number of requests that were being answered at once.
        release: ends the answers that hang.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: dict[str, list[Answer]] = defaultdict(list)
        self.usual: Answer = fine()
        self.tries: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.in_flight = self.most_in_flight = 0
        self.release = threading.Event()
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def heal(self) -> None:
        self.script.clear()
        self.usual = fine()

    def stop(self) -> None:
        self.release.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that did not wait is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a reply goes out in two writes, the second of which must not wait
    server: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = _prompt(body)
        chat = self.server
        with chat.lock:
            attempt = chat.tries[prompt]
            chat.tries[prompt] += 1
            chat.bodies.append(body)
            chat.headers.append({name.lower(): value for name, value in self.headers.items()})
            chat.paths.append(self.path)
            chat.in_flight += 1
            chat.most_in_flight = max(chat.most_in_flight, chat.in_flight)
        answers = chat.script[prompt]
        reply = (answers[attempt] if attempt < len(answers) else chat.usual)(self, body)
        with chat.lock:
            chat.in_flight -= 1
            chat.paid[prompt] += reply is not None and reply[0] == 200
        if reply is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, headers, content = reply
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json", "Content-Length": len(content)} | headers).items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = int(headers.get("Content-Length", 0)) > len(content)

    def log_message(self, *arguments: object) -> None:
        pass


def _prompt(body: dict[str, Any]) -> str:
    """The text of the last message; Converse has it in a list of parts."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else content[0]["text"]


Reply = tuple[int, dict[str, object], bytes] | None  # status, headers, content; None drops the connection
Answer = Callable[[_Handler, dict[str, Any]], Reply]
ABSENT = object()
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def fine(finish: object = "stop", usage: object = USAGE, **message: object) -> Answer:
    """A reply of 7 tokens to a prompt of 5; its content is the prompt and the seed unless ``message`` has one.

    ``ABSENT`` leaves a field out.
    """

    def answer(handler: _Handler, body: dict[str, Any]) -> Reply:
        text = f"{body['messages'][-1]['content']} drawn with {body.get('seed')}"
        said = {"role": "assistant", "content": text} | message
        choice = _given({"index": 0, "message": said, "finish_reason": finish})
        whole = {"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}
        return 200, {}, json.dumps(_given(whole)).encode()

    return answer


def conversed(stop: object = "end_turn", **changes: object) -> Answer:
    """A reply of Bedrock's Converse, of 7 tokens to a prompt of 5; ``changes`` are other top-level fields of it."""

    def answer(handler: _Handler, body: dict[str, Any]) -> Reply:
        message = {"role": "assistant", "content": [{"text": f"{_prompt(body)} answered"}]}
        usage = {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}
        whole = {"output": {"message": message}, "stopReason": stop, "usage": usage, "metrics": {"latencyMs": 3}}
        return 200, {}, json.dumps(whole | changes).encode()

    return answer


def aws_error(code: int, kind: str, message: str = "no", **headers: object) -> Answer:
    """An error of an AWS service, ``ThrottlingException`` say; ``Retry_After=3`` becomes a header."""
    given = {"x-amzn-ErrorType": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, body: (code, given, json.dumps({"message": message}).encode())


def _given(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not ABSENT}


def status(
    code: int, word: object = None, message: str = "no", param: object = None, type: object = None, **headers: object
) -> Answer:
    """An error of the API; ``Retry_After=3`` becomes a header."""
    content = json.dumps({"error": {"message": message, "code": word, "type": type, "param": param}}).encode()
    return lambda handler, body: (code, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def without(refused: str, *, known: Answer, word: str | None = "unsupported_parameter") -> Answer:
    """What a server says that does not know the parameter ``refused``, and ``known`` where it is not sent."""
    no = status(400, word, param=refused)
    return lambda handler, body: (no if refused in body else known)(handler, body)


def page(content: bytes, **headers: object) -> Answer:
    """Status 200 with this content."""
    return lambda handler, body: (200, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def drop(handler: _Handler, body: dict[str, Any]) -> Reply:
    return None


def hang(handler: _Handler, body: dict[str, Any]) -> Reply:
    """Nothing until the server's release, and then a whole reply."""
    handler.server.release.wait(30)
    return fine()(handler, body)
