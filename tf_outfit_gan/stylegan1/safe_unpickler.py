"""Reads the data of a network's pickle without running anything of it.

A pickle is a program for a small stack machine, whose instructions can name any function of any module and call it.
This machine knows only the instructions that describe data, and a short list of names. A name is never looked up or
imported: it stands for a step that is written out below. Every other name and instruction is refused before anything
is done with it.

The standard `pickle.Unpickler` with an own `find_class` is not enough for files of strangers: it still sets attributes
of what it found, reserves memory by numbers in the file, and hashes nested keys until the stack ends.
"""

import math
import mmap
import pickletools
import reprlib
from pathlib import Path

import numpy as np

from tf_outfit_gan.util.errors import UserError

MAX_INSTRUCTIONS = 200_000  # The three networks at 1024x1024 need 10,000: far more is an attack on time and memory.

_LITERALS = {
    "NONE",
    "NEWTRUE",
    "NEWFALSE",
    "BININT",
    "BININT1",
    "BININT2",
    "LONG1",
    "LONG4",
    "BINFLOAT",
    "BINSTRING",
    "SHORT_BINSTRING",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
    "BINBYTES",
    "SHORT_BINBYTES",
    "BINBYTES8",
    "BYTEARRAY8",
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}

# Every name that may stand in a network's pickle. NumPy 2 renamed numpy.core.
_NAMES = {
    "dnnlib.tflib.network.Network": "Network",
    "tfutil.Network": "Network",  # The Progressive GAN of 2017, whose networks are then refused for what they are.
    "dnnlib.util.EasyDict": "EasyDict",
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
    "numpy.core.multiarray._reconstruct": "empty array",
    "numpy.core.multiarray.scalar": "scalar",
    "numpy.core.numeric._frombuffer": "array",
    "_codecs.encode": "bytes",  # How Python 3 writes bytes for Python 2.
}
_PLAIN = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}

# What people mistake for a network's pickle, by its first bytes.
_OTHERS = {
    b"PK\x03\x04": "a zip archive, as PyTorch writes; expected the pickle of a TensorFlow network",
    b"\x1f\x8b": "compressed with gzip: unpack it first",
    b"\x89HDF": "an HDF5 file; expected the pickle of a TensorFlow network",
    b"<": "a web page, not a network: the download went wrong, do it again",
    b"version https://git-lfs": "a pointer of git-lfs, not the file itself: fetch it with git lfs pull",
}


class Network:
    """A pickled network: `state` is the dict that the original's `Network.__getstate__` made."""

    state = None


class Array:
    """A pickled array; `value` is the NumPy array, once the pickle gave it."""

    value = None


class _DType:
    def __init__(self, dtype):
        self.value = dtype


class _Name(str):
    """A name that the pickle gave, on the stack; only `_call` and `_build` know what it stands for."""


def read_pickle(path):
    """The value of a pickle: None, bool, int, float, str, bytes, list, dict, tuple, `Array`, `Network`.

    Array data is held once. Raises `UserError`, which does not name the file, for whatever is not a whole pickle of
    such values.
    """
    if not Path(path).is_file():
        raise UserError("no such file; expected a network's pickle, such as karras2019stylegan-ffhq-1024x1024.pkl")
    with open(path, "rb") as file:
        start = file.read(32)
        for magic, text in _OTHERS.items():
            if start.startswith(magic):
                raise UserError(text)
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                value = _Machine().run(pickletools.genops(data))
                if data.tell() != len(data):
                    raise UserError(f"{len(data) - data.tell()} bytes follow the end of the pickle: download it again")
        except UserError:
            raise
        except (ValueError, TypeError, LookupError) as error:
            raise UserError(f"no whole pickle: cut off, damaged, or another kind of file ({shown(error)})") from None
    return value


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 200, 200


def shown(value):
    """A value of a stranger's file, fit for one line of a message."""
    try:
        # A few bytes of a pickle can hold a list in a list in a list, each twice: `repr` would not end.
        text = str(value) if isinstance(value, (Exception, _Name)) else _SHORT.repr(value)
    except (RecursionError, ValueError):  # A nested list, or a number with too many digits.
        text = f"a {type(value).__name__}"
    text = ascii(text)[1:-1]  # Without line ends, and without what a terminal obeys.
    return text if len(text) <= 80 else f"{text[:77]}..."


