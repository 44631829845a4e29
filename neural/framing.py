"""Text around a program: free text before it (reasoning) up to a marker, and fixed text after it.

Both become part of the network, so that masks, budgets, batches and devices need to know nothing of them. The free
text is any bytes of tokens that are not special, the first marker ends it.
"""

from .net import Net, Part


def framed(net: Net, root: int, marker: bytes, after: bytes) -> int:
    """The root procedure with free text up to `marker` before it (empty: none) and `after` behind it."""

    def build(part: Part) -> None:
        begin = _free_text(part, part.start, marker) if marker else part.start
        end = part.new()
        part.end(_bytes(part, end, after))
        part.call(begin, root, net.continuation(lambda _: end, lambda count: count(after)))

    return net.procedure(("framed", root, marker, after), build)


def _bytes(part: Part, source: int, data: bytes) -> int:
    for byte in data:
        target = part.new()
        part.byte(source, byte, byte, target)
        source = target
    return source


def _free_text(part: Part, start: int, marker: bytes) -> int:
    """Any bytes until the marker has been read: the states say how much of it the last bytes are."""
    states = [start, *(part.new() for _ in marker)]
    longest = _failures(marker)
    for length, state in enumerate(states[:-1]):
        for byte in range(256):
            at = length
            while at and marker[at] != byte:
                at = longest[at - 1]
            part.byte(state, byte, byte, states[at + 1] if marker[at] == byte else start)
    return states[-1]


def _failures(marker: bytes) -> list[int]:
    """For each prefix, its longest proper prefix that is a suffix too (Knuth, Morris and Pratt)."""
    longest = [0] * len(marker)
    for i in range(1, len(marker)):
        at = longest[i - 1]
        while at and marker[i] != marker[at]:
            at = longest[at - 1]
        longest[i] = at + 1 if marker[i] == marker[at] else 0
    return longest
