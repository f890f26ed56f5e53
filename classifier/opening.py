"""Opening: what the automation leaves open becomes a question to a person."""


def open_reviews() -> int:
    """Open reviews of what waits for a person and close those no longer needed.

    Returns how many reviews were opened or closed.
    """
    return 0
