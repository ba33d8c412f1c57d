"""How a verb, or a part of one, finds its program: it is imported only when it is called."""

import importlib
import importlib.util
from pathlib import Path

from tf_outfit_gan.util.errors import UserError

HOME = Path(__file__).parents[2]  # Where this package lies, and the other three beside it.


def load_program(module):
    """Imports a program; raises `UserError` where a package of the user's has the name of one of ours."""
    package = module.partition(".")[0]
    ours, spec = HOME / package, importlib.util.find_spec(package)
    if ours.is_dir() and spec is not None:
        found = Path(next(iter(spec.submodule_search_locations or [spec.origin])))
        if found.resolve() != ours.resolve():
            raise UserError(
                f"{found} hides the package {package!r} of outfit-gan: run it in another folder, or take "
                f"{found.parent} off PYTHONPATH"
            )
    return importlib.import_module(module)
