"""The studio: a page that dresses a model through TF Serving's REST API, and asks for nothing else.

Its files are plain HTML, CSS and ES modules, used as they are: by `outfit-gan serve` under /studio, or by any web server
that passes /v1/ on to TF Serving.
"""

import json
from pathlib import Path

import tf_outfit_gan

# The page's folders by path; the second one lies in the first.
STUDIO_FOLDERS = {
    "/studio": Path(__file__).parent,
    "/studio/examples": Path(tf_outfit_gan.__file__).parent / "examples",
}
# Beside the page: which model it asks for.
SETTINGS = "settings.json"


def studio_settings(model_name: str) -> bytes:
    """The content of the `SETTINGS` file."""
    return json.dumps({"model": model_name}).encode()
