"""Errors of a server as a client reports them, and the statuses of both transports."""

from tf_outfit_gan.util.errors import UserError


class ServerError(RuntimeError):
    """A server that is not there, not ready, or fails at a request that looks right; one line.

    `code` is the status that it answers with (UNAVAILABLE, DEADLINE_EXCEEDED ...), None where it does not answer.
    """

    exit_code = 1

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class RefusedError(UserError):
    """A request that the server refuses for what is in it; `code` is the status (INVALID_ARGUMENT, NOT_FOUND ...)."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class StatusError(Exception):
    """A canonical status from a server: `code` is its name (INVALID_ARGUMENT ...), `message` its text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
