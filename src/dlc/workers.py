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
from typing import Any, Literal, TypeVar

from . import errors
from .errors import InputFailure

Engine = Literal["local", "ray"]
In = TypeVar("In")
Out = TypeVar("Out")
Flying = TypeVar("Flying")
_BATCH = 16
_AHEAD = 4

# Set once in each worker process: a worker serves one run. The work is made with the first batch, not in the
# initializer, so that what goes wrong there (a schema that cannot be read) is raised as it is.
_make: Callable[[], Callable[[Any], Any]] | None = None
_work: Callable[[Any], Any] | None = None


def ordered(
    make: Callable[[], Callable[[In], Out]], items: Iterable[In], jobs: int, engine: Engine = "local"
) -> Iterator[Out]:
    """`make()` applied to each item, in order. make: picklable; called once a process. jobs: at least 1.

    engine: `local` processes of this machine, or actors of a `ray` cluster. At most a few batches a worker are in
    flight, so memory does not grow with the input. Raises InputFailure if a worker dies or ray is not installed;
    whatever the work raises is raised here.
    """
    if engine == "ray":
        from .ray_engine import ordered_by_ray

        yield from ordered_by_ray(make, items, jobs)
        return
    if jobs == 1:
        yield from map(make(), items)
        return
    pool = ProcessPoolExecutor(jobs, initializer=_start, initargs=(make,))
    try:
        yield from in_flight(items, jobs, lambda batch: pool.submit(_run, batch), Future.result)
    except BrokenProcessPool as error:
        raise InputFailure(errors.lost_worker()) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_flight(
    items: Iterable[In],
    jobs: int,
    submit: Callable[[list[In]], Flying],
    result: Callable[[Flying], list[Out]],
) -> Iterator[Out]:
    """Results of batches in the order they were sent, a few batches a worker sent ahead."""
    source = iter(items)
    flying: deque[Flying] = deque()
    while True:
        while len(flying) < _AHEAD * jobs and (batch := list(islice(source, _BATCH))):
            flying.append(submit(batch))
        if not flying:
            return
        yield from result(flying.popleft())


def spare_collector() -> None:
    """For batch commands: collector pauses dominate bulk loading, so it runs seldom and looks at little.

    What exists now is never looked at again; cycles made later are still found, so memory stays bounded.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 10, 10)


def _start(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _make
    _end_with_parent()
    _make = make


def _run(batch: list[Any]) -> list[Any]:
    global _work
    if _work is None:
        assert _make is not None
        _work = _make()
        spare_collector()
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
