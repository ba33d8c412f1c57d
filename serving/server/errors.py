"""What can go wrong in the server: mistakes of the user, and statuses on the wire.

The server imports nothing of the model's package; the command line reads `exit_code` from whatever error it meets.
"""

# The canonical status codes and the HTTP status that TF Serving's REST API answers with; any other code is 500.
HTTP_STATUS = {
    "OK": 200,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


class UserError(ValueError):
    """A mistake that the user can fix: names what was wrong, what was expected and what to do, in one line."""

    exit_code = 2


class StatusError(Exception):
    """A canonical status on its way to a client.

    `code` is its name (INVALID_ARGUMENT ...), `message` its text, `http_status` what HTTP has for it: that of the code, where
    none is given.
    """

    def __init__(self, code: str, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.http_status = http_status or HTTP_STATUS.get(code, 500)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
