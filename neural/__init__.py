"""Neural: core, schema and tokenizer to tokens."""
