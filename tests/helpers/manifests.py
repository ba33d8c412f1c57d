"""What a manifest says, as values that a test can write down."""


def described(manifest, source):
    """{id: (split, photo, {slot: file})} with paths as in the source folder."""
    return {
        entry.id: (
            entry.split,
            str(entry.image.relative_to(source)),
            {slot: str(file.relative_to(source)) for slot, file in entry.outfit.articles.items()},
        )
        for entry in manifest.entries
    }


def poses(manifest):
    return {entry.id: entry.outfit.keypoints for entry in manifest.entries}


def reasons(manifest):
    return {(skip.listing, skip.line, skip.id): skip.reason for skip in manifest.skipped}
