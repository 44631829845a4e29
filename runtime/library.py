"""What a dialogue can call: functions by name, some of which have effects and wait for confirmation."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .graph import Role


class Problem(Exception):
    """Raised by a library function: the request cannot be fulfilled as it stands.

    kind: a short code (`not_found`, `invalid_date`); path: the argument that was missing or wrong.
    """

    def __init__(self, kind: str, message: str, path: Role = ()) -> None:
        super().__init__(message)
        self.kind, self.message, self.path = kind, message, path


@dataclass(frozen=True, slots=True)
class Library:
    """Functions over data given to them.

    `effects` run only once confirmed; until then they give the proposal `preview` makes of their arguments.
    `confirmations` are the nullary functions that confirm the most salient proposal. `symbolic`: a call that nothing
    implements has itself as its value, so that dialogues run without data.
    """

    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    effects: frozenset[str] = frozenset()
    confirmations: frozenset[str] = frozenset(("confirm",))
    seconds: float = 2.0
    symbolic: bool = False

    def call(self, fn: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
        """Run a function within the time allowed. Raises Problem, also for anything it raises itself."""
        outcome: list[Any] = []
        failure: list[Exception] = []

        def work() -> None:
            try:
                outcome.append(self.functions[fn](*args, **named))
            except Problem as problem:
                failure.append(problem)
            except Exception as error:  # a library is foreign code: whatever it raises is an exception of the dialogue
                failure.append(Problem("error", f"{fn}: {error}"))

        if self.seconds <= 0:
            work()
        else:
            worker = threading.Thread(target=work, daemon=True)
            worker.start()
            worker.join(self.seconds)
            if worker.is_alive():
                raise Problem("timeout", f"{fn} did not answer within {self.seconds:g} s")
        if failure:
            raise failure[0]
        return outcome[0]
