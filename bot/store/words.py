"""Words that somebody looks for → a pattern of the full-text index."""

# Words beyond these are not looked for.
_MOST_WORDS = 12


def pattern_of(words: str) -> str:
    """A pattern of FTS5 in which nothing that was typed is an operator; empty if no word is in it.

    In quotation marks everything is text, and a quotation mark is two of them (FTS5, section 3.1);
    the star outside them lets a word go on.
    """
    typed = [word for word in words.replace("\0", " ").split() if any(map(str.isalnum, word))]
    return " ".join('"{}"*'.format(word.replace('"', '""')) for word in typed[:_MOST_WORDS])
