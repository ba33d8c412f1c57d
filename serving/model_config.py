"""A server's models in TF Serving's text format: the file that `--model_config_file` names."""

from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from serving.server_files import read_text_proto
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError


def read_config(path: Path) -> ModelServerConfig:
    """Reads a `ModelServerConfig`; raises `UserError`."""
    return read_text_proto(path, ModelServerConfig(), "a model_config_list, as serving/deploy/config/models.config has")


def write_config(path: Path, config: ModelServerConfig) -> None:
    """Writes a `ModelServerConfig`, all or nothing; comments of an earlier file are lost."""
    write_whole(path, text_format.MessageToString(config))


def single_model(name: str, base_path: Path) -> ModelServerConfig:
    """The configuration of one model, whose newest version serves."""
    config = ModelServerConfig()
    config.model_config_list.config.add(name=name, base_path=str(base_path.resolve()), model_platform="tensorflow")
    return config


def model_of(config: ModelServerConfig, name: str, path: Path) -> ModelConfig:
    """The `ModelConfig` of a name; raises `UserError` that says which ones the file at `path` has."""
    names = [model.name for model in config.model_config_list.config]
    if name not in names:
        raise UserError(f"{path}: no model {name!r}; there are {', '.join(map(repr, names)) or 'none'}")
    return config.model_config_list.config[names.index(name)]
