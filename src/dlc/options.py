"""What a run was asked to do."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.targets.dataflow.multiwoz import Options as Recipe

Speakers = Literal["user", "agent", "both"]
Normalize = Literal["none", "trade@1"]
LAYOUTS = ("multiwoz21", "multiwoz22", "sgd")
Syntax = Literal["normal", "tokenized"]


@dataclass(frozen=True, slots=True)
class Options:
    """schema: a name or path, a loaded schema, or None for what the rows and the source say.

    syntax: of ThingTalk that is written; None for that of the source, else normal. dialect: of SQL that is written.
    data: JSON files of rows in which names of entities are looked up, and which decide what agents found.
    delexicalize: ThingTalk is written tokenized, its constants as placeholders.
    recipe: how slot states are written as dataflow; None for the published setting.
    beyond: ThingTalk that is outside DL is read all the same, with stand-ins, for forms to be compared.
    speakers: None for the source's own default: the user's turns of a corpus, every row of a bare language.
    """

    schema: "str | Schema | None" = None
    speakers: Speakers | None = None
    normalize: Normalize = "none"
    syntax: Syntax | None = None
    dialect: str = "sqlite"
    recipe: "Recipe | None" = None
    delexicalize: bool = False
    data: tuple[str, ...] = ()
    beyond: bool = False

    def wanted_speakers(self, default: Speakers) -> frozenset[str]:
        """The speakers whose turns are kept."""
        speakers = self.speakers or default
        return frozenset(("user", "agent")) if speakers == "both" else frozenset((speakers,))
