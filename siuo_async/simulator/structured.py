"""Structured output: whether a provider takes a JSON schema, and JSON that fits one. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable

from siuo_async.simulator.wire import Json

Choose = Callable[[str, Json], Json]
"""(property's name, its schema) -> the value of a field that is neither an object nor a list."""


def loose_object(schema: Json, *, all_required: bool, where: str = "schema") -> str | None:
    """The place of the first object that leaves open which properties there are; None if there is none.

    Strict servers want `additionalProperties: false` in every object, and with `all_required` every property in `required`.
    """
    if not isinstance(schema, dict):
        return where
    properties = schema.get("properties") or {}
    if kind_of(schema) == "object":
        open_ended = schema.get("additionalProperties") is not False
        if open_ended or (all_required and set(schema.get("required") or ()) != set(properties)):
            return where
    inner = {f"{where}.{name}": rule for name, rule in properties.items()}
    if "items" in schema:
        inner[f"{where}.items"] = schema["items"]
    found = (loose_object(rule, all_required=all_required, where=place) for place, rule in inner.items())
    return next((place for place in found if place), None)


def kind_of(schema: Json) -> str:
    """The JSON type, in lower case; the first where there are several, `object` where properties are all that is said."""
    kind = schema.get("type", "object" if "properties" in schema else "")
    return str(kind[0] if isinstance(kind, list) and kind else kind).lower()


def properties_of(schema: Json) -> list[tuple[str, Json]]:
    """All fields of a schema that hold a plain value, with their names; none where it allows any JSON."""
    if not schema:
        return []
    match kind_of(schema):
        case "object":
            return [field for name, rule in (schema.get("properties") or {}).items() for field in properties_of(rule | {"title": name})]
        case "array":
            return properties_of((schema.get("items") or {}) | {"title": schema.get("title", "")})
        case _:
            return [(str(schema.get("title", "")), schema)]


def fitting(schema: Json, choose: Choose) -> str:
    """JSON text that fits `schema`."""
    return json.dumps(_value("", schema, choose), ensure_ascii=False)


def _value(name: str, schema: Json, choose: Choose) -> Json:
    match kind_of(schema):
        case "object":
            return {inner: _value(inner, rule, choose) for inner, rule in (schema.get("properties") or {}).items()}
        case "array":
            return [_value(name, schema.get("items") or {}, choose)]
        case _:
            return choose(name, schema)
