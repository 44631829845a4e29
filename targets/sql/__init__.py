"""SQL: CoSQL, SParC, Spider and what people write."""
