"""Whether compiled protobuf messages are those of their source."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet

ROOT = Path(__file__).parents[2]


def check_compiled(module, source):
    """Asserts that a module has the messages of a .proto file, named from the root of the sources."""
    with TemporaryDirectory() as folder:
        compile = [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"--descriptor_set_out={folder}/set", source]
        subprocess.run(compile, cwd=ROOT, check=True)
        [compiled] = FileDescriptorSet.FromString(Path(f"{folder}/set").read_bytes()).file
    assert [message.name for message in compiled.message_type] == [*module.DESCRIPTOR.message_types_by_name]
    for message in compiled.message_type:
        in_use = DescriptorProto()
        module.DESCRIPTOR.message_types_by_name[message.name].CopyToProto(in_use)
        _forget_json_names(message)
        _forget_json_names(in_use)
        assert in_use == message


def _forget_json_names(message):
    """The compiler writes them down in one of the two only; they are no part of the bytes."""
    for field in message.field:
        field.ClearField("json_name")
    for inner in message.nested_type:
        _forget_json_names(inner)
