"""Writes TFRecord files as TensorFlow does, without it: its import takes a process longer than preparing a hundred entries."""

import struct
from typing import IO

import google_crc32c


def write_record(file: IO[bytes], record: bytes) -> None:
    """Appends a record to a TFRecord file: length, its checksum, the bytes, their checksum, numbers little-endian."""
    length = struct.pack("<Q", len(record))
    file.write(length + _masked_crc(length) + record + _masked_crc(record))


def _masked_crc(content: bytes) -> bytes:
    """CRC-32C, rotated and shifted, so that the checksum of what holds checksums is no special case."""
    crc = google_crc32c.value(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
