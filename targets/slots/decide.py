"""Which statements of a state the user asks for in this turn: the rest of the state stands confirmed.

A state accumulates, a turn asks for something. What it asks for is read from what changed in the state and from
the dialogue acts of this turn and the one before. The rules, in order; d is a domain, q(d) and a(d) its query and
its action:

 1. the agent's acts say which entity it offered, whether it offered or asked for a booking, whether it booked
 2. the user's acts are all thanks and goodbyes: nothing is asked for
 3. a field of a statement changed (a removal counts): that statement
 4. a request for field f of d: q(d) showing f, unless a(d) is asked for already; if only a(d) has f: a(d), but
    nothing if it has been booked, where the act alone asks for the result
 5. an inform about d without fields: nothing if d, or something while d is old, is asked for; else a(d) if d has
    no query or its booking is in the air; else q(d)
 6. nothing yet, but an inform about field f: the statement that has f
 7. nothing yet: nothing, if no domain is active, if neither side has acts, or if the agent asked for more or had
    booked and left nothing open; else the active domain's action if a booking was offered, else its query
 8. q(d) and a(d), q(d) showing nothing, the entity known: a(d) alone
 9. q(d) showing nothing, a(d) in the state and not booked: both

Found by comparing states with the turns that people annotated again in ThingTalk; no rule names a domain or slot.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from .layout import Domain, Layout, Role
from .states import DomainState

Said: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]
"""A dialogue act as annotated: domain (lower case), kind, pairs of field and value."""

States: TypeAlias = Mapping[str, DomainState]

_CLOSING: Final = frozenset((("general", "thank"), ("general", "bye")))
_OPEN: Final = frozenset(("Recommend", "Select", "OfferBook", "Request", "NoOffer", "NoBook"))
_NAMED_BY: Final = frozenset(("Name", "Id"))
_NO_VALUE: Final = frozenset(("none", "?"))

# A booking act names no domain: it is about the one being talked about.
ANY_DOMAIN: Final = "booking"


@dataclass(slots=True)
class Talk:
    """What earlier turns leave behind: the active domain, offered entities, domains booked."""

    active: str | None = None
    offered: dict[str, str | None] = field(default_factory=dict)
    booked: set[str] = field(default_factory=set)


Asked: TypeAlias = dict[tuple[str, Role], tuple[str, ...]]
"""What is asked for: domain and role, with the fields to show."""

_ROLES: Final[tuple[Role, Role]] = ("query", "action")
_NOTHING: Final[Mapping[str, str]] = {}


def asked_for(
    before: States, after: States, user: tuple[Said, ...], agent: tuple[Said, ...], talk: Talk, layout: Layout
) -> Asked:
    """The statements the user asks for in a turn, in order; `talk` is brought up to date."""
    domains = layout.domains
    wants = _heard(agent, talk, domains)
    if user and all((d, kind) in _CLOSING for d, kind, _ in user):
        return {}
    changed = _changed(before, after)
    asked: Asked = dict.fromkeys(changed, ())
    only_result = _requests(user, before, asked, talk, domains)
    _bare(user, before, asked, talk, wants, domains)
    if not asked and not only_result:
        _told(user, asked, domains)
    if not asked and not only_result:
        _going_on(user, agent, before, asked, talk, wants, domains)
    for name, domain in domains.items():
        if domain.table is None or domain.action is None:
            continue
        query: tuple[str, Role] = (name, "query")
        action: tuple[str, Role] = (name, "action")
        if query not in asked or asked[query]:
            continue
        state = after.get(name)
        if action in asked:
            if (state is not None and state.key_known) or talk.offered.get(name):
                del asked[query]
        elif state is not None and state.action is not None and name not in talk.booked:
            asked[action] = ()
    if asked:
        talk.active = next(reversed(asked))[0]
    return asked


def _heard(agent: tuple[Said, ...], talk: Talk, domains: Mapping[str, Domain]) -> set[str]:
    """Rule 1. The domains whose booking is in the air; offers, bookings and the active domain go to `talk`."""
    wants: set[str] = set()
    about: list[str] = []
    for said, kind, pairs in agent:
        name = talk.active if said == ANY_DOMAIN else said
        domain = domains.get(name) if name is not None else None
        if domain is None or name is None:
            continue
        about.append(name)
        entities = [value.lower() for f, value in pairs if f in _NAMED_BY and value not in _NO_VALUE]
        if entities:
            talk.offered[name] = entities[0] if len(entities) == 1 else None
        if kind == "NoOffer":
            talk.offered.pop(name, None)
        elif kind == "OfferBook" or (said == ANY_DOMAIN and kind in ("Inform", "Request")):
            wants.add(name)
        elif kind in ("Book", "OfferBooked") or (domain.table is None and kind == "Inform"):
            talk.booked.add(name)
        elif kind == "NoBook":
            talk.booked.discard(name)
    if about and talk.active not in about:
        talk.active = about[-1]
    return wants


def _changed(before: States, after: States) -> list[tuple[str, Role]]:
    """Rule 3."""
    changed: list[tuple[str, Role]] = []
    for name, state in after.items():
        old = before.get(name)
        if old is state:
            continue
        for role in _ROLES:
            now = state.fields[role]
            then = old.fields[role] if old is not None else _NOTHING
            if now != then and (state.query if role == "query" else state.action) is not None:
                changed.append((name, role))
    return changed


def _about(asked: Asked, name: str) -> bool:
    return (name, "query") in asked or (name, "action") in asked


def _requests(user: tuple[Said, ...], before: States, asked: Asked, talk: Talk, domains: Mapping[str, Domain]) -> bool:
    """Rule 4. Whether all that was requested is a result of something booked."""
    only_result = False
    for name, kind, pairs in user:
        domain = domains.get(name)
        if kind != "Request" or domain is None:
            continue
        if asked and not _about(asked, name) and name not in before:
            continue
        for requested, _ in pairs:
            target = domain.acts.get(requested)
            if target is not None and target.role == "query":
                if (name, "action") not in asked:
                    shown = asked.get((name, "query"), ())
                    extra = () if target.slot == domain.key or target.name in shown else (target.name,)
                    asked[name, "query"] = (*shown, *extra)
            elif target is not None:
                if name in talk.booked and (name, "action") not in asked:
                    only_result = only_result or not asked
                else:
                    asked.setdefault((name, "action"), ())
            elif not asked and requested != "none":
                asked[name, "query" if domain.table is not None else "action"] = ()
    return only_result


def _bare(
    user: tuple[Said, ...],
    before: States,
    asked: Asked,
    talk: Talk,
    wants: Iterable[str],
    domains: Mapping[str, Domain],
) -> None:
    """Rule 5."""
    for name, _, pairs in user:
        domain = domains.get(name)
        if domain is None or not any(f == "none" for f, _ in pairs):
            continue
        if _about(asked, name) or (asked and name in before):
            continue
        wanted = domain.action is not None and name not in talk.booked
        wanted = wanted and (name in wants or bool(talk.offered.get(name)))
        asked[name, "action" if domain.table is None or wanted else "query"] = ()


def _told(user: tuple[Said, ...], asked: Asked, domains: Mapping[str, Domain]) -> None:
    """Rule 6."""
    for name, kind, pairs in user:
        domain = domains.get(name)
        if kind != "Inform" or domain is None:
            continue
        target = next((t for f, _ in pairs if (t := domain.acts.get(f)) is not None), None)
        if target is not None:
            asked[name, target.role] = ()


def _going_on(
    user: tuple[Said, ...],
    agent: tuple[Said, ...],
    before: States,
    asked: Asked,
    talk: Talk,
    wants: set[str],
    domains: Mapping[str, Domain],
) -> None:
    """Rule 7."""
    active = talk.active
    if active is None or active not in domains or not (user or agent):
        return
    domain = domains[active]
    if active in wants and domain.action is not None and active not in talk.booked:
        asked[active, "action"] = ()
        return
    closed = ("general", "reqmore") in {(d, kind) for d, kind, _ in agent} or active in talk.booked
    if closed and not any(kind in _OPEN for _, kind, _ in agent):
        return
    asked[active, "query" if domain.table is not None else "action"] = ()
