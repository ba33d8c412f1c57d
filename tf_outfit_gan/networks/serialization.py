"""How Keras saves networks that are made from a `ModelConfig`."""

import inspect

from tf_outfit_gan.config import ModelConfig, from_dict, to_dict


class ConfigSerialization:
    """Gives a layer or model whose first argument is `config` its `get_config` and `from_config`.

    A base class before `keras.layers.Layer` or `keras.Model`, for a class that keeps every argument as an attribute of
    the same name. Layers whose arguments are plain values need none of this: Keras notes such arguments itself.
    """

    def get_config(self):
        names = [name for name in inspect.signature(type(self).__init__).parameters if name not in ("self", "kwargs")]
        return super().get_config() | {name: getattr(self, name) for name in names} | {"config": to_dict(self.config)}

    @classmethod
    def from_config(cls, config):
        return super().from_config(config | {"config": from_dict(ModelConfig, config["config"])})
