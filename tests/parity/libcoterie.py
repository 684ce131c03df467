"""libcoterie.so through ctypes, as far as the scripts beside it need it. $COTERIE_LIBRARY, else build/release."""
import ctypes
import os
import pathlib

import numpy as np

PATH = os.environ.get("COTERIE_LIBRARY", pathlib.Path(__file__).resolve().parents[2] / "build/release/libcoterie.so")
LIBRARY = ctypes.CDLL(str(PATH))
SIZE, POINTER = ctypes.c_size_t, ctypes.c_void_p


class Matrix(ctypes.Structure):
    _fields_ = [("data", POINTER), ("n", SIZE), ("d", SIZE), ("stride", SIZE)]


class Err(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("message", ctypes.c_char * 1024)]


class Linkage(ctypes.Structure):
    _fields_ = [("n", SIZE), ("z", POINTER)]


class TransformOptions(ctypes.Structure):
    _fields_ = [("winsor_low", ctypes.c_double), ("winsor_high", ctypes.c_double), ("category_min_share", ctypes.c_double),
                ("n_quantiles", SIZE), ("n_threads", ctypes.c_uint)]


class TransformColumn(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("kind", ctypes.c_int)]


class ExplainOptions(ctypes.Structure):
    _fields_ = [("max_leaves", SIZE), ("labels", POINTER), ("weights", POINTER), ("n_threads", ctypes.c_uint),
                ("progress", POINTER)]


class ExplainTree(ctypes.Structure):
    _fields_ = [("d", SIZE), ("k", SIZE), ("n_nodes", SIZE), ("n_leaves", SIZE), ("depth", ctypes.c_uint), ("nodes", POINTER),
                ("fidelity", ctypes.c_double), ("cost", ctypes.c_double), ("surrogate_cost", ctypes.c_double),
                ("reference_cost", ctypes.c_double), ("price", ctypes.c_double)]


def argument(value):
    """Arrays and structures by address, numbers as they are."""
    if isinstance(value, np.ndarray):
        return POINTER(value.ctypes.data)
    if isinstance(value, ctypes.Structure):
        return ctypes.byref(value)
    return SIZE(value) if isinstance(value, int) else value


def call(name, *arguments):
    err = Err()
    if getattr(LIBRARY, name)(*map(argument, arguments), ctypes.byref(err)) != 0:
        raise RuntimeError(f"{name}: {err.message.decode()}")


def number(name, *arguments):
    """A function whose last output is one double."""
    result = np.zeros(1)
    call(name, *arguments, result)
    return result[0]


def matrix(x):
    assert x.dtype == np.float32 and x.flags.c_contiguous
    return Matrix(x.ctypes.data, x.shape[0], x.shape[1], x.shape[1])
