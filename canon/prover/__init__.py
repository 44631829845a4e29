"""Bounded proofs of equivalence with Z3 (the `smt` extra; imported only when a proof is asked for)."""
