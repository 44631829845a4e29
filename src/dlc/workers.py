"""Many processes, one order: units go out in batches, results come back as they were sent."""

import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.connection import wait
from typing import Any, TypeVar

from . import errors
from .errors import InputFailure

In = TypeVar("In")
Out = TypeVar("Out")
_BATCH = 16
_AHEAD = 4

# Set once in each worker process, by its initializer: a worker serves one run.
_work: Callable[[Any], Any] | None = None


def ordered(make: Callable[[], Callable[[In], Out]], items: Iterable[In], jobs: int) -> Iterator[Out]:
    """`make()` applied to each item, in order. make: picklable; called once a process. jobs: at least 1.

    At most a few batches a worker are in flight, so memory does not grow with the input. Raises InputFailure
    if a worker dies; whatever the work raises is raised here.
    """
    if jobs == 1:
        yield from map(make(), items)
        return
    source = iter(items)
    flying: deque[Future[list[Out]]] = deque()
    pool = ProcessPoolExecutor(jobs, initializer=_start, initargs=(make,))
    try:
        while True:
            while len(flying) < _AHEAD * jobs and (batch := list(islice(source, _BATCH))):
                flying.append(pool.submit(_run, batch))
            if not flying:
                return
            yield from flying.popleft().result()
    except BrokenProcessPool as error:
        raise InputFailure(errors.lost_worker()) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def spare_collector() -> None:
    """For batch commands: collector pauses dominate bulk loading, so it runs seldom and looks at little.

    What exists now is never looked at again; cycles made later are still found, so memory stays bounded.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 10, 10)


def _start(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _work
    _end_with_parent()
    _work = make()
    spare_collector()


def _run(batch: list[Any]) -> list[Any]:
    assert _work is not None
    return [_work(item) for item in batch]


def _end_with_parent() -> None:
    """A worker whose parent was killed must not live on, waiting for work."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel

        def watch() -> None:
            wait([sentinel])
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()
