"""What the metrics raise: one class a reader can catch, and one name per kind of bad input."""


class MetricError(ValueError):
    """Bad input to a metric; the message says which input and why."""


class SqlParseError(MetricError):
    """A query that the official grammar does not read."""


class GoldError(MetricError):
    """The reference side is unusable (does not parse or does not run), so no verdict exists."""


class AlignmentError(MetricError):
    """Gold and prediction do not line up: different numbers of turns or interactions, or unknown turns."""


class MissingLibraryError(MetricError):
    """A metric needs a library that is not installed; the message names it."""
