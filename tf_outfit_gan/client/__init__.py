"""The client of a served model. Over REST it needs the standard library only, over gRPC TF Serving's stubs."""

from tf_outfit_gan.client.client import OutfitClient
from tf_outfit_gan.client.outfit_file import read_outfit, read_pose

__all__ = ["OutfitClient", "read_outfit", "read_pose"]
