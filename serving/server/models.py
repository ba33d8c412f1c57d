"""The models of a server, each in its versions: what its latest configuration lists, under TF Serving's rules and texts.

A configuration replaces the one before it, whether it comes from a file or by a call. Labels are checked and moved first, so a
label moves only to a version that already answers; then versions are loaded and unloaded.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.server.errors import StatusError, UserError
from serving.server.versions import Version, Versions, found_versions, no_versions, not_found, unknown_label

if TYPE_CHECKING:
    from serving.server.servable import Servable


class Models:
    """The `Versions` of each model, by name.

    Args:
        load, on_change, poll_sec: as for `Versions`.
        allow_labels_early: a label that is new, or stays where it is, may go to a version that is not available.
    """

    def __init__(
        self,
        load: Callable[[Path], "Servable"],
        on_change: Callable[[Version], object],
        poll_sec: float = 1.0,
        allow_labels_early: bool = False,
    ) -> None:
        self._load = load
        self._on_change = on_change
        self._poll_sec = poll_sec
        self._allow_labels_early = allow_labels_early
        self._models: dict[str, Versions] = {}
        self._reloading = threading.Lock()

    def __getitem__(self, name: str) -> Versions:
        return self._models[name]

    @contextmanager
    def borrow(self, spec: ModelSpec) -> Iterator[Version]:
        """Yields the version that a `ModelSpec` asks for, as `Versions.borrow` does."""
        if not spec.name:
            raise StatusError("INVALID_ARGUMENT", "ModelSpec has no name specified.")
        versions = self._models.get(spec.name)
        if versions is None:
            raise unknown_label(spec) if spec.version_label else not_found(spec, spec.version.value)
        with versions.borrow(spec) as version:
            yield version

    def listing(self, spec: ModelSpec) -> list[tuple[int, str, Exception | None]]:
        """The states of versions, as `Versions.listing` has them."""
        if spec.name not in self._models:
            raise no_versions(spec)
        return self._models[spec.name].listing(spec)

    def reload(self, config: ModelServerConfig) -> None:
        """Makes a configuration the server's, and returns when the models that are new are available.

        Raises `StatusError`, and mostly changes nothing, where it cannot be.

        Args:
            config: all models, each with its base path, policy and labels; what it does not list is unloaded.
        """
        with self._reloading:
            self.check(config)
            listed = {model.name: model for model in config.model_config_list.config}
            added = listed.keys() - self._models.keys()
            for name, model in listed.items():
                if name in added:
                    policy = model.model_version_policy
                    self._models[name] = Versions(name, model.base_path, self._load, self._on_change, self._poll_sec, policy)
                self._models[name].labels = dict(model.version_labels)
            for name, model in listed.items():
                if name in added:
                    self._models[name].start()
                else:
                    self._models[name].configure(model.base_path, model.model_version_policy)
            for name in self._models.keys() - listed.keys():
                self._models.pop(name).retire()
            self._wait_for(sorted(added))

    def check(self, config: ModelServerConfig) -> None:
        """Raises `StatusError` for a configuration that `reload` refuses."""
        if config.WhichOneof("config") != "model_config_list":
            raise StatusError(
                "INVALID_ARGUMENT",
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported",
            )
        names = set()
        for model in config.model_config_list.config:
            if model.name in names:
                raise StatusError("INVALID_ARGUMENT", f"Illegal to list model {model.name} multiple times in config list")
            names.add(model.name)
            if not Path(model.base_path).is_absolute():
                raise StatusError(
                    "INVALID_ARGUMENT",
                    f"Expected model {model.name} to have an absolute path or URI; got base_path()={model.base_path}",
                )
            if model.model_platform != "tensorflow":
                raise StatusError("FAILED_PRECONDITION", f"PlatformConfigMap has no entry for platform {model.model_platform}")
            try:
                found_versions(model.base_path)
            except UserError as error:
                raise StatusError("FAILED_PRECONDITION", str(error)) from None
            for label, number in model.version_labels.items():
                if not self._may_label(model.name, label, number):
                    raise StatusError(
                        "FAILED_PRECONDITION",
                        f"Request to assign label to version {number} of model {model.name}, "
                        "which is not currently available for inference",
                    )

    def close(self) -> None:
        """Unloads all, as `Versions.close` does."""
        for versions in self._models.values():
            versions.close()

    def _may_label(self, name: str, label: str, number: int) -> bool:
        versions = self._models.get(name)
        if versions and (number, "AVAILABLE", None) in versions.states():
            return True
        return self._allow_labels_early and (versions is None or versions.labels.get(label, number) == number)

    def _wait_for(self, names: list[str]) -> None:
        failed = []
        for name in names:
            self._models[name].wait_settled()
            if self._models[name].current is None:
                number, _, error = self._models[name].states()[0]
                failed.append(f"{{{{name: {name} version: {number}}} due to error: {error}}}, ")
        if failed:
            raise StatusError("UNKNOWN", f"{len(failed)} model(s) did not become available: {{{''.join(failed)}}}")
