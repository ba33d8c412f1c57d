"""The client of a served model. It needs no TensorFlow over REST; over gRPC it imports TF Serving's stubs, which do."""

from tf_outfit_gan.client.client import Client
from tf_outfit_gan.client.errors import RefusedError, ServerError

__all__ = ["Client", "RefusedError", "ServerError"]
