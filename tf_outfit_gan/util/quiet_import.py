"""Imports TensorFlow without its notices, and lets every other native message through.

Some notices of its C++ side (which instructions it uses, that there is no GPU) ignore every log level. They come while it is
imported and looks for devices, so only then the native error stream is held back: notices are dropped, the rest is passed on.
"""

import contextlib
import faulthandler
import importlib.abc
import importlib.machinery
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

# Lines of absl's log at the levels INFO and WARNING, what absl says before them, and that no driver answers.
_NOTICE = re.compile(rb"WARNING: All log messages before absl::InitializeLog\(\)|[IW]\d{4} |E\d{4} .* failed call to cuInit: ")


def import_quietly() -> None:
    """Lets TensorFlow be imported without its notices, unless TF_CPP_MIN_LOG_LEVEL asks for them: it is 0, or not set."""
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0") != "0":
        sys.meta_path.insert(0, QuietImport())


class QuietImport(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """A finder for `sys.meta_path` that imports TensorFlow with its notices dropped; it acts once."""

    _loader: Any  # TensorFlow's own.

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            self._loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        with without_notices():
            self._loader.exec_module(module)
            module.config.list_physical_devices()


@contextlib.contextmanager
def without_notices() -> Iterator[None]:
    """Holds back what is written to file descriptor 2 in the block, and passes on all but notices at its end.

    Where the block crashes the process, Python's own traceback of the crash is written immediately.
    """
    sys.stderr.flush()
    stream = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        faulthandler.enable(stream)
        try:
            yield
        finally:
            faulthandler.disable()
            os.dup2(stream, 2)
            held.seek(0)
            for line in held:
                if not _NOTICE.match(line):
                    os.write(stream, line)
            os.close(stream)
