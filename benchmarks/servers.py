"""Several servers of one model: how many replies a second come with all of them, and after one has died.

Servers on this machine take `--seconds` for a reply, and each is sent `--concurrency` requests at a time; so one of
them could give concurrency / seconds replies a second. Half the requests into the second run, the first closes its
port with its replies half sent. Every request must be answered once, by seeds that do not depend on who answers. The
last line is one JSON object: replies a second with all servers over what they could give, replies a second after the
death over those before it (with three servers two thirds), and requests that were not answered exactly once.

    python benchmarks/servers.py [--servers 3] [--requests 240] [--concurrency 4] [--seconds 0.5]
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.generation.endpoint.endpoint import Endpoint
from lib.generation.engines.base import Request, Sampling


class Server(ThreadingHTTPServer):
    """A chat completions API whose replies take a while; it counts those that it sent."""

    daemon_threads = True

    def __init__(self, seconds: float):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seconds, self.dead, self.sent = seconds, threading.Event(), Counter()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def die(self) -> None:
        """Answer nothing more, not even what is in flight, and refuse connections."""
        self.dead.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client whose connection ended is part of the benchmark."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.dead.wait(self.server.seconds):
            self.close_connection = True
            self.connection.close()
            return
        text = f"{body['messages'][-1]['content']} by seed {body['seed']}"
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        content = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}).encode()
        self.server.sent[text] += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--servers", type=int, default=3)
    arguments.add_argument("--requests", type=int, default=240)
    arguments.add_argument("--concurrency", type=int, default=4)
    arguments.add_argument("--seconds", type=float, default=0.5)
    options = arguments.parse_args()
    requests = [Request((("user", f"request {number}"),), 16) for number in range(options.requests)]
    texts: list[dict[int, str]] = []
    speeds = {}
    unsure = 0
    for dies in (False, True):
        servers = [Server(options.seconds) for _ in range(options.servers)]
        with tempfile.TemporaryDirectory() as folder:
            urls = [f"http://127.0.0.1:{server.server_address[1]}/v1" for server in servers]
            cache = Path(folder) / "replies.sqlite"
            endpoint = Endpoint("openai:toy", base_url=urls, concurrency=options.concurrency, cache=cache)
            endpoint._servers.place = "toy"  # ports differ from run to run
            got, times, died = {}, [], time.monotonic()
            for position, reply in endpoint.reply(requests, Sampling(seed=1)):
                got[position] = reply.text
                times.append(time.monotonic())
                if dies and len(got) == len(requests) // 2:
                    died = time.monotonic()
                    servers[0].die()
        texts.append(got)
        sent = sum((server.sent for server in servers), Counter())
        unsure += sum(sent[got.get(position)] != 1 for position in range(len(requests)))
        after = [at for at in times if at > died + options.seconds]  # those in flight at the death are not counted
        speeds[dies] = (len(after) - 1) / (after[-1] - after[0])
        told = "after the death of one" if dies else "with all of them"
        print(f"{options.servers} servers, {told}: {speeds[dies]:.2f} replies a second, ", end="")
        print(f"{endpoint.usage.retries} retries")
        for server in servers[dies:]:
            server.die()
    could = options.servers * options.concurrency / options.seconds
    print(f"they could give {could:.2f}; both runs wrote the same: {texts[0] == texts[1]}; not once: {unsure}\n")
    print(
        json.dumps(
            {
                "servers_of_possible": speeds[False] / could,
                "servers_after_death": speeds[True] / speeds[False],
                "servers_not_once": unsure + (texts[0] != texts[1]),
            }
        )
    )


if __name__ == "__main__":
    main()
