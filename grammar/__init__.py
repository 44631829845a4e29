"""Grammar: text to syntax tree and back (stage 1)."""
