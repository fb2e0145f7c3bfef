"""IBM double-precision numbers, the form of every number in a SAS transport file.

Source: TS-140 (October 2021), "Representation of numeric values": a sign bit, a base-16 exponent with bias 64 in 7
bits, and a fraction of 56 bits whose first hexadecimal digit is not 0. Every IEEE double in range has an exact image,
since its 53 bits and a shift of at most 3 fit into 56.
"""

from __future__ import annotations

import numpy as np

SMALLEST = float.fromhex("0x1p-260")  # 16**-65, about 5.4e-79: exponent 0 and fraction 1/16
LARGEST = 9e74  # the format ends near 7.2e75, but ReadStat, which many readers use, saturates here
MISSING = np.uint64(0x2E << 56)  # '.' and seven zero bytes
_MANTISSA = np.uint64((1 << 52) - 1)
_HIDDEN_BIT = np.uint64(1 << 52)
_SIGN = np.uint64(1 << 63)


def cannot_hold(values: np.ndarray) -> np.ndarray:
    """Return True where a float64 has no image: infinite, too large or too small. Missing (NaN) and 0 have one."""
    size = np.abs(values)
    return (size > LARGEST) | ((size < SMALLEST) & (size > 0))


def encode(values: np.ndarray) -> np.ndarray:
    """Return float64 ``values`` of shape (n,) as big-endian IBM doubles, uint8 of shape (n, 8); NaN is missing.

    Both zeros become 0, as SAS writes it. Values for which ``cannot_hold`` is True give nonsense: refuse them first.
    """
    bits = np.ascontiguousarray(values, np.float64).view(np.uint64)
    exponent = (bits >> np.uint64(52)) & np.uint64(0x7FF)
    shift = (exponent + np.uint64(1)) & np.uint64(3)
    base16 = (exponent - shift - np.uint64(763)) >> np.uint64(2)  # 64 + (exponent - 1019 - shift) / 4
    image = (bits & _SIGN) | (base16 << np.uint64(56)) | (((bits & _MANTISSA) | _HIDDEN_BIT) << shift)
    image[values == 0] = 0
    image[np.isnan(values)] = MISSING
    return image.astype(">u8").view(np.uint8).reshape(-1, 8)
