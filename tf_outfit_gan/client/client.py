"""A client for pictures of outfits, for TF Serving and for `outfit-gan serve`, over whichever port it is given.

It needs neither TensorFlow nor Keras over REST. Over gRPC it imports TF Serving's stubs, and with them TensorFlow.
"""

import http.client
from urllib.parse import urlsplit

from tf_outfit_gan.client.errors import ServerError, StatusError
from tf_outfit_gan.client.outfit_file import NUM_KEYPOINTS, SLOTS, check_slot, read_article
from tf_outfit_gan.client.rest import RestRoad
from tf_outfit_gan.util.errors import UserError

IMAGE_OUTPUT = "image_bytes"

# Codes by which a server says that the request, not the server, is at fault.
USER_CODES = ("INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE")


class OutfitClient:
    """Asks one server for pictures.

    Args:
        host_port: "localhost:8501"; the port of REST or of gRPC: the first call finds out which.
        model_name: the model's name on the server.
        timeout_sec: limit of one call, the server's work included.

    Every method raises `UserError` for a mistake in what it was given, also when it is the server who says so, and
    `ServerError` when the server is not there or fails.
    """

    def __init__(self, host_port, model_name="outfit_gan", timeout_sec=120.0):
        self.model_name = model_name
        self._host_port = host_port
        self._timeout_sec = timeout_sec
        self._host, self._port = _parse_host_port(host_port)
        self._road = None

    def render(self, articles, keypoints, seeds=(1,), psi=1.0):
        """Returns a picture (PNG bytes) for each seed.

        Args:
            articles: image file (path) or encoded image (bytes, PNG or JPEG) by slot; any slot may be missing.
            keypoints: [16, 3] as nested sequences or an array: x in widths, y in heights, 1 = there, 0 = not there.
            seeds: integers; one seed is one picture, whatever the others are.
            psi: truncation, 0 = the average picture, 1 = full variety.
        """
        for slot in articles:
            check_slot(slot, "articles")
        images = [read_article(articles[slot], slot) if slot in articles else b"" for slot in SLOTS]
        points = [[float(number) for number in point] for point in keypoints]
        if len(points) != NUM_KEYPOINTS or any(len(point) != 3 for point in points):
            raise UserError(f"keypoints: expected {NUM_KEYPOINTS} points [x, y, v], found {len(points)} of lengths "
                            f"{sorted({len(point) for point in points})}")
        for seed in seeds:
            if not -(2**63) <= seed < 2**63:
                raise UserError(f"seed {seed}: expected an integer of 64 bits")
        # A call for each seed and not one batch: the server's time limit and the size of an answer count per call.
        return [
            self._call("predict", {
                "article_images_bytes": ("string", images),
                "keypoints": ("float", points),
                "seed": ("int64", int(seed)),
                "truncation_psi": ("float", float(psi)),
            }, IMAGE_OUTPUT)
            for seed in seeds
        ]

    def status(self):
        """Returns the model's versions: [{"version": "1", "state": "AVAILABLE", "status": {...}}], newest first."""
        return self._call("status")

    def metadata(self):
        """Returns {"model_spec": {...}, "signature_def": {name: {"inputs": ..., "outputs": ...}}} of what serves."""
        return self._call("metadata")

    def _call(self, method, *args):
        """Calls the road; turns whatever goes wrong on it into one line."""
        try:
            if self._road is None:
                self._road = self._find_road()
            return getattr(self._road, method)(self.model_name, *args)
        except StatusError as error:
            kind = UserError if error.code in USER_CODES else ServerError
            text = error.message.partition("\n")[0]
            if error.code == "NOT_FOUND":
                text += f"; check that it serves a model named {self.model_name!r} and has loaded it"
            raise kind(f"the server at {self._host_port} answers {error.code}: {text}") from None
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(f"no answer from {self._host_port}: {str(error) or type(error).__name__}; "
                              "is the server running there?") from None

    def _find_road(self):
        """REST when the port speaks HTTP/1.1, otherwise gRPC."""
        rest = RestRoad(self._host, self._port, self._timeout_sec)
        try:
            rest.status(self.model_name)
        except StatusError:
            pass  # An error in words is an answer too: the call itself will say it.
        except (http.client.HTTPException, ConnectionResetError):
            # Something listens and does not speak HTTP/1.1. The stubs take seconds to import, so only now.
            from tf_outfit_gan.client.grpc import GrpcRoad

            return GrpcRoad(self._host_port, self._timeout_sec)
        return rest


def _parse_host_port(host_port):
    try:
        place = urlsplit(f"//{host_port}")
        host, port = place.hostname, place.port
    except ValueError:
        host, port = None, None
    if not host or not port or place.path:
        raise UserError(f"{host_port!r}: expected HOST:PORT, such as localhost:8501")
    return host, port
