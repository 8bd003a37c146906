"""Lines of JSON that end with the CRC-32 of everything before it, so that what a disk or an editor changed is never taken for data."""

from __future__ import annotations

from zlib import crc32

CRC_FIELD = b',"crc":'


class BadLineError(ValueError):
    """A complete line of a file that is not what was written."""


def sealed(body: bytes) -> bytes:
    """`body` (a JSON object) with its CRC-32 as last member, as a line."""
    head = body[:-1]
    return b'%b,"crc":%d}\n' % (head, crc32(head))


def checked(line: bytes) -> bytes:
    """`line` (without its newline) if its checksum holds.

    Raises:
        BadLineError: the line was changed, or never was a record.
    """
    at = line.rfind(CRC_FIELD)
    if at < 0 or not line.endswith(b"}") or not line[at + 7 : -1].isdigit():
        raise BadLineError("it has no checksum")
    if crc32(memoryview(line)[:at]) != int(line[at + 7 : -1]):
        raise BadLineError("its checksum does not fit")
    return line
