"""Filters: boolean conditions over a row, brought to a normal form that is unique.

`atoms` reads a condition into literals about subjects, `cells` cuts what a subject may be into cells,
`table` and `diagram` are functions over cells, `regions` and `shape` print them, `normal` puts it together
and `decide` answers questions without printing.
"""
