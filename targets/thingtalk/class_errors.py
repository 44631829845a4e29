"""Diagnostics of class and data set definitions, DLC23x. Each docstring is what `dlc explain CODE` prints.

`where` names the class, function and parameter: `@com.shop.order.size`.
"""

from ...grammar.diagnostic import Diagnostic, nearest


def annotation_value(where: str, name: str, wanted: str, translatable: bool = False) -> Diagnostic:
    """DLC230: an annotation with a value of the wrong kind.

    What it means: the annotation has a meaning (`#[default=...]`, `#[min_number=...]`, `#[unique=...]`, ...) that a value like
    this one cannot carry, or its value is no constant.

    How to fix it: write a constant of the kind that the message asks for.
    """
    return Diagnostic("DLC230", f"{where}: {'#_' if translatable else '#'}[{name}] is {wanted}")


def annotated_parameter(where: str, name: str, parameter: str, known: list[str]) -> Diagnostic:
    """DLC231: an annotation about a parameter that its function does not have.

    What it means: `#[default_projection=[...]]` lists names of parameters that the function declares itself.

    How to fix it: compare with the parameters of the function.
    """
    close = nearest(parameter, known)
    help_ = tuple(f"did you mean {c}?" for c in close[:1])
    return Diagnostic("DLC231", f"{where}: #[{name}] names {parameter}, which is no parameter", help=help_)


def bad_base(where: str, message: str) -> Diagnostic:
    """DLC232: a definition that cannot extend what it extends.

    What it means: a query may extend queries of its own class, not itself, and where both have a parameter of one name it is
    of one type; actions extend nothing. A class written inside a program extends one class at most.

    How to fix it: name a query of the class, and give the parameter one type or two names.
    """
    return Diagnostic("DLC232", f"{where}: {message}")


def unknown_type(where: str, name: str) -> Diagnostic:
    """DLC233: a type that ThingTalk does not have.

    What it means: parameters are of the types of the language (`String`, `Number`, `Entity(...)`, `Enum(...)`, ...); other
    names name nothing.

    How to fix it: write the type in full; a type of named things is `Entity(class:name)`.
    """
    return Diagnostic("DLC233", f"{where}: there is no type {name}")


def defined_twice(where: str, what: str) -> Diagnostic:
    """DLC234: something that is defined or imported twice.

    What it means: in one class two functions, two entity types or two imports of the same facet (`loader`, `config`) have one
    name, or a function has one parameter twice with different types. Which one is meant nobody can tell.

    How to fix it: rename or remove one of them.
    """
    return Diagnostic("DLC234", f"{where}: {what} twice")


def bad_import(where: str, message: str) -> Diagnostic:
    """DLC235: an import that does not fit its module.

    What it means: `import loader from @module(...)` names a module that is not known, or gives it an argument that it does
    not take, one of the wrong type, one twice, or not all that it needs; or the class is abstract, which has no devices to load
    or to configure.

    How to fix it: compare with the modules of the platform.
    """
    return Diagnostic("DLC235", f"{where}: {message}")


def misplaced_annotation(where: str, name: str, owner: str) -> Diagnostic:
    """DLC236: an annotation that means nothing where it stands.

    What it means: bounds (`#[min_number=...]`, `#[max_number=...]`) belong to numbers, measures and currencies;
    `#[poll_interval=...]` belongs to a monitorable query.

    How to fix it: remove it, or declare what it needs.
    """
    return Diagnostic("DLC236", f"{where}: #[{name}] belongs to {owner}")


def bad_example(where: str, message: str) -> Diagnostic:
    """DLC237: an example of a data set that is not what it says.

    What it means: an example says whether it is a `stream`, a `query`, an `action` or a whole `program`, and its annotation
    `utterances` is a list of texts.

    How to fix it: write the word that fits the expression, or `program`, which always does.
    """
    return Diagnostic("DLC237", f"{where}: {message}")


def array_value(message: str) -> Diagnostic:
    """DLC238: an operation on a list that its elements do not allow.

    What it means: `count`, `sum`, `avg`, `min` and `max` of a value, a filter of its elements and a field of each
    (`rating of reviews`) want a list; the field must be one of its elements', a sum is of numbers, and the condition is about the
    element's fields, or about `value` where it has none.

    How to fix it: compare with the type of the parameter in its class.
    """
    return Diagnostic("DLC238", message)
