"""Importers: other layouts of a catalogue, read as if each had a manifest.

An importer is a function of the source folder that yields rows as `manifest.collect` takes them: (listing, line, id,
function that returns the entry's fields). Whatever is checked about a manifest's entry is checked about an imported
one, files outside the source folder included.
"""

import hashlib
import json
from functools import partial
from pathlib import Path

from tf_outfit_gan.data.importers.viton_hd import viton_hd
from tf_outfit_gan.data.manifest import Manifest, collect, read_manifest
from tf_outfit_gan.errors import UserError

IMPORTERS = {
    "viton-hd": viton_hd,
}
FORMATS = ("manifest", *IMPORTERS)


def read(source, format="manifest"):
    """Reads a catalogue laid out in one of `FORMATS` as a `Manifest`.

    The checksum of an imported one is that of all fields as they were read, so it changes with the listing and with the
    annotations. Raises `UserError` when the folder is not laid out like that or not one entry in it is good.
    """
    if format == "manifest":
        return read_manifest(source)
    source = Path(source)
    if not source.is_dir():
        raise UserError(f"{source}: expected a folder with a {format} data set, found no folder")
    digest = hashlib.sha256(format.encode())

    def watched(fields_of, *place):
        fields = None
        try:
            fields = fields_of()
        finally:  # What sets an entry aside is of the checksum as well: mended, it is another data set.
            digest.update(json.dumps([*place, fields]).encode())
        return fields

    rows = ((*place, partial(watched, fields_of, *place)) for *place, fields_of in IMPORTERS[format](source))
    entries, skipped = collect(source, rows)
    return Manifest(entries, skipped, digest.hexdigest())
