"""Diagnostics about Lispress, DLC28x and DLC29x. Each docstring is what `dlc explain CODE` prints."""

from collections.abc import Iterable

from ...grammar.diagnostic import Diagnostic, nearest
from ...grammar.span import Span
from ..rows import Note


def bad_lispress(message: str, span: Span | None = None) -> Diagnostic:
    """DLC280: text that is no Lispress program.

    What it means: parentheses do not balance, a string does not end, a `let` has no value for a name, or
    the nesting is deeper than any real program's. The place is the innermost expression that is wrong.

    How to fix it: correct the program there.
    """
    return Diagnostic("DLC280", f"this is no Lispress: {message}", span)


def unsayable_in_dl(what: str) -> Diagnostic:
    """DLC281: a Lispress program with a part that DL has no form for.

    What it means: `let` stands inside an expression, a list begins with a list, an argument's name has no
    value, or a name has characters that DL cannot spell.

    How to fix it: bring the program into its standard form (`dlc canon`), which moves every `let` to the top.
    """
    return Diagnostic("DLC281", f"DL cannot say this program: {what}")


def unsayable_in_lispress(what: str) -> Diagnostic:
    """DLC282: a part of a DL turn that Lispress has no form for.

    What it means: queries, dates, placeholders, results, acts and statuses of statements exist in DL only.

    How to fix it: convert to another target, or leave that part out.
    """
    return Diagnostic("DLC282", f"Lispress cannot say {what}")


def unknown_function(head: str, known: Iterable[str], span: Span | None = None) -> Diagnostic:
    """DLC283: a function that the schema has no signature for.

    What it means: the program calls a function that was in none of the programs the schema was learned
    from. Everything else in the program is still typed.

    How to fix it: compare with the names suggested, or harvest a schema from programs that use it.
    """
    close = nearest(head, sorted(known))
    hints = (f"did you mean {', '.join(f'`{name}`' for name in close[:3])}?",) if close else ()
    return Diagnostic("DLC283", f"`{head}` has no signature in the schema", span, help=hints)


def unlisted_constant(head: str, owner: str, span: Span | None = None) -> Diagnostic:
    """DLC284: a constant that its open enum does not list (a lint).

    What it means: the schema knows the type and some of its constants, not this one; being open, the type
    may have others. The program is typed as if it were listed.

    How to fix it: check the spelling; harvest again from programs that use it.
    """
    return Diagnostic("DLC284", f"`{head}` is no constant of {owner} that the schema lists", span, severity="warning")


def type_argument_needed(head: str, variable: str, why: str, span: Span | None = None) -> Diagnostic:
    """DLC285: a type argument that nothing in the program decides (a lint).

    What it means: the function's result has a type variable that no argument determines, the program leaves
    the type argument out, and nothing around the call says what it must be. It is taken to be Dynamic.

    How to fix it: write the type argument, if Dynamic is not what is meant.
    """
    hint = f"write it: (^(…) {head} …)"
    message = f"the type argument {variable} of `{head}` is needed: {why}; Dynamic is taken"
    return Diagnostic("DLC285", message, span, severity="warning", help=(hint,))


def contradictory(head: str, why: str) -> Diagnostic:
    """DLC286: a function whose uses do not fit one signature.

    What it means: signatures are learned from fully typed programs, and this function's uses contradict one
    another. It is left out of the schema.

    How to fix it: correct the types in the programs.
    """
    return Diagnostic("DLC286", f"no signature fits all uses of `{head}`: {why}", severity="warning")


def ill_typed(why: str, span: Span | None = None) -> Diagnostic:
    """DLC287: a call whose arguments do not fit its signature.

    What it means: an argument has another type than the signature wants, one is missing, or one too many.

    How to fix it: compare with the signature shown.
    """
    return Diagnostic("DLC287", why, span)


def unbound(name: str, span: Span | None = None) -> Diagnostic:
    """DLC288: a variable that no `let` binds.

    What it means: names made of x and digits are variables in Lispress, and this one stands for nothing.

    How to fix it: bind it in a `let` around its use.
    """
    return Diagnostic("DLC288", f"the variable `{name}` is not bound", span)


def no_dialogue(why: str) -> Diagnostic:
    """DLC289: a line of a file of dialogues that is none, or a turn without a program.

    What it means: SMCalFlow's files have one dialogue a line, an object with `dialogue_id` and `turns`, and each
    turn its program under `lispress`.

    How to fix it: compare the line with a file of that data set.
    """
    return Diagnostic("DLC289", why)


def domain_left_out(domain: str) -> Note:
    """DLC290: a domain that the published recipe leaves out of its programs.

    What it means: the experiments on MultiWOZ as dataflow have five domains (hotel, train, restaurant, attraction,
    taxi); what a state says of another one is not in the program.

    How to fix it: convert with --keep-all-domains.
    """
    message = f"the recipe leaves out the domain {domain}; --keep-all-domains keeps it"
    return Note("DLC290", message, loss=True, part=domain)


def result_left_out(domain: str) -> Note:
    """DLC291: the result of a booking, which a program does not say.

    What it means: a program says what the user wants; what was booked is what running it gives.

    How to fix it: convert to another target if the results are needed.
    """
    return Note("DLC291", f"what was booked ({domain}) is a result, not part of the program", loss=True, part=domain)


def acts_beside() -> Note:
    """DLC292: dialogue acts, which a program of the recipe does not hold (a lint).

    What it means: acts annotate the utterance and stand beside the program; what the state says is complete.

    How to fix it: nothing to fix.
    """
    return Note("DLC292", "acts are not part of a dataflow program")


def unknown_argument(head: str, which: str, signature: str, span: Span | None = None) -> Diagnostic:
    """DLC293: an argument that the schema does not know the function to have.

    What it means: the function is known, but with fewer arguments or with others; what this call's argument is called
    and what type it may have, nothing says. The call has no type, the arguments themselves do.

    How to fix it: compare with the signature shown; a schema learned from more programs may know the argument.
    """
    return Diagnostic("DLC293", f"the schema knows `{head}` without {which}", span, help=(f"signature: {signature}",))


def only_slots(service: str, lost: list[str]) -> Note:
    """DLC294: the intent of a service, or what is requested, which a program of the recipe does not say.

    What it means: the published recipe is about slots and their values. What the user wants done with a service, and
    which of its slots the user asks for, is not in the program.

    How to fix it: convert to another target, such as thingtalk, if intents are needed.
    """
    return Note("DLC294", f"the recipe says slots only, not {', '.join(lost)} of {service}", loss=True, part=service)
