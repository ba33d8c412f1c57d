"""Importers: other layouts of a catalogue, read as if each had a manifest.

An importer is a function of the source folder that yields rows as `manifest.collect` takes them: (listing, line, id,
function that returns the entry's fields). Whatever is checked about a manifest's entry is checked about an imported
one, files outside the source folder included.
"""

import hashlib
import json
from functools import partial
from pathlib import Path

from tf_outfit_gan.data.importers.deepfashion_multimodal import deepfashion_multimodal
from tf_outfit_gan.data.importers.dress_code import dress_code
from tf_outfit_gan.data.importers.dress_code_mr import dress_code_mr
from tf_outfit_gan.data.importers.garments2look import garments2look, garments2look_official
from tf_outfit_gan.data.importers.viton_hd import viton_hd
from tf_outfit_gan.data.manifest import Manifest, collect, read_manifest
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError

IMPORTERS = {
    "viton-hd": viton_hd,
    "dress-code": dress_code,
    "dress-code-mr": dress_code_mr,
    "deepfashion-multimodal": deepfashion_multimodal,
    "garments2look": garments2look,
    "garments2look-official": garments2look_official,
}
FORMATS = ("manifest", *IMPORTERS)


def read(source, format="manifest", slots=SLOTS):
    """Reads a catalogue laid out in one of `FORMATS` as a `Manifest`, whose articles have one of `slots` each.

    The checksum of an imported one is that of all fields as they were read, so it changes with the listing and with the
    annotations. Raises `UserError` when the folder is not laid out like that or not one entry in it is good.
    """
    if format == "manifest":
        return read_manifest(source, slots)
    source = Path(source)
    if not source.is_dir():
        raise UserError(f"{source}: expected a folder with a {format} data set, found no folder")
    digest = hashlib.sha256(format.encode())

    def watched(fields_of, *place):
        fields = None
        try:
            fields = fields_of()
        except UserError:
            raise
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"not laid out as {format} is ({type(error).__name__}: {error})") from None
        finally:  # A bad entry counts as well: mended, this is another data set.
            digest.update(json.dumps([*place, fields]).encode())
        return fields

    rows = ((*place, partial(watched, fields_of, *place)) for *place, fields_of in IMPORTERS[format](source))
    entries, skipped = collect(source, rows, slots)
    return Manifest(entries, skipped, digest.hexdigest())
