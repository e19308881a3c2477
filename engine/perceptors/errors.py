"""What a perceptor says when it cannot be used."""


class PerceptorError(Exception):
    """A perceptor that cannot be loaded or asked; the message is a sentence for people."""
