"""Static pages beside the REST API: the files of a folder under a path, and nothing else.

The files are listed once, when the server starts: what a request asks for is looked up in that list and never joined to a
folder, so that no path leads out of it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from serving.server.errors import UserError

# What a page may consist of, by the ending of its name; other files of a folder are not served.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
# The page's own scripts, styles and pictures; pictures that it makes are blobs, and requests go to this server alone.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # A newer version of the package has newer files under the same names.
}


class Page(NamedTuple):
    """The answer to a request for a file."""

    status: int
    content_type: str
    content: bytes
    headers: Mapping[str, str]


class Pages:
    """Folders by the path that they are served under, such as {"/studio": folder}.

    Args:
        folders: each must hold what it is listed for; later paths may lie in earlier ones.
        contents: files that no folder has, by path: they take the place of a folder's.

    Raises: `UserError` for a folder that does not exist.
    """

    def __init__(self, folders: Mapping[str, Path], contents: Mapping[str, bytes] | None = None) -> None:
        self._roots = tuple(folders)
        self._files = {path: file for root, folder in folders.items() for path, file in _listed(root, folder)}
        self._contents = dict(contents or {})

    def answer(self, target: str) -> Page | None:
        """The file that a request's target names; None where no folder is served under it."""
        path = unquote(urlsplit(target).path)
        if path in self._roots:  # Names in a page are relative to its folder, which ends in a slash.
            return Page(301, "text/plain", b"", {"Location": f"{path}/"})
        name = path + "index.html" if path.endswith("/") else path
        kind = CONTENT_TYPES.get(Path(name).suffix, "")
        if name in self._contents:
            return Page(200, kind, self._contents[name], HEADERS)
        if name in self._files:
            return Page(200, kind, self._files[name].read_bytes(), HEADERS)
        return None


def _listed(root: str, folder: Path) -> Iterable[tuple[str, Path]]:
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; it belongs to the package: install it again")
    for file in folder.rglob("*"):
        if file.suffix in CONTENT_TYPES and file.is_file():
            yield f"{root}/{file.relative_to(folder).as_posix()}", file
