"""The versions of a model: those that its policy wants, of what is under its base path, are loaded in the background.

Other than TF Serving, which waits for ever, a base path without a version is refused at the start.
"""

import gc
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serving.server.errors import StatusError, UserError

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from tensorflow_serving.apis.model_pb2 import ModelSpec

    from serving.server.servable import Servable

LARGEST_VERSION = 2**63 - 1


def newest_version(base_path: str | os.PathLike[str]) -> tuple[int, Path]:
    """Returns (number, folder) of the newest of `found_versions`."""
    return max(found_versions(base_path).items())


def found_versions(base_path: str | os.PathLike[str]) -> dict[int, Path]:
    """Returns {number: folder} of the versions: the folders that have a number for a name and hold a SavedModel.

    Every other name is ignored, so that an export can be written beside under a temporary one and then be renamed.
    Raises `UserError` when there is none.
    """
    base_path = Path(base_path)
    if not base_path.is_dir():
        raise UserError(f"{base_path}: no such folder; expected the folder that 'outfit-gan export' wrote to")
    if (base_path / "saved_model.pb").exists():
        raise UserError(f"{base_path} is one version of a model; give the folder that it lies in: {base_path.resolve().parent}")
    versions = {
        int(name): base_path / name
        for name in os.listdir(base_path)
        if name.isascii() and name.isdigit() and int(name) <= LARGEST_VERSION and (base_path / name / "saved_model.pb").exists()
    }
    if not versions:
        raise UserError(
            f"{base_path}: no version to serve; expected a numbered folder with a saved_model.pb in it, "
            "such as 'outfit-gan export' writes"
        )
    return versions


def wanted_versions(policy: "Message | None", found: Mapping[int, Path]) -> set[int]:
    """The numbers, out of those that were found, that a `ServableVersionPolicy` wants loaded; None = the newest one."""
    choice = None if policy is None else policy.WhichOneof("policy_choice")
    if policy is None or choice is None:
        return {max(found)}
    if choice == "all":
        return set(found)
    if choice == "specific":
        return set(policy.specific.versions) & found.keys()
    return set(sorted(found)[-max(policy.latest.num_versions, 1) :])


class Version:
    """One version's life: START, LOADING, AVAILABLE, UNLOADING, END; `error` says why a load failed."""

    def __init__(self, model_name: str, number: int, folder: Path) -> None:
        self.model_name = model_name
        self.number = number
        self.folder = folder
        self.state = "START"
        self.contents: list[tuple[str, int, int]] = []  # Of the folder, when its load began.
        self.error: Exception | None = None
        self.servable: Servable | None = None
        self.users = 0

    @property
    def loaded(self) -> "Servable":
        """The servable of a version that has one, as every borrowed version does."""
        assert self.servable is not None
        return self.servable


