"""Rows as `dlc` reads and writes them, for tests of commands."""

import json
from pathlib import Path
from typing import Any


def lines(path: Path, rows: list[dict[str, Any]]) -> str:
    """Write rows, one a line; the file's name."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path.name


def row(program: Any, dialogue: str = "D1", turn: int = 0, **more: Any) -> dict[str, Any]:
    """A row of a user's turn."""
    return {"dialogue_id": dialogue, "turn": turn, "speaker": "user", "program": program, **more}
