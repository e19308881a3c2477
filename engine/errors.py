"""The family of errors that the engine raises; each message is one sentence for people."""


class SettingsError(ValueError):
    """A setting that cannot be accepted: names the option, the value given and what is allowed."""


class PictureError(ValueError):
    """A picture that cannot be read: says what is wrong with it and what is allowed."""


class OutputError(ValueError):
    """A file that cannot be made of a drawing: says why, and what can be done."""


class PerceptorError(RuntimeError):
    """A perceptor that cannot be loaded or asked."""


class EngineError(RuntimeError):
    """The engine could not do its work; the cause is in the log."""


class EngineDied(EngineError):
    """The engine process ended or froze while it was drawing."""


def quote(text: str, limit: int = 60) -> str:
    """A stranger's text in quotation marks, shortened to `limit` characters.

    Halves of characters, which cannot be written anywhere, become question marks.
    """
    text = text.encode(errors="replace").decode()
    return f"“{text}”" if len(text) <= limit else f"“{text[: limit - 1]}…”"