class Versions:
    """All versions of one model that this server has met; the newest that is loaded answers to "the latest".

    Args:
        model_name: the name that clients ask for.
        base_path: the folder of the numbered version folders.
        load: callable(folder) -> servable; slow, called on a thread of its own.
        on_change: callable(version), called after each load, whether it failed or not.
        poll_sec: how often the base path is looked at.
        policy: which versions to load, a `ServableVersionPolicy`; None = the newest one.

    Attributes:
        labels: {label: number of the version that answers to it}.
    """

    def __init__(
        self,
        model_name: str,
        base_path: str | os.PathLike[str],
        load: Callable[[Path], "Servable"],
        on_change: Callable[[Version], object],
        poll_sec: float = 1.0,
        policy: "Message | None" = None,
    ) -> None:
        self.model_name = model_name
        self.labels: Mapping[str, int] = {}
        self._base_path = base_path
        self._policy = policy
        self._load = load
        self._on_change = on_change
        self._poll_sec = poll_sec
        self._versions: dict[int, Version] = {}
        self._wanted: set[int] = set()
        self._changed = threading.Condition()
        self._settled = threading.Event()
        self._look = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._watch, name="versions", daemon=True)

    @property
    def current(self) -> Version | None:
        """The version that answers to "the latest"; None before one is loaded."""
        with self._changed:
            available = [version for version in self._versions.values() if version.state == "AVAILABLE"]
        return max(available, key=lambda version: version.number, default=None)

    def start(self) -> None:
        """Begins to load the versions that are wanted and to watch for newer ones; returns immediately."""
        self._thread.start()

    def configure(self, base_path: str | os.PathLike[str], policy: "Message | None") -> None:
        """Takes another base path and policy, and looks at once; what is not wanted any more goes when others serve."""
        self._base_path, self._policy = base_path, policy
        self._look.set()

    def wait_settled(self) -> None:
        """Waits until all that was wanted at the start is loaded, or has failed to."""
        self._settled.wait()

    def close(self) -> None:
        """Stops watching and unloads; the runs that are not finished are cancelled. A load under way gets a few seconds."""
        self._stop_watching(timeout_sec=10)
        with self._changed:
            loaded = [version.servable for version in self._versions.values() if version.servable]
        for servable in loaded:
            servable.close()

    def retire(self) -> None:
        """Stops watching and unloads, when the requests under way have ended."""
        self._stop_watching()
        self._retire(lambda version: True)

    @contextmanager
    def borrow(self, spec: "ModelSpec") -> Iterator[Version]:
        """Yields the version that a `ModelSpec` asks for; it stays loaded until the block ends.

        Raises: `StatusError` with the texts of TF Serving.
        """
        number = spec.version.value
        if spec.version_label:
            if spec.version_label not in self.labels:
                raise unknown_label(spec)
            number = self.labels[spec.version_label]
        with self._changed:
            version = self._versions.get(number) if is_specific(spec) else self.current
            if version is None or version.state != "AVAILABLE":
                raise not_found(spec, number)
            version.users += 1
        try:
            yield version
        finally:
            with self._changed:
                version.users -= 1
                self._changed.notify_all()

    def states(self) -> list[tuple[int, str, Exception | None]]:
        """Returns [(number, state, error or None)] of all versions, the newest first."""
        with self._changed:
            known = sorted(self._versions.values(), key=lambda version: -version.number)
            return [(version.number, version.state, version.error) for version in known]

    def listing(self, spec: "ModelSpec") -> list[tuple[int, str, Exception | None]]:
        """Returns those of `states` that a `ModelSpec` asks for.

        A version that was unloaded stays listed. A label is ignored, as TF Serving does. Raises `StatusError`.
        """
        rows = self.states()
        if not rows:
            raise no_versions(spec)
        if spec.HasField("version"):
            rows = [row for row in rows if row[0] == spec.version.value]
            if not rows:
                raise StatusError("NOT_FOUND", f"Could not find version {spec.version.value} of model {spec.name}")
        return rows

    def _stop_watching(self, timeout_sec: float | None = None) -> None:
        self._stopped = True
        self._look.set()
        self._thread.join(timeout_sec)

    def _watch(self) -> None:
        while not self._stopped:
            self._look.clear()
            found = self._found()
            if found is not None:
                self._switch_to(found)
                self._settled.set()
            self._look.wait(self._poll_sec)

    def _found(self) -> Mapping[int, Path] | None:
        """Returns the versions in the base path, or None if it is empty or cannot be read: loaded versions keep serving."""
        try:
            return found_versions(self._base_path)
        except (UserError, OSError):
            return None

    def _switch_to(self, found: Mapping[int, Path]) -> None:
        """Loads what is wanted beside what serves, then unloads the rest, unless none that is wanted serves."""
        wanted = wanted_versions(self._policy, found)
        new = [
            Version(self.model_name, number, found[number])
            for number in sorted(wanted)
            if self._is_to_load(self._versions.get(number), number)
        ]
        self._wanted = wanted
        with self._changed:
            self._versions.update((version.number, version) for version in new)
        for version in new:
            self._load_version(version)
        if any(self._versions[number].state == "AVAILABLE" for number in wanted):
            self._retire(lambda version: version.number not in wanted)

    def _is_to_load(self, known: Version | None, number: int) -> bool:
        """Whether a version is new or was unloaded; one that failed is tried again when its files or the configuration change."""
        if known is None or known.state != "END":
            return known is None
        return known.error is None or number not in self._wanted or known.contents != _contents(known.folder)

    def _load_version(self, version: Version) -> None:
        version.contents = _contents(version.folder)
        with self._changed:
            version.state = "LOADING"
        try:
            version.servable = self._load(version.folder)
        except Exception as error:
            with self._changed:
                version.error = error
                version.state = "END"
        else:
            with self._changed:
                version.state = "AVAILABLE"
        self._on_change(version)

    def _retire(self, is_old: Callable[[Version], bool]) -> None:
        """Unloads old versions, each when the requests under way have ended."""
        with self._changed:
            old = [version for version in self._versions.values() if version.state == "AVAILABLE" and is_old(version)]
            for version in old:
                version.state = "UNLOADING"
        for version in old:
            with self._changed:
                self._changed.wait_for(lambda: version.users == 0)
                servable, version.servable = version.loaded, None
                version.state = "END"
            servable.close()
            del servable
            gc.collect()  # The parts of a graph refer to each other: its memory would not come back by itself.


def _contents(folder: Path) -> list[tuple[str, int, int]]:
    """(path, size, time of change) of each file: differs when a file that is copied into place has grown."""
    try:
        files = [(str(path), path.stat()) for path in sorted(folder.rglob("*"))]
    except OSError:
        return []
    return [(path, status.st_size, status.st_mtime_ns) for path, status in files]


def is_specific(spec: "ModelSpec") -> bool:
    """Whether a `ModelSpec` asks for one version, by its number or by a label; an empty label asks for none."""
    return spec.HasField("version") or bool(spec.version_label)


def not_found(spec: "ModelSpec", number: int) -> StatusError:
    """The error of a version, of this number where a number or a label asks for one, that cannot be asked."""
    asked = f"Specific({spec.name}, {number})" if is_specific(spec) else f"Latest({spec.name})"
    return StatusError("NOT_FOUND", f"Servable not found for request: {asked}")


def unknown_label(spec: "ModelSpec") -> StatusError:
    """The error of a label that no version has."""
    return StatusError("INVALID_ARGUMENT", f"Unrecognized servable version label: {spec.version_label}")


def no_versions(spec: "ModelSpec") -> StatusError:
    """The error of a model that the server has not met."""
    return StatusError("NOT_FOUND", f"Could not find any versions of model {spec.name}")
