"""Metrics: gold and predicted text to figures, as published."""
