"""Diagnostics of the front door, DLC35x to DLC37x. Each docstring is what `dlc explain CODE` prints."""

from dlc.grammar.diagnostic import Diagnostic, Place, nearest
from dlc.grammar.span import Span

NOWHERE = Place()


class InputFailure(Exception):
    """An input, or the output, that the run cannot go on with: exit status 3."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)

    def __reduce__(self) -> "tuple[type[InputFailure], tuple[Diagnostic]]":
        """Raised in a worker process, it arrives whole."""
        return InputFailure, (self.diagnostic,)


def no_such_file(name: str, why: str) -> Diagnostic:
    """DLC350: a path that cannot be opened.

    What it means: there is no such file or folder, a pattern matches nothing, or reading is not allowed.

    How to fix it: check the spelling; quote a pattern only if the shell shall leave it to dlc.
    """
    return Diagnostic("DLC350", why, place=Place(name))


def empty_input(name: str) -> Diagnostic:
    """DLC351: an input with nothing in it.

    What it means: the file has no byte, or only spaces and blank lines. An empty file is more often a failed
    download than an empty corpus, so it is reported and not converted to nothing.

    How to fix it: fetch the file again.
    """
    return Diagnostic("DLC351", "the input is empty", place=Place(name))


def no_data_file(name: str, suffixes: tuple[str, ...]) -> Diagnostic:
    """DLC352: a folder or archive without a data file.

    What it means: nothing in it has a name that this source reads.

    How to fix it: name the file itself, or another source.
    """
    wanted = ", ".join(suffixes)
    return Diagnostic("DLC352", "there is no data file in it", place=Place(name), help=(f"looked for {wanted}",))


def bad_archive(name: str, why: str) -> Diagnostic:
    """DLC353: an archive that cannot be unpacked.

    What it means: the .zip or .gz file is cut, damaged, encrypted, or of a kind dlc does not read.

    How to fix it: fetch it again, or unpack it by hand.
    """
    return Diagnostic("DLC353", f"the archive cannot be unpacked: {why}", place=Place(name))


def archive_too_large(name: str, why: str) -> Diagnostic:
    """DLC354: an archive that unpacks to far more than its size.

    What it means: real corpora shrink to a twentieth or so; this one shrinks so much that it was probably
    made to fill a machine's memory or disk. Reading stopped at the bound.

    How to fix it: if the data is real, unpack it by hand and give the plain file.
    """
    return Diagnostic("DLC354", why, place=Place(name))


def bad_json(place: Place, why: str, line: int, column: int) -> Diagnostic:
    """DLC355: text that is not JSON.

    What it means: at this place the text breaks the rules of JSON. In a file that is one JSON document,
    nothing after it can be read; in a file of JSON lines only this line is lost.

    How to fix it: look at the line and column; a trailing comma and single quotes are the usual reasons.
    """
    return Diagnostic("DLC355", f"this is not JSON: {why} (line {line}, column {column})", place=place)


def truncated_json(place: Place, path: str) -> Diagnostic:
    """DLC356: a JSON document that ends too early.

    What it means: the file ends inside a value, as after a broken download or a full disk. The dialogues
    before it were read, but nothing is written to the file named with -o.

    How to fix it: fetch the file again.
    """
    where = f" inside {path}" if path else ""
    return Diagnostic("DLC356", f"the file ends{where} before its JSON does", place=place)


def nested_too_deeply(place: Place) -> Diagnostic:
    """DLC357: JSON nested too deeply.

    What it means: brackets within brackets far beyond what any corpus has; the bound (several hundred levels)
    keeps a hostile file from exhausting the machine.

    How to fix it: correct the row.
    """
    return Diagnostic("DLC357", "JSON is nested too deeply to be read", place=place)


def not_unicode(place: Place, where: str) -> Diagnostic:
    """DLC358: bytes that are not UTF-8.

    What it means: the text was saved in another encoding, or was damaged. JSON and DL are UTF-8; dlc does
    not guess.

    How to fix it: convert it (`iconv -f latin1 -t utf-8`), or correct the row.
    """
    return Diagnostic("DLC358", f"invalid UTF-8 {where}", place=place)


def value_too_large(place: Place, limit: int) -> Diagnostic:
    """DLC359: one dialogue or line larger than the bound.

    What it means: dlc holds one dialogue at a time in memory, and this one is larger than any real one.

    How to fix it: split it, or check that the file has the layout this source reads.
    """
    return Diagnostic("DLC359", f"one dialogue or line is larger than {limit >> 20} MiB", place=place)


def unknown_layout(place: Place, why: str) -> Diagnostic:
    """DLC360: a file that does not have the layout of the source.

    What it means: the file is well-formed, but is not what this source is made of.

    How to fix it: compare with the layout described in docs/cli.md; name another source.
    """
    return Diagnostic("DLC360", why, place=place)


def bad_row(place: Place, why: str) -> Diagnostic:
    """DLC361: a JSON row that is not a program.

    What it means: a row is an object with `program`, and `dialogue_id`, `turn`, `speaker`, `schema` as far
    as they apply. This one lacks the program or holds another kind of value.

    How to fix it: correct the row.
    """
    return Diagnostic("DLC361", why, place=place)


def rejected_before(place: Place) -> Diagnostic:
    """DLC362: a row without a program because an earlier conversion rejected it.

    What it means: the row's `program` is null; `convert` writes such rows for turns it could not convert.

    How to fix it: see the row's own `notes` for the reason.
    """
    return Diagnostic("DLC362", "the row has no program: an earlier conversion rejected it", place=place)


def unknown_schema(name: str, known: list[str], place: Place = NOWHERE) -> Diagnostic:
    """DLC363: a schema that is neither built in nor a file.

    What it means: no built-in schema has this name and no file has this path.

    How to fix it: compare with the names listed, or give the path of a schema file.
    """
    close = nearest(name, known, 1)
    hints = (f"did you mean `{close[0]}`?",) if close else ()
    return Diagnostic(
        "DLC363", f"there is no schema `{name}`", help=(*hints, f"built in: {', '.join(known)}"), place=place
    )


def no_schema(source: str, place: Place = NOWHERE) -> Diagnostic:
    """DLC364: a program without a schema.

    What it means: the row names no schema, the source has none of its own, and --schema was not given.

    How to fix it: give --schema a built-in name or a schema file.
    """
    return Diagnostic("DLC364", f"`{source}` has no schema of its own", help=("give --schema",), place=place)


def bad_schema_file(name: str, why: str) -> Diagnostic:
    """DLC365: a schema file that cannot be read as one.

    What it means: the file is not of a kind dlc reads schemas from.

    How to fix it: give a DL schema file (.dl).
    """
    return Diagnostic("DLC365", why, place=Place(name))


def no_services(schema: str, place: Place = NOWHERE) -> Diagnostic:
    """DLC375: a schema without services, where the source or target is about services.

    What it means: SGD's dialogues and states are read and scored over the schema of their services, and this schema
    declares none.

    How to fix it: give --schema the release's schema.json.
    """
    return Diagnostic(
        "DLC375", f"the schema `{schema}` declares no services", help=("give --schema a schema.json",), place=place
    )


def misaligned(place: Place, why: str, hint: str = "") -> Diagnostic:
    """DLC366: gold and predictions that do not line up.

    What it means: a turn stands on one side only, or twice. No figures are printed: leaving such turns out, or
    pairing what does not belong together, would give figures that look right and are not.

    How to fix it: give one prediction for every gold turn under the same `dialogue_id` and `turn` (null or "" where
    the system has none), or files without names whose rows stand in the same order.
    """
    return Diagnostic("DLC366", why, place=place, help=(hint,) if hint else ())


def unusable_gold(place: Place, why: str) -> Diagnostic:
    """DLC367: a gold row that nothing can be compared with.

    What it means: the reference side does not parse, does not type-check, does not run, or has no program. A wrong
    prediction counts as wrong; a wrong reference has no meaning.

    How to fix it: correct the row, or take it out of both files.
    """
    return Diagnostic("DLC367", f"this gold row cannot be used: {why}", place=place)


def unreadable_prediction(place: Place, why: str) -> Diagnostic:
    """DLC382: a predicted program that is no state.

    What it means: the prediction is text in a language, and it does not parse, does not type-check, or names what the
    schema does not have. It is scored as a tracker that predicts nothing: the empty state.

    How to fix it: nothing, if a system wrote it; it has its price in the figures.
    """
    return Diagnostic("DLC382", f"this prediction counts as the empty state: {why}", place=place, severity="warning")


def which_dialogue(name: str, why: str) -> Diagnostic:
    """DLC368: a command for one dialogue, given a file of several.

    What it means: the file holds several dialogues, or none of the name asked for.

    How to fix it: name one of them with --dialogue.
    """
    return Diagnostic("DLC368", why, place=Place(name))


def cannot_write(name: str, why: str) -> Diagnostic:
    """DLC370: output that cannot be written.

    What it means: the disk is full, the folder does not exist, or writing is not allowed. What had been
    written to a temporary file was removed; nothing stands under the name asked for.

    How to fix it: make room, or name another file with -o.
    """
    return Diagnostic("DLC370", f"cannot write: {why}", place=Place(name))


def closed_pipe() -> Diagnostic:
    """DLC371: standard output was closed before the end.

    What it means: the program that was reading (`head`, say) stopped. Not all rows were written.

    How to fix it: nothing, if that was intended; the exit status tells.
    """
    return Diagnostic("DLC371", "standard output was closed before the end", severity="warning")


def interrupted() -> Diagnostic:
    """DLC372: the run was stopped.

    What it means: the process was interrupted or asked to end. Nothing stands under the name given to -o.

    How to fix it: run it again.
    """
    return Diagnostic("DLC372", "the run was stopped before its end", severity="error")


def lost_worker() -> Diagnostic:
    """DLC373: a worker process died.

    What it means: the system ended one of the processes of --jobs, most often for want of memory.

    How to fix it: use fewer --jobs.
    """
    return Diagnostic("DLC373", "a worker process was ended by the system", help=("use fewer --jobs",))


def no_ray() -> Diagnostic:
    """DLC376: an engine that is not installed.

    What it means: `--engine ray` runs on ray, an extra of dlc.

    How to fix it: pip install 'dlc[ray]', or leave the engine out: `--jobs N` uses the processors of this machine.
    """
    return Diagnostic("DLC376", "ray is not installed", help=("pip install 'dlc[ray]'",))


def no_graphviz(why: str) -> Diagnostic:
    """DLC374: a drawing that needs Graphviz.

    What it means: SVG is drawn by the program `dot` of Graphviz, which is not there, or failed.

    How to fix it: install Graphviz (its package is called graphviz nearly everywhere), or ask for --format dot or
    mermaid.
    """
    return Diagnostic("DLC374", why, help=("--format dot and --format mermaid need nothing",))


def library_missing(why: str) -> Diagnostic:
    """DLC377: a metric whose library is not installed.

    What it means: BLEU and the F1 of dialogue acts are computed by well-kept libraries, which nothing else
    needs, so they are not installed with dlc.

    How to fix it: pip install 'dlc[metrics]'.
    """
    return Diagnostic("DLC377", why, help=("pip install 'dlc[metrics]'",))


def no_pyarrow() -> Diagnostic:
    """DLC378: Parquet without the library that writes it.

    What it means: Parquet is written by pyarrow, which is not installed.

    How to fix it: pip install 'dlc[parquet]', or ask for --format jsonl.
    """
    return Diagnostic("DLC378", "pyarrow is not installed", help=("pip install 'dlc[parquet]'",))


def no_such_layout(layout: str, schema: str) -> Diagnostic:
    """DLC380: a native layout that cannot hold the states of a schema.

    What it means: MultiWOZ 2.1's layout keeps one text a slot, `semi` and `book` apart; states of services list
    values, and have an intent.

    How to fix it: ask for --layout sgd or multiwoz22.
    """
    return Diagnostic("DLC380", f"the layout {layout} has no place for the states of `{schema}`")


def no_such_turn(place: Place) -> Diagnostic:
    """DLC381: a turn that the file written into does not have.

    What it means: the dialogue is in the file, but there it is shorter, or has no state at this turn. The turn is left
    out; everything else is written.

    How to fix it: write into the file that the turns came from, or into a new one.
    """
    return Diagnostic("DLC381", "the file to write into has no such turn", place=place)


def internal(place: Place, what: str) -> Diagnostic:
    """DLC379: a fault of dlc itself.

    What it means: dlc met a case its authors did not think of. The run stops, because its result could not
    be trusted.

    How to fix it: report it, with the dialogue that the message names.
    """
    return Diagnostic(
        "DLC379", f"internal error: {what}", place=place, help=("this is a fault of dlc: please report it",)
    )


def whole(text: str) -> Span:
    """The span of a whole text, for findings without a narrower place."""
    return Span(0, len(text))