class _Machine:
    def __init__(self):
        self.stack, self.below, self.memo = [], [], {}  # A mark sets the stack aside, so that nothing reaches below it.

    def run(self, instructions):
        for count, (instruction, argument, _) in enumerate(instructions):
            if count == MAX_INSTRUCTIONS:
                raise UserError("a pickle of more instructions than any network needs: refused")
            if instruction.name == "STOP":
                (value,) = self.stack
                return value
            self.step(instruction.name, argument)

    def step(self, name, argument):
        stack = self.stack
        if name in _LITERALS:
            stack.append(_CONSTANTS.get(name, argument))
        elif name in _TUPLES:
            items = [stack.pop() for _ in range(_TUPLES[name])]
            stack.append(tuple(items[::-1]))
        else:
            match name:
                case "PROTO" | "FRAME":
                    pass
                case "MARK":
                    self.below.append(stack)
                    self.stack = []
                case "EMPTY_LIST":
                    stack.append([])
                case "EMPTY_DICT":
                    stack.append({})
                case "EMPTY_TUPLE":
                    stack.append(())
                case "TUPLE":
                    items = self.marked()
                    self.stack.append(tuple(items))
                case "APPEND" | "APPENDS":
                    items = [stack.pop()] if name == "APPEND" else self.marked()
                    _expect(self.stack[-1], list).extend(items)
                case "SETITEM" | "SETITEMS":
                    items = [stack.pop(), stack.pop()][::-1] if name == "SETITEM" else self.marked()
                    target = _expect(self.stack[-1], dict)
                    for key, value in zip(items[::2], items[1::2], strict=True):
                        target[_expect(key, str)] = value
                case "BINPUT" | "LONG_BINPUT" | "MEMOIZE":
                    self.memo[len(self.memo) if argument is None else argument] = stack[-1]
                case "BINGET" | "LONG_BINGET":
                    stack.append(self.memo[argument])
                case "GLOBAL":
                    stack.append(_name(*argument.split(" ", 1)))
                case "STACK_GLOBAL":
                    attribute, module = stack.pop(), stack.pop()
                    stack.append(_name(_expect(module, str), _expect(attribute, str)))
                case "REDUCE" | "NEWOBJ":
                    arguments = _expect(stack.pop(), tuple)
                    stack.append(_call(_expect(stack.pop(), _Name), arguments))
                case "BUILD":
                    state = stack.pop()
                    _build(stack[-1], state)
                case _:
                    raise UserError(f"the pickle uses the instruction {name}, which no StyleGAN network needs: refused")

    def marked(self):
        """The items since the last mark."""
        items, self.stack = self.stack, self.below.pop()
        return items


def _expect(value, kind):
    if type(value) is not kind:
        raise ValueError(f"a {type(value).__name__} where a {kind.__name__.strip('_').lower()} belongs")
    return value


def _name(module, attribute):
    name = f"{module}.{attribute}".replace("numpy._core.", "numpy.core.", 1)
    if name in _NAMES:
        return _Name(_NAMES[name])
    hint = " (PyTorch networks, such as StyleGAN2-ADA's and StyleGAN3's, are others)" if "torch" in module else ""
    raise UserError(f"the pickle names {shown(_Name(name))}, which no StyleGAN network needs{hint}: refused, nothing of it ran")


def _call(name, arguments):
    """What the call of a name gives."""
    match str(name), arguments:
        case "Network", ():
            return Network()
        case "EasyDict", ():
            return {}
        case "dtype", (str(kind), *_):
            if kind not in _PLAIN:
                raise UserError(f"the pickle holds an array of {shown(kind)}: refused, weights are plain numbers")
            return _DType(np.dtype(kind))
        case "empty array", (_Name("ndarray"), *_):
            return Array()
        case "scalar", (_DType() as dtype, data):
            return _array(data, dtype, (), "C")
        case "array", (data, _DType() as dtype, tuple(shape), str(order)):
            return _array(data, dtype, shape, order)
        case "bytes", (str(text), "latin1"):
            return text.encode("latin-1")
    raise ValueError(f"{shown(name)} with unknown arguments")


def _build(target, state):
    """Gives the state to what `_call` made, once."""
    match target, state:
        case Network(state=None), dict():
            target.state = state
        case _DType(), (int(), str(order), None, None, None, *_) if order in ("<", ">", "=", "|"):
            target.value = target.value.newbyteorder(order)
        case Array(value=None), (int(), tuple(shape), _DType() as dtype, bool(fortran), data):
            target.value = _array(data, dtype, shape, "F" if fortran else "C").value
        case _:
            raise ValueError(f"a {type(target).__name__.strip('_').lower()} with unknown state")


def _array(data, dtype, shape, order):
    """An `Array` that reads the pickle's own bytes. Python 2's are text, one character a byte."""
    data = data.encode("latin-1") if type(data) is str else data
    if type(data) not in (bytes, bytearray) or not all(type(side) is int and side > 0 for side in shape):
        raise ValueError("an array without bytes or shape")
    if len(shape) > 8 or math.prod(shape) * dtype.value.itemsize != len(data):
        raise ValueError(f"an array of {len(data)} bytes, which do not fill its shape")
    array = Array()
    array.value = np.frombuffer(data, dtype.value).reshape(shape, order="F" if order == "F" else "C")
    return array
