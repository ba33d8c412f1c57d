"""The versions of a model: the newest one under a base path is loaded in the background and serves.

Other than TF Serving, which waits for ever, a base path without a version is refused at the start.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serving.server.errors import StatusError, UserError

if TYPE_CHECKING:
    from tensorflow_serving.apis.model_pb2 import ModelSpec

    from serving.server.servable import Servable

LARGEST_VERSION = 2**63 - 1


def newest_version(base_path: str | os.PathLike[str]) -> tuple[int, Path]:
    """Returns (number, folder) of the newest version: the folder with the highest number that holds a SavedModel.

    Every other name is ignored, so that an export can be written beside under a temporary one and then be renamed.
    Raises `UserError` when there is none.
    """
    base_path = Path(base_path)
    if not base_path.is_dir():
        raise UserError(f"{base_path}: no such folder; expected the folder that 'outfit-gan export' wrote to")
    if (base_path / "saved_model.pb").exists():
        raise UserError(f"{base_path} is one version of a model; give the folder that it lies in: {base_path.resolve().parent}")
    versions = [
        (int(name), base_path / name)
        for name in os.listdir(base_path)
        if name.isascii() and name.isdigit() and int(name) <= LARGEST_VERSION and (base_path / name / "saved_model.pb").exists()
    ]
    if not versions:
        raise UserError(
            f"{base_path}: no version to serve; expected a numbered folder with a saved_model.pb in it, "
            "such as 'outfit-gan export' writes"
        )
    return max(versions)


class Version:
    """One version's life: LOADING, AVAILABLE, UNLOADING, END; `error` says why a load failed."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.folder = folder
        self.state = "LOADING"
        self.error: Exception | None = None
        self.servable: Servable | None = None
        self.users = 0

    @property
    def loaded(self) -> "Servable":
        """The servable of a version that has one, as every borrowed version does."""
        assert self.servable is not None
        return self.servable


class Versions:
    """All versions of one model that this server has met; at most one of them answers to "the latest".

    Args:
        model_name: the name that clients ask for.
        base_path: the folder of the numbered version folders.
        load: callable(folder) -> servable; slow, called on a thread of its own.
        on_change: callable(version), called after each load, whether it failed or not.
        poll_sec: how often the base path is looked at for a newer version.
    """

    def __init__(
        self,
        model_name: str,
        base_path: str | os.PathLike[str],
        load: Callable[[Path], "Servable"],
        on_change: Callable[[Version], object],
        poll_sec: float = 1.0,
    ) -> None:
        self.model_name = model_name
        self.current: Version | None = None
        self._base_path = base_path
        self._load = load
        self._on_change = on_change
        self._poll_sec = poll_sec
        self._versions: dict[int, Version] = {}
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="versions", daemon=True)

    def start(self) -> None:
        """Begins to load the newest version and to watch for newer ones; returns immediately."""
        self._thread.start()

    def close(self) -> None:
        """Stops watching and unloads; the runs that are not finished are cancelled. A load under way gets a few seconds."""
        self._stopped.set()
        self._thread.join(timeout=10)
        with self._changed:
            loaded = [version.servable for version in self._versions.values() if version.servable]
        for servable in loaded:
            servable.close()

    @contextmanager
    def borrow(self, spec: "ModelSpec") -> Iterator[Version]:
        """Yields the version that a `ModelSpec` asks for; it stays loaded until the block ends.

        Raises: `StatusError` with the texts of TF Serving. There are no labels here, so every label is unknown.
        """
        if not spec.name:
            raise StatusError("INVALID_ARGUMENT", "ModelSpec has no name specified.")
        if spec.version_label:
            raise StatusError("INVALID_ARGUMENT", f"Unrecognized servable version label: {spec.version_label}")
        with self._changed:
            version = self._versions.get(spec.version.value) if spec.HasField("version") else self.current
            if spec.name != self.model_name or version is None or version.state != "AVAILABLE":
                asked = f"Specific({spec.name}, {spec.version.value})" if spec.HasField("version") else f"Latest({spec.name})"
                raise StatusError("NOT_FOUND", f"Servable not found for request: {asked}")
            version.users += 1
        try:
            yield version
        finally:
            with self._changed:
                version.users -= 1
                self._changed.notify_all()

    def listing(self, spec: "ModelSpec") -> list[tuple[int, str, Exception | None]]:
        """Returns [(number, state, error or None)] of the versions a `ModelSpec` asks for, the newest first.

        A version that was unloaded stays listed. A label is ignored, as TF Serving does. Raises `StatusError`.
        """
        with self._changed:
            known = sorted(self._versions.values(), key=lambda version: -version.number)
            rows = [(version.number, version.state, version.error) for version in known]
        if spec.name != self.model_name or not rows:
            raise StatusError("NOT_FOUND", f"Could not find any versions of model {spec.name}")
        if spec.HasField("version"):
            rows = [row for row in rows if row[0] == spec.version.value]
            if not rows:
                raise StatusError("NOT_FOUND", f"Could not find version {spec.version.value} of model {spec.name}")
        return rows

    def _watch(self) -> None:
        while True:
            try:
                number, folder = newest_version(self._base_path)
            except (UserError, OSError):
                pass  # The folder was emptied or its disk is away: what is loaded goes on serving.
            else:
                known = self._versions.get(number)
                # A version that failed is not tried again: a published version does not change.
                if known is None or (known.state == "END" and known.error is None):
                    self._switch_to(Version(number, folder))
            if self._stopped.wait(self._poll_sec):
                return

    def _switch_to(self, version: Version) -> None:
        """Loads a version beside the current one, lets it take over, then unloads the old one."""
        with self._changed:
            self._versions[version.number] = version
        try:
            version.servable = self._load(version.folder)
        except Exception as error:
            with self._changed:
                version.error = error
                version.state = "END"
            self._on_change(version)
            return
        with self._changed:
            version.state = "AVAILABLE"
            old, self.current = self.current, version
        self._on_change(version)
        if old is not None:
            self._retire(old)

    def _retire(self, version: Version) -> None:
        with self._changed:
            version.state = "UNLOADING"
            self._changed.wait_for(lambda: version.users == 0)
            servable, version.servable = version.loaded, None
            version.state = "END"
        servable.close()
