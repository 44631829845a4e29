"""Slots: MultiWOZ and SGD slot states."""
