"""The server's status and metadata of a model, as TF Serving's messages: the versions' states, and the signatures.

Both transports answer with these: gRPC sends them, REST prints them as JSON.
"""

from tensorflow.core.protobuf import error_codes_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2
from tensorflow_serving.apis.model_pb2 import ModelSpec

from serving.server.errors import StatusError
from serving.server.models import Models


def model_status(models: Models, spec: ModelSpec) -> get_model_status_pb2.GetModelStatusResponse:
    """Returns the `GetModelStatusResponse` for a `ModelSpec`, the newest version first; raises `StatusError`."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for number, state, error in models.listing(spec):
        status = response.model_version_status.add(version=number, state=state)
        status.status.error_code, status.status.error_message = _code_and_text(error)
    return response


def model_metadata(models: Models, spec: ModelSpec) -> tuple[int, get_model_metadata_pb2.SignatureDefMap]:
    """Returns (number of the version, `SignatureDefMap`) for a `ModelSpec`; raises `StatusError`."""
    with models.borrow(spec) as version:
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in version.loaded.signatures.items():
            signatures.signature_def[name].CopyFrom(signature)
        return version.number, signatures


def _code_and_text(error: Exception | None) -> tuple[int, str]:
    """The canonical code and the text of why a version did not load; errors of Python have no code: UNKNOWN."""
    if error is None:
        return error_codes_pb2.OK, ""
    if isinstance(error, StatusError):
        return error_codes_pb2.Code.Value(error.code), error.message
    return getattr(error, "error_code", error_codes_pb2.UNKNOWN), str(error)
