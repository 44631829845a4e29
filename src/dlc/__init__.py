"""dlc: a compiler for the formal languages of dialogue."""

__version__ = "0.1.0"
