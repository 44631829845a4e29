"""What users of collected dialogues do that a state-machine simulator does not, told from formal states alone.

The four patterns of Campagna et al. (2022), section 4.3 and Table 3, that need no simulator to be recognized. A
domain is what its tables and actions have in common: the fact `@slot`, else the class of the ThingTalk name.
"""

from ..compiler.schema import Function, Schema, Table, fact
from ..compiler.terms import App, Statement, Term, Turn, subterms
from .step import missing_arguments

DOMAIN_SWITCH, MULTIDOMAIN = "domain switch", "multidomain"
EAGER, ABANDONED = "eager action parameters", "abandoned transaction"
MOVES = (DOMAIN_SWITCH, MULTIDOMAIN, EAGER, ABANDONED)

# Acts by which an agent asks to narrow a search down, by any name the languages have for them.
REFINING = frozenset(("sys_search_question", "sys_generic_search_question", "sys_propose_refined_query", "select"))


def domain_of(declared: Table | Function) -> str:
    """The domain a table or action belongs to."""
    said = fact(declared.facts, "slot")
    if said:
        return said
    kind = (fact(declared.facts, "thingtalk") or "").rpartition(".")[0]
    return kind or declared.name


def called(term: Term, schema: Schema) -> "list[Table | Function]":
    """Tables and actions a statement names, in order."""
    found: list[Table | Function] = []
    for node in subterms(term):
        if isinstance(node, App):
            function = schema.function.get(node.fn)
            declared = schema.table.get(node.fn) or (function if function is not None and function.action else None)
            if declared is not None and declared not in found:
                found.append(declared)
    return found


def domains(statements: tuple[Statement, ...], schema: Schema) -> tuple[str, ...]:
    """Domains of statements, each once, in order."""
    return tuple(dict.fromkeys(domain_of(d) for s in statements for d in called(s.term, schema)))


def user_moves(context: Turn | None, turn: Turn, schema: Schema) -> tuple[str, ...]:
    """The patterns a user's turn shows, given the state it answers (None before the first turn).

    domain switch: asks for another domain while the transaction of the one under discussion has not been done.
    multidomain: what is new in it concerns two domains. eager action parameters: gives arguments of an action though the
    agent asked to narrow the search down. abandoned transaction: drops an action that waits for arguments.
    """
    before = context.statements if context is not None else ()
    pending = tuple(s for s in before if s.status == "accepted")
    asked = tuple(s for s in turn.statements if s.status == "accepted")
    new = tuple(s for s in asked if s.term not in {p.term for p in pending})
    found: set[str] = set()
    if len(domains(new, schema)) > 1:
        found.add(MULTIDOMAIN)
    current = domains(before[-1:], schema)[-1:]
    if current and asked and current[0] not in domains(asked, schema) and not _done(current[0], before, schema):
        found.add(DOMAIN_SWITCH)
    if context is not None and any(act.name in REFINING for act in context.acts):
        found |= {EAGER for s in asked if _gives_arguments(s.term, schema)}
    kept = {d.name for s in asked for d in called(s.term, schema)}
    for statement in pending:
        actions = [d for d in called(statement.term, schema) if isinstance(d, Function)]
        if actions and missing_arguments(statement.term, schema) and actions[-1].name not in kept:
            found.add(ABANDONED)
    return tuple(move for move in MOVES if move in found)


def _done(domain: str, statements: tuple[Statement, ...], schema: Schema) -> bool:
    """Whether a domain's action has been executed, or it has none."""
    actions = [f for f in schema.functions if f.action and domain_of(f) == domain]
    names = {f.name for f in actions}
    ran = (d.name for s in statements if s.status == "confirmed" for d in called(s.term, schema))
    return not actions or any(name in names for name in ran)


def _gives_arguments(term: Term, schema: Schema) -> bool:
    """Whether an action is given more than what it is about (its key argument)."""
    for node in subterms(term):
        function = schema.function.get(node.fn) if isinstance(node, App) else None
        if function is not None and function.action and isinstance(node, App):
            about = {n for n, p in function.labelled.items() if fact(p.facts, "key") is not None}
            if any(label not in about and value != App("missing") for label, value in node.named):
                return True
    return False
