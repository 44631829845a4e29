"""Reannotate a corpus: correct programs in DL, check each one, keep what does not pass for a person to look at.

dlc convert multiwoz train.json.zip --to dl -o before.jsonl
python reannotate.py before.jsonl after.jsonl doubtful.jsonl
dlc convert dl after.jsonl --to slots -o after.slots.jsonl
"""

import json
import sys

import dlc

FIXES = {'raw "5:45pm"': "17:45", 'raw "8pm"': "20:00", 'raw "riverside"': "centre"}


def main(before: str, after: str, doubtful: str) -> None:
    schema = dlc.load_schema("multiwoz")
    with open(before) as rows, open(after, "w") as accepted, open(doubtful, "w") as aside:
        for row in map(json.loads, rows):
            program = row["program"]
            for old, new in FIXES.items():
                program = program.replace(old, new)
            checked = dlc.typecheck(program, schema)
            found = [f"{d.code}: {d.message}" for d in checked.diagnostics]
            file = accepted if checked.ok else aside
            file.write(json.dumps({**row, "program": program, "found": found}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
