"""Canonical forms are tested against oracles of their own; their modules stand beside the tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
