"""A language of four lines with variables: names are bound in order to a `n` (a number) or an `s` (a text), then come
`+` and two numbers or `.` and two texts, each a constant or a name: `let x0=n;let x1=s;+ x0 n`."""

from dlc.neural.machine import Machine
from dlc.neural.net import Net, Part
from dlc.neural.vocabulary import Vocabulary

CAP = 12
TOKENS = [*"letx0123456789=ns;+. ", "let x0=", " x", " x1", "x1 ", "n;", "n;let x", " n x0", "s;. x0", "x0 n"]
VOCABULARY = Vocabulary((*(t.encode() for t in TOKENS), None), (len(TOKENS),))


def toy() -> tuple[Net, int]:
    net = Net()
    number, text = net.name("number"), net.name("text")

    def values(*constants: tuple[str, int]) -> int:
        """A constant, or a variable: which of them go, the caller says."""

        def build(part: Part) -> None:
            for spelled, result in constants:
                part.end(part.text(part.start, spelled), result)
            part.variables(part.start, CAP)

        made = net.procedure(("value", constants), build)
        net.shorten(made, lambda: (constants[0][0].encode(), constants[0][1]))
        return made

    def program(part: Part) -> None:
        at = part.start
        for slot in range(CAP + 1):
            for sign, wanted, short in (("+", number, b"n"), (".", text, b"s")):
                argument = part.text(at, sign + " ")
                for last in (False, True):
                    after = part.new()
                    goes = net.continuation(
                        lambda r, after=after, wanted=wanted: after if r == wanted else None, lambda _: 3
                    )
                    part.call(argument, values((short.decode(), wanted)), goes)
                    part.rest(argument, lambda last=last, short=short: short if last else short + b" " + short)
                    if last:
                        part.end(after)
                    else:
                        argument = part.text(after, " ")
            if slot < CAP:
                bound = part.new()
                goes = net.continuation(lambda _, bound=bound: bound, lambda _: 6)
                part.call(part.text(at, f"let x{slot}="), values(("n", number), ("s", text)), goes, binds=True)
                at = part.text(bound, ";")

    return net, net.procedure("program", program)


def machine() -> Machine:
    return Machine(*toy(), VOCABULARY)
