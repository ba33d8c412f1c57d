"""The model that comes with the package, exported: what is served where no other one is named."""

import os
import subprocess
from pathlib import Path

from tf_outfit_gan import __version__
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.util.command import OUTFIT_GAN
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import sha256_of
from tf_outfit_gan.util.model_versions import model_versions
from tf_outfit_gan.util.storage import local_copy


def shipped_export() -> Path:
    """The folder of its versions, in the user's cache ($XDG_CACHE_HOME, or ~/.cache), where it is exported the first time.

    Another version of the package exports it anew: the graph is made by the package's code.

    Raises:
        UserError: when the export fails, after what it printed itself.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    with local_copy(snapshots.newest(snapshots.SHIPPED) / snapshots.GENERATOR) as weights:
        checksum = sha256_of(weights)
    models = cache / "outfit-gan" / f"{__version__}-{checksum[:16]}" / "outfit_gan"
    if not model_versions(models):
        print(f"exporting the shipped model to {models}; this is done once and takes about a minute", flush=True)
        exit_code = subprocess.run([*OUTFIT_GAN, "export", snapshots.SHIPPED, models]).returncode
        if exit_code:
            raise UserError(f"the shipped model was not exported (exit code {exit_code}); its message is above")
    return models
