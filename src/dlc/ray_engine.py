"""The same order over a ray cluster (https://docs.ray.io): one actor a job, dlc installed where they run.

The address of a running cluster comes from ray's own RAY_ADDRESS; without it ray starts on this machine.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from typing import Any

from . import errors
from .errors import InputFailure
from .workers import In, Out, in_flight, spare_collector


class _Worker:
    """An actor. The work is made with the first batch, so that what goes wrong there is raised as it is."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]]) -> None:
        self._make = make
        self._work: Callable[[Any], Any] | None = None

    def run(self, batch: list[Any]) -> list[Any]:
        if self._work is None:
            self._work = self._make()
            spare_collector()
        return [self._work(item) for item in batch]


def ordered_by_ray(make: Callable[[], Callable[[In], Out]], items: Iterable[In], jobs: int) -> Iterator[Out]:
    """As `workers.ordered`. Raises InputFailure: DLC373 if a worker dies, DLC376 if ray is not installed."""
    try:
        import ray
    except ImportError as error:
        raise InputFailure(errors.no_ray()) from error
    started = not ray.is_initialized()
    if started:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        # No processor is reserved: a job is one of the user's processes, however many processors there are.
        actor = ray.remote(num_cpus=0)(_Worker)
        turns = cycle([actor.remote(make) for _ in range(jobs)])
        yield from in_flight(items, jobs, lambda batch: next(turns).run.remote(batch), ray.get)
    except ray.exceptions.RayActorError as error:
        raise InputFailure(errors.lost_worker()) from error
    finally:
        if started:
            ray.shutdown()
