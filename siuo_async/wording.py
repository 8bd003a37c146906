"""What a setting must be and what it is, in words of its file; pydantic's own name types of Python, which no user wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_MUST_BE: Mapping[str, str] = MappingProxyType(
    {
        "bool_parsing": "true or false",
        "bool_type": "true or false",
        "dict_type": "a table (lines `name: value`, indented)",
        "finite_number": "a finite number",
        "float_parsing": "a number",
        "float_type": "a number",
        "int_from_float": "a whole number",
        "int_parsing": "a whole number",
        "int_parsing_size": "a whole number of fewer digits",
        "int_type": "a whole number",
        "list_type": "a list",
        "model_attributes_type": "a table (lines `name: value`, indented)",
        "model_type": "a table (lines `name: value`, indented)",
        "path_type": "a path",
        "recursion_loop": "a value that does not hold itself",
        "string_sub_type": "a text",
        "string_type": "a text",
        "string_unicode": "a text of valid Unicode",
        "tuple_type": "a list",
    }
)
_KINDS: Mapping[type, str] = MappingProxyType({dict: "a table", list: "a list", tuple: "a list", set: "a set", bytes: "bytes"})
_MOST_CHARS = 60


def must_be(error: Mapping[str, Any]) -> str:
    """What is wrong with a field, in lower case and without its name, from one of the errors that pydantic lists."""
    if (found := _MUST_BE.get(error["type"])) is not None:
        return f"must be {found}"
    message: str = error["msg"].removeprefix("Value error, ")
    if error["type"] == "too_long":
        return f"must hold {message.partition(' should have ')[2].partition(' items')[0]}"
    plain = message.replace("Input should be", "must be").replace("Input should", "must").replace("String should", "must")
    return plain[:1].lower() + plain[1:]


def shown(value: Any) -> str:
    """A value as its file has it, short; of lists and tables only what they are."""
    if (kind := _KINDS.get(type(value))) is not None:
        return kind
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        return str(value) if -(10**40) < value < 10**40 else "a number of very many digits"
    if isinstance(value, float):
        return f"{value!r}"
    text = str(value)
    return repr(text if len(text) <= _MOST_CHARS else text[: _MOST_CHARS - 1] + "…")
