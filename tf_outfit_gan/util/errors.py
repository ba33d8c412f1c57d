"""The one exception for mistakes that a user can fix: bad input, bad usage."""

# A message may quote what was found, and that may be a file of a hundred megabytes in one line.
MAX_CHARACTERS = 600


class UserError(ValueError):
    """Names what was wrong, what was expected, and what to do; shown as one line, without a traceback.

    The line is short enough to read and can be printed and stored anywhere, whatever names and values it quotes: line
    breaks, control characters and bytes that are not UTF-8 are escaped.

    `exit_code` is what the command line ends with. The command line reads this attribute instead of the class, so that
    `serving.server.server`, which imports nothing of this package, can raise an error of its own with the same effect.
    """

    exit_code = 2

    def __init__(self, message: object) -> None:
        super().__init__(_one_line(str(message)))


def _one_line(text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        text = f"{text[: MAX_CHARACTERS // 2]} ... {text[-MAX_CHARACTERS // 2 :]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
