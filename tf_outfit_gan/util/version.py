"""The version of this package, in one place: setup.py reads it here."""

__version__ = "0.1.0"
