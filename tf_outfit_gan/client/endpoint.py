"""Where a server is, how it is asked, and for which version of a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from tf_outfit_gan.util.errors import UserError

SCHEMES = ("http", "https", "grpc", "grpcs")


@dataclass(frozen=True)
class Endpoint:
    """A server's port.

    `scheme` is one of `SCHEMES`, or empty where the first call finds out what the port speaks; `prefix` stands before the
    paths of REST; `headers` go with each request; `ca_file` has the certificates, in PEM, of those who may sign the server's,
    None = those of the system.
    """

    host: str
    port: int
    scheme: str = ""
    prefix: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    ca_file: Path | None = None

    @property
    def host_port(self) -> str:
        """As gRPC and messages have it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class ServedModel:
    """A model on a server: its newest version, or the one of a number or a label."""

    name: str
    version: int | None = None
    label: str | None = None

    @property
    def path(self) -> str:
        """Its path over REST."""
        path = f"/v1/models/{quote(self.name, safe='')}"
        if self.label is not None:
            return f"{path}/labels/{quote(self.label, safe='')}"
        return path if self.version is None else f"{path}/versions/{self.version}"


def parse_endpoint(address: str, headers: Mapping[str, str], ca_file: Path | None) -> Endpoint:
    """Reads "HOST:PORT" or "https://HOST[:PORT][/PREFIX]"; raises `UserError`."""
    try:
        place = urlsplit(address if "://" in address else f"//{address}")
        host, port = place.hostname, place.port
    except ValueError:
        place, host, port = urlsplit(""), None, None
    if place.scheme in ("http", "https"):
        port = port or {"http": 80, "https": 443}[place.scheme]
    elif place.path or place.scheme not in ("", *SCHEMES):
        host = None
    if not host or not port or place.query or place.fragment or place.username:
        raise UserError(
            f"{address!r}: expected HOST:PORT, such as localhost:8501, or a URL such as https://HOST/PREFIX or grpcs://HOST:PORT"
        )
    return Endpoint(host, port, place.scheme, place.path.rstrip("/"), headers, ca_file)
