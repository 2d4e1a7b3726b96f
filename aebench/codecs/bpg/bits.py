"""Bits, Exp-Golomb codes and BPG's variable-length integers.

Sources: ITU-T H.265 (v4, 12/2016) clauses 7.2 and 9.2 for ``u(n)``, ``ue(v)`` and ``se(v)``; BPG specification 0.9.5
(that of libbpg 0.9.8), clause 2, for ``ue7(n)``.
"""

from __future__ import annotations

from aebench.errors import CodecError


class BitReader:
    """Bits of a byte string, most significant first.

    Parameters
    ----------
    data : bytes
    what : str
        What is being read, for messages.
    """

    def __init__(self, data: bytes, what: str) -> None:
        self._bits = int.from_bytes(data, "big")
        self._length = 8 * len(data)
        self._what = what
        self.position = 0

    @property
    def left(self) -> int:
        """Number of bits not yet read."""
        return self._length - self.position

    def u(self, count: int) -> int:
        """Read ``u(n)``: an unsigned integer of ``count`` bits; `CodecError` beyond the end."""
        if count > self.left:
            raise CodecError(f"{self._what} ends at bit {self._length}, where {count - self.left} more are needed")
        self.position += count
        return self._bits >> self.left & (1 << count) - 1

    def flag(self) -> bool:
        """Read ``u(1)``."""
        return self.u(1) == 1

    def ue(self, name: str, high: int) -> int:
        """Read ``ue(v)`` (clause 9.2); `CodecError`, with the element's ``name``, above ``high``."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 31:
                raise CodecError(f"{self._what}: {name} is longer than 32 bits, at bit {self.position}")
        value = (1 << zeros) - 1 + self.u(zeros)
        if value > high:
            raise CodecError(f"{self._what}: {name} is {value}, at most {high} is allowed here")
        return value


class BitWriter:
    """Bits gathered into bytes, most significant first."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._pending = 0  # bits that do not make a byte yet
        self._count = 0  # of them

    def u(self, count: int, value: int) -> None:
        """Write ``u(n)``: ``value`` in ``count`` bits."""
        if value < 0 or value >> count:
            raise ValueError(f"{value} does not fit into {count} bits")
        bits = self._pending << count | value
        whole, self._count = divmod(self._count + count, 8)
        self._bytes += (bits >> self._count).to_bytes(whole, "big")
        self._pending = bits & (1 << self._count) - 1

    def ue(self, value: int) -> None:
        """Write ``ue(v)`` (clause 9.2)."""
        self.u(2 * (value + 1).bit_length() - 1, value + 1)

    def se(self, value: int) -> None:
        """Write ``se(v)`` (clause 9.2.2)."""
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def align(self) -> None:
        """Write zero bits up to the next byte."""
        self.u(-self._count % 8, 0)

    def trail(self) -> None:
        """Write ``rbsp_trailing_bits()`` (clause 7.3.2.11): a one, then zeros up to the next byte."""
        self.u(1, 1)
        self.align()

    def aligned_bytes(self, data: bytes) -> None:
        """Write whole bytes, after `align`."""
        if self._count:
            raise ValueError(f"{self._count} bits are before the bytes")
        self._bytes += data

    def to_bytes(self) -> bytes:
        """Return what was written, padded with zero bits to whole bytes."""
        self.align()
        return bytes(self._bytes)


def read_ue7(data: bytes, position: int, name: str, high: int) -> tuple[int, int]:
    """Read ``ue7(n)`` (BPG specification, clause 2): seven bits a byte, the first bit set in all but the last.

    Returns
    -------
    value, position : int
        The integer, and the index of the byte after it.

    Raises
    ------
    CodecError
        If it is cut off, not in its shortest form, or above ``high``.
    """
    value, start = 0, position
    while True:
        if position >= len(data):
            raise CodecError(f"BPG: the file ends within {name}, at byte {position}")
        byte = data[position]
        if byte == 0x80 and position == start:
            raise CodecError(f"BPG: {name} at byte {start} is not in its shortest form")
        value = value << 7 | byte & 0x7F
        position += 1
        if value > high:
            raise CodecError(f"BPG: {name} at byte {start} is above {high}")
        if byte < 0x80:
            return value, position


def write_ue7(value: int) -> bytes:
    """Write ``ue7(n)`` in its shortest form (BPG specification, clause 2)."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
