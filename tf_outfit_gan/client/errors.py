"""Errors of a server as a client reports them, and the statuses of both transports."""


class ServerError(RuntimeError):
    """A server that is not there, not ready, or fails at a request that looks right; one line."""

    exit_code = 1


class StatusError(Exception):
    """A canonical status from a server: `code` is its name (INVALID_ARGUMENT ...), `message` its text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
