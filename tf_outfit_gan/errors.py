"""The one exception for mistakes that a user can mend: bad input, bad usage."""


class UserError(ValueError):
    """Names what was wrong, what was expected, and what to do; shown as one line, without a traceback.

    `exit_code` is what the command line ends with. The command line reads this attribute instead of the class, so that
    `serving`, which imports nothing of this package, can raise an error of its own with the same effect.
    """

    exit_code = 2
