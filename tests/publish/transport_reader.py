"""A second, slow reader of SAS transport files, made from the layout table of TS-140 alone (no code of publish/)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

MISSING = {bytes([code]) + bytes(7) for code in (0x2E, 0x5F, *range(0x41, 0x5B))}


@dataclass
class TransportVariable:
    kind: int
    length: int
    number: int
    name: str
    label: str
    format: tuple[str, int, int]
    position: int


@dataclass
class Transport:
    times: list[str]
    name: str
    label: str
    variables: list[TransportVariable]
    rows: list[dict[str, str | float | None]]


def number(image: bytes) -> float | None:
    """Decode an IBM double by exact fractions."""
    if image in MISSING:
        return None
    sign = -1 if image[0] & 0x80 else 1
    exponent = (image[0] & 0x7F) - 64
    return float(sign * Fraction(int.from_bytes(image[1:], "big"), 2**56) * Fraction(16) ** exponent)


def read(path: Path) -> Transport:
    content = path.read_bytes()
    assert len(content) % 80 == 0
    assert content[:48] == b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
    assert content[80:104] == b"SAS     SAS     SASLIB  "
    assert content[240:320] == (b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!000000000000000001600000000140  ")
    assert content[320:368] == b"HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!"
    assert content[400:408] + content[416:424] == b"SAS     SASDATA "
    assert content[560:608] == b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!"
    count = int(content[614:618])
    variables = [_variable(content[640 + 140 * index : 780 + 140 * index]) for index in range(count)]
    end = 640 + -(-140 * count // 80) * 80
    assert content[end : end + 48] == b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
    times = [content[place : place + 16].decode() for place in (144, 160, 464, 480)]
    name, label = content[408:416].decode().rstrip(), content[512:552].decode().rstrip()
    return Transport(times, name, label, variables, _rows(content[end + 80 :], variables))


def _variable(block: bytes) -> TransportVariable:
    kind, hashed, length, order = struct.unpack(">4h", block[:8])
    assert hashed == 0
    width, decimals, _ = struct.unpack(">3h", block[64:70])
    (position,) = struct.unpack(">l", block[84:88])
    name, label, shown = block[8:16], block[16:56], block[56:64]
    assert block[88:] == bytes(52)
    return TransportVariable(
        kind,
        length,
        order,
        name.decode().rstrip(),
        label.decode().rstrip(),
        (shown.decode().rstrip(), width, decimals),
        position,
    )


def _rows(data: bytes, variables: list[TransportVariable]) -> list[dict[str, str | float | None]]:
    size = sum(variable.length for variable in variables)
    pieces = [data[start : start + size] for start in range(0, len(data) - size + 1, size)]
    while pieces and not pieces[-1].strip(b" "):
        pieces.pop()
    assert not data[len(pieces) * size :].strip(b" ")
    assert len(data) - len(pieces) * size < 80
    return [{variable.name: _value(piece, variable) for variable in variables} for piece in pieces]


def _value(row: bytes, variable: TransportVariable) -> str | float | None:
    image = row[variable.position : variable.position + variable.length]
    return number(image) if variable.kind == 1 else image.decode("ascii").rstrip(" ")
