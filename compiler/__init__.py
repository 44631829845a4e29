"""Compiler: syntax tree to typed core (stage 2)."""
