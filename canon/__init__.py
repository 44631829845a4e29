"""Canon: typed core to normal form (stage 3)."""
