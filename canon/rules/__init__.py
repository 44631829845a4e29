"""Rewrite rules, one a file. Each states when it is sound; `pipeline.RULES` is the order they are tried in."""
