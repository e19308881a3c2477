"""Why the gallery cannot be served."""


class GalleryClosed(RuntimeError):
    """The gallery cannot be opened; the message says what to do about it."""
