"""The client of a served model, over REST and gRPC; it needs no TensorFlow."""

from tf_outfit_gan.client.async_client import AsyncClient
from tf_outfit_gan.client.client import Client
from tf_outfit_gan.client.errors import RefusedError, ServerError

__all__ = ["AsyncClient", "Client", "RefusedError", "ServerError"]
