"""Targets: core to and from the neighbouring languages (stage 4)."""
