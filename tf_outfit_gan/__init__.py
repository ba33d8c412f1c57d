"""Photos of people in outfits that nobody photographed: a conditional StyleGAN, after "Generating High-Resolution
Fashion Model Images Wearing Custom Outfits" (Yildirim, Jetchev, Vollgraf, Bergmann, 2019, arXiv 1908.08847).

    import tf_outfit_gan as og

    model = og.load("runs/dolls")
    images = model.render("outfit.json", seeds=[1, 2, 3], psi=0.7)  # uint8 [N, H, W, 3]
    client = og.Client("localhost:8501")  # The same of a served model, without TensorFlow.

docs/python.md shows the rest. Names are imported at their first use: `import tf_outfit_gan` itself imports nothing.

One alphabet for shapes, in this whole project:

    N batch    H W pixels, height first    h w condition pixels    C channels    K keypoints (16)    S slots (6)
    L style layers (two a level)           Z latent width          D style width                     E embedding width
"""

from typing import TYPE_CHECKING

from tf_outfit_gan.util.version import __version__

if TYPE_CHECKING:
    from tf_outfit_gan.api import Model, load
    from tf_outfit_gan.client import AsyncClient, Client, RefusedError, ServerError
    from tf_outfit_gan.picture_styles import Styles
    from tf_outfit_gan.util.errors import UserError

__all__ = ["AsyncClient", "Client", "Model", "RefusedError", "ServerError", "Styles", "UserError", "__version__", "load"]

_MODULES = {
    "AsyncClient": "tf_outfit_gan.client",
    "Client": "tf_outfit_gan.client",
    "RefusedError": "tf_outfit_gan.client",
    "ServerError": "tf_outfit_gan.client",
    "Model": "tf_outfit_gan.api",
    "Styles": "tf_outfit_gan.picture_styles",
    "load": "tf_outfit_gan.api",
    "UserError": "tf_outfit_gan.util.errors",
}


if not TYPE_CHECKING:  # A type checker would take any name for a public one.

    def __getattr__(name: str) -> object:
        """Imports a public name at its first use (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
