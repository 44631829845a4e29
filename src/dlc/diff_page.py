"""The page of `dlc diff`: one HTML file with everything in it, to filter and read."""

import json
from collections import Counter
from html import escape
from typing import Any

from .diff_rows import DIFFERENT, OPEN, SPELLING, VERDICTS, Agreement

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; color: #1c1c1c; }
h1 { font-size: 1.3rem; } .bar { position: sticky; top: 0; background: #fff; padding: .6rem 0; border-bottom: 1px solid #ccc; }
button { font: inherit; margin-right: .4rem; padding: .15rem .6rem; border: 1px solid #888; border-radius: 1rem; background: #fff; cursor: pointer; }
button[aria-pressed=true] { background: #1c1c1c; color: #fff; } input { font: inherit; padding: .15rem .5rem; width: 16rem; }
article { border-bottom: 1px solid #e3e3e3; padding: .7rem 0; } article h2 { font-size: .95rem; margin: 0 0 .2rem; }
code { display: block; font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.said { color: #555; margin: 0 0 .3rem; } .a::before { content: "A  "; color: #999; } .b::before { content: "B  "; color: #999; }
mark { background: #ffe9a8; } .tag { font-weight: normal; color: #555; } #count { margin-left: .6rem; color: #555; }
article { content-visibility: auto; contain-intrinsic-size: auto 6rem; } li button code { display: inline; background: none; }
details { margin: 0 0 .8rem; } ol { margin: .4rem 0; padding-left: 1.6rem; }
"""

_SCRIPT = """
const shown = new Set(); const box = document.querySelector("input"); let pair = null;
const rows = [...document.querySelectorAll("article")].map(row => [row, row.textContent.toLowerCase()]);
function refresh() {
  const words = box.value.toLowerCase().split(/\\s+/); let count = 0;
  for (const [row, text] of rows) {
    row.hidden = (shown.size > 0 && !shown.has(row.dataset.verdict)) || (pair !== null && row.dataset.differs !== pair)
      || !words.every(word => text.includes(word));
    count += !row.hidden;
  }
  document.querySelector("#count").textContent = count + " of " + rows.length + " turns";
}
for (const button of document.querySelectorAll("button[data-verdict]")) {
  button.onclick = () => {
    const name = button.dataset.verdict, on = !shown.has(name);
    on ? shown.add(name) : shown.delete(name);
    button.setAttribute("aria-pressed", on); refresh();
  };
}
const pairs = document.querySelectorAll("button[data-differs]");
for (const button of pairs) {
  button.onclick = () => {
    pair = pair === button.dataset.differs ? null : button.dataset.differs;
    pairs.forEach(other => other.setAttribute("aria-pressed", other.dataset.differs === pair)); refresh();
  };
}
box.oninput = refresh; refresh();
"""


def page(first: str, second: str, rows: list[dict[str, Any]], agreed: Agreement) -> str:
    """The whole page; nothing in it is fetched from anywhere."""
    counts = Counter(row["verdict"] for row in rows)
    buttons = "".join(
        f'<button data-verdict="{escape(name)}" aria-pressed="false">{escape(name)} {counts[name]:,}</button>'
        for name in VERDICTS
        if counts[name]
    )
    body = "".join(_article(row) for row in rows)
    title = f"{escape(first)} and {escape(second)}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>A {escape(first)} · B {escape(second)}</h1><p>{escape(agreed.line())}.</p>{_frequent(rows)}"
        f'<div class="bar">{buttons}<input aria-label="find" placeholder="find in dialogue, words, programs">'
        f'<span id="count"></span></div>{body}<script>{_SCRIPT}</script></html>\n'
    )


def _frequent(rows: list[dict[str, Any]]) -> str:
    """The differences that occur most, each a button that shows its turns."""
    found = Counter(tuple(row["differs"]) for row in rows if row["differs"] and row["verdict"] in (DIFFERENT, OPEN))
    listed = "".join(
        f'<li><button data-differs="{escape(json.dumps(pair))}"><code>{escape(pair[0]) or "nothing"}</code> → '
        f"<code>{escape(pair[1]) or 'nothing'}</code></button> {count:,}</li>"
        for pair, count in found.most_common(12)
        if count > 1
    )
    return f"<details open><summary>most frequent differences</summary><ol>{listed}</ol></details>" if listed else ""


def _article(row: dict[str, Any]) -> str:
    where = " · ".join(
        str(p) for p in (row["dialogue_id"], f"turn {row['turn']}" if row["turn"] is not None else None) if p
    )
    where = where or f"row {row['row']}"
    said = f'<p class="said">{escape(row["utterance"])}</p>' if row["utterance"] else ""
    parts = row["differs"] or ["", ""]
    lines = "".join(
        f'<code class="{side}">{_marked(row[side], row[f"canonical_{side}"], part)}</code>'
        for side, part in zip("ab", parts, strict=True)
        if side == "a" or row["verdict"] != SPELLING
    )
    reason = f" — {escape(row['reason'])}" if row["reason"] else ""
    pair = f' data-differs="{escape(json.dumps(row["differs"]))}"' if row["differs"] else ""
    return (
        f'<article data-verdict="{escape(row["verdict"])}"{pair}><h2>{escape(where)} '
        f'<span class="tag">{escape(row["verdict"])}{reason}</span></h2>{said}{lines}{_witness(row["witness"])}</article>'
    )


def _witness(witness: dict[str, Any] | None) -> str:
    """The rows on which two queries differ, folded away."""
    if witness is None:
        return ""
    rows = [f"{name}: {_cells(row)}" for name, table in witness["database"].items() for row in table]
    rows += [
        f"{side} gives {'; '.join(map(_cells, witness[key])) or 'no rows'}"
        for side, key in (("A", "first"), ("B", "second"))
    ]
    shown = f" (so does {witness['replayed']})" if witness["replayed"] else ""
    return f"<details><summary>a database that shows it{escape(shown)}</summary><code>{escape(chr(10).join(rows))}</code></details>"


def _cells(row: dict[str, Any]) -> str:
    return ", ".join(f"{column}: {value}" for column, value in row.items())


def _marked(text: str | None, canonical: str | None, part: str) -> str:
    if text is None:
        return "<i>nothing</i>"
    shown = text if part in text or canonical is None else canonical
    if part and part in shown:
        before, after = shown.split(part, 1)
        return f"{escape(before)}<mark>{escape(part)}</mark>{escape(after)}"
    return escape(shown)
