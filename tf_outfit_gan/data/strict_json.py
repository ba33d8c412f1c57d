"""JSON from outside: one object, without what `json` lets pass or trips over."""

import json

from tf_outfit_gan.util.errors import UserError


def json_object(content):
    """Parses bytes as one JSON object; raises `UserError` with the fault.

    A key that stands twice is a fault, because the first value would be dropped in silence; so is nesting that goes
    deeper than Python's stack. A byte order mark is left out.
    """
    try:
        fields = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once)
    except ValueError as error:
        raise UserError(f"not valid JSON ({error})") from None
    except RecursionError:
        raise UserError("not valid JSON (nested too deep)") from None
    if not isinstance(fields, dict):
        raise UserError(f"expected a JSON object, got {content[:40]!r}")
    return fields


def _once(pairs):
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice in one object")
    return fields
