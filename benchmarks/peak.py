"""How much memory a piece of work takes, beyond what its process held before."""

import threading

import psutil

MB = 1e6


class Peak:
    """The largest private memory (resident, less the pages of mapped files) above the start's, looked at every 5 ms."""

    def __enter__(self) -> "Peak":
        self._start, self.bytes, self._ended = self._now(), 0, threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._ended.wait(0.005):
            self.bytes = max(self.bytes, self._now() - self._start)

    def _now(self) -> int:
        memory = psutil.Process().memory_info()
        return memory.rss - memory.shared
