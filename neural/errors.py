"""Decoding diagnostics, DLC5xx. Each docstring is what `dlc explain CODE` prints."""

from ..grammar.diagnostic import Diagnostic


def no_byte_coverage(missing: int, example: int) -> Diagnostic:
    """DLC501: a tokenizer that cannot write every byte.

    What it means: some bytes that programs need occur in no token on their own, so that a program might be started
    and never finished. Byte-level BPE and SentencePiece with byte fallback cover every byte.

    How to fix it: use such a tokenizer, or add the missing bytes as tokens.
    """
    return Diagnostic(
        "DLC501", f"the tokenizer has no token for {missing} of the bytes programs need, such as {bytes((example,))!r}"
    )


def nothing_to_say(what: str) -> Diagnostic:
    """DLC502: a schema in which no program can be written.

    What it means: the type named, needed by every program, has no value: no literal, member, function or table.

    How to fix it: declare a table, an action, or a function that needs no arguments of the type named.
    """
    return Diagnostic("DLC502", f"no value of {what} can be written, so no program can")


def budget_too_small(budget: int, needed: int) -> Diagnostic:
    """DLC503: a token budget in which no program fits.

    What it means: even the shortest program (or the shortest end of the prefix given) takes more tokens.

    How to fix it: give a larger budget; the message says the least that is known to work.
    """
    return Diagnostic("DLC503", f"a budget of {budget} tokens is too small; {needed} are known to be enough")


def bad_prefix(text: str, at: int) -> Diagnostic:
    """DLC504: a prefix that no well-typed program begins with.

    What it means: the text or tokens given as the program's beginning go wrong at the place shown.

    How to fix it: check the prefix with `dlc typecheck`; spaces count, since the decoder speaks printed DL.
    """
    return Diagnostic("DLC504", f"no program of the decoder's language begins with {text!r} (wrong from byte {at})")


def token_not_allowed(row: int, token: int) -> Diagnostic:
    """DLC505: a token that the mask did not allow.

    What it means: `advance` was given a token outside the mask of its row. Nothing unchecked is ever emitted, so the
    decoder stops instead of going on in an unknown state.

    How to fix it: sample from the masked logits; check that rows were not mixed up between mask and advance.
    """
    return Diagnostic("DLC505", f"row {row}: token {token} is not allowed here")


def bad_logits(row: int, why: str) -> Diagnostic:
    """DLC506: a row of logits that allows no choice.

    What it means: every allowed token has a logit of minus infinity, or some logit is no number. Choosing anyway
    would emit something the model never proposed.

    How to fix it: look for overflow in half precision, or for another processor that masked everything.
    """
    return Diagnostic("DLC506", f"row {row} of the logits is unusable: {why}")


def wrong_width(logits: int, vocabulary: int) -> Diagnostic:
    """DLC507: logits that are narrower than the tokenizer's vocabulary.

    What it means: model and tokenizer do not belong together. Wider logits (padded heads) are fine: what has no
    token is never allowed.

    How to fix it: load the tokenizer that the model was trained with, or resize the model's embeddings.
    """
    return Diagnostic("DLC507", f"the logits have {logits} columns, the tokenizer {vocabulary} tokens")


def wrong_shape(what: str) -> Diagnostic:
    """DLC508: arguments whose shapes, devices or types do not fit together.

    What it means: rows, token ids and state disagree in number, or a tensor has the wrong device or dtype.

    How to fix it: one token id, one row of logits and one state row for each sequence of the batch.
    """
    return Diagnostic("DLC508", what)


def no_end_token() -> Diagnostic:
    """DLC509: a tokenizer without an end-of-sequence token.

    What it means: nothing tells generation where a program ends.

    How to fix it: set `eos_token` on the tokenizer, or pass `eos=` to the decoder.
    """
    return Diagnostic("DLC509", "the tokenizer has no end-of-sequence token")


def unknown_option(name: str, value: str, known: tuple[str, ...]) -> Diagnostic:
    """DLC510: an option the decoder does not have.

    What it means: the surface, executor or budget kind named does not exist.

    How to fix it: use one of those listed.
    """
    return Diagnostic("DLC510", f"{name} {value!r} is not one of {', '.join(known)}")


def too_large_for_exact(limit: int) -> Diagnostic:
    """DLC512: a budget too large to be kept exactly.

    What it means: `budgets="exact"` looks ahead token by token where the known way to finish takes more than is left.
    That is for small vocabularies and budgets; with a larger budget (or none) it might look forever.

    How to fix it: give a smaller budget, or use `budgets="safe"`, which keeps every budget too and may refuse a token
    that only an unusually short finish could afford.
    """
    return Diagnostic("DLC512", f"exact budgets would have to look more than {limit} tokens ahead here")


def too_large_to_close(limit: int) -> Diagnostic:
    """DLC513: an automaton with too many reachable states for a device.

    What it means: a GPU cannot ask for what its tables lack, so everything reachable is worked out beforehand, and
    this surface and schema have too much of it (joins and queries inside queries multiply).

    How to fix it: use `executor="cpu"`, whose tables grow while it runs, or narrower `limits`.
    """
    return Diagnostic("DLC513", f"the tables need more than {limit:,} places to be complete")


def too_deep(row: int) -> Diagnostic:
    """DLC514: a stack that overflows.

    What it means: a program nests deeper than the executor's stacks, which have a fixed depth. No token is emitted.

    How to fix it: report it; the depth at which only a finish is open should have prevented this.
    """
    return Diagnostic("DLC514", f"row {row}: the program nests too deep")


def tables_incomplete(row: int) -> Diagnostic:
    """DLC515: tables that lack a place which a device reached.

    What it means: a loop on the device cannot wait for the host to fill in its tables, and a row came to a place that
    was in none of them. The row stopped there; nothing unchecked was emitted.

    How to fix it: let the loop grow its tables (`generate(…, grow=True)`, which waits for the device once a step),
    close them beforehand (`decoder.executor.tables.close()`), warm them up on programs like those expected, or step
    with `mask` and `advance`, which fill in what is missing.
    """
    return Diagnostic("DLC515", f"row {row}: the tables on the device lack what comes next")


def nothing_to_ground_in(row: int, what: str) -> Diagnostic:
    """DLC516: a request in which no string literal could be written.

    What it means: literals are to be grounded in texts without a character (or, at borders of words, without a word
    or mark), or in a set without members; or the tokenizer can spell none of them. A program that needs a string
    could not be finished.

    How to fix it: give texts or members that say something, or `None` where nothing is to be grounded.
    """
    return Diagnostic("DLC516", f"row {row}: no literal can be grounded in {what}")


def unknown_place(row: int, name: str) -> Diagnostic:
    """DLC517: a set of values for something that the schema does not have.

    What it means: sets are for columns and arguments, by their names or with the table or function that has them, and
    for types; in Lispress for calls and labels. The schema has none of this name, so the set would never be looked at.

    How to fix it: write it as the schema does, such as `Hotel.name`, `name` or `Hotel`.
    """
    return Diagnostic("DLC517", f"row {row}: the schema has nothing that `{name}` could be the values of")
