"""Steps without collecting garbage.

What an automaton and its tables grow by stays as long as they do, and is thousands of small objects: collections look
through everything the process has and find nothing, for longer than a step should take. So the collector is held off
while a decoder compiles, fills a mask or advances, and comes when whoever called makes objects of their own. These are
functions and no context: making one would wake it.
"""

import gc


def hold() -> bool:
    """Hold the collector off; whether it was on, for `release`."""
    enabled = gc.isenabled()
    gc.disable()
    return enabled


def release(held: bool) -> None:
    """Let the collector work again if it did before."""
    if held:
        gc.enable()
