"""Words that somebody looks for, and where → a pattern of the full-text index."""

from collections.abc import Collection

# Words beyond these are not looked for.
_MOST_WORDS = 12


def pattern_of(
    words: str, *, channels: Collection[int] | None = None, by: int | None = None
) -> str:
    """A pattern of FTS5 in which nothing that was typed is an operator; empty if no word is in it.

    In quotation marks everything is text, and a quotation mark is two of them (FTS5, section 3.1);
    the star outside them lets a word go on.

    Args:
        words: what the prompts hold, or words that begin like these.
        channels: where the pictures were made; everywhere if None.
        by: whose they are; everybody's if None.

    """
    typed = [word for word in words.replace("\0", " ").split() if any(map(str.isalnum, word))]
    if not typed or (channels is not None and not channels):
        return ""
    texts = ['"{}"*'.format(word.replace('"', '""')) for word in typed[:_MOST_WORDS]]
    parts = [f"prompt : ({' AND '.join(texts)})"]
    if by is not None:
        parts.append(f"place : u{by}")
    if channels is not None:
        parts.append(f"place : ({' OR '.join(f'c{channel}' for channel in sorted(channels))})")
    return " AND ".join(parts)
