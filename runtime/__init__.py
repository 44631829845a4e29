"""Runtime: core to values."""
