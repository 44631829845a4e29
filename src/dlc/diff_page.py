"""The page of `dlc diff`: one HTML file with everything in it, to filter and read."""

from collections import Counter
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; color: #1c1c1c; }
h1 { font-size: 1.3rem; } .bar { position: sticky; top: 0; background: #fff; padding: .6rem 0; border-bottom: 1px solid #ccc; }
button { font: inherit; margin-right: .4rem; padding: .15rem .6rem; border: 1px solid #888; border-radius: 1rem; background: #fff; cursor: pointer; }
button[aria-pressed=true] { background: #1c1c1c; color: #fff; } input { font: inherit; padding: .15rem .5rem; width: 16rem; }
article { border-bottom: 1px solid #e3e3e3; padding: .7rem 0; } article h2 { font-size: .95rem; margin: 0 0 .2rem; }
code { display: block; font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.said { color: #555; margin: 0 0 .3rem; } .a::before { content: "A  "; color: #999; } .b::before { content: "B  "; color: #999; }
mark { background: #ffe9a8; } .tag { font-weight: normal; color: #555; }
"""

_SCRIPT = """
const shown = new Set(); const box = document.querySelector("input");
function refresh() {
  const text = box.value.toLowerCase();
  for (const row of document.querySelectorAll("article")) {
    row.hidden = (shown.size > 0 && !shown.has(row.dataset.verdict)) || !row.textContent.toLowerCase().includes(text);
  }
}
for (const button of document.querySelectorAll("button")) {
  button.onclick = () => {
    const name = button.dataset.verdict, on = !shown.has(name);
    on ? shown.add(name) : shown.delete(name);
    button.setAttribute("aria-pressed", on); refresh();
  };
}
box.oninput = refresh;
"""


def page(first: str, second: str, rows: list[dict[str, Any]], counts: "Counter[str]") -> str:
    """The whole page; nothing in it is fetched from anywhere."""
    buttons = "".join(
        f'<button data-verdict="{escape(name)}" aria-pressed="false">{escape(name)} {count:,}</button>'
        for name, count in counts.most_common()
    )
    body = "".join(_article(row) for row in rows)
    title = f"{escape(first)} and {escape(second)}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}: {len(rows):,} turns</h1>"
        f'<div class="bar">{buttons}<input aria-label="find" placeholder="find"></div>{body}'
        f"<script>{_SCRIPT}</script></html>\n"
    )


def _article(row: dict[str, Any]) -> str:
    where = " · ".join(
        str(p) for p in (row["dialogue_id"], f"turn {row['turn']}" if row["turn"] is not None else None) if p
    )
    said = f'<p class="said">{escape(row["utterance"])}</p>' if row["utterance"] else ""
    parts = row["differs"] or ["", ""]
    lines = "".join(
        f'<code class="{side}">{_marked(row[side], row[f"canonical_{side}"], part)}</code>'
        for side, part in zip("ab", parts, strict=True)
        if side == "a" or row["verdict"] != "same spelling"
    )
    reason = f" — {escape(row['reason'])}" if row["reason"] else ""
    return (
        f'<article data-verdict="{escape(row["verdict"])}"><h2>{escape(where)} '
        f'<span class="tag">{escape(row["verdict"])}{reason}</span></h2>{said}{lines}</article>'
    )


def _marked(text: str | None, canonical: str | None, part: str) -> str:
    if text is None:
        return "<i>nothing</i>"
    shown = text if part in text or canonical is None else canonical
    if part and part in shown:
        before, after = shown.split(part, 1)
        return f"{escape(before)}<mark>{escape(part)}</mark>{escape(after)}"
    return escape(shown)
