"""The public JSON Schemas, by name."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

_ENDING = ".schema.json"


def schema_names() -> tuple[str, ...]:
    """The kinds of documents that have a schema."""
    names = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING)))


def schema_text(name: str) -> str:
    """The text of one schema. That of the project file has the sections of the targets in it.

    Raises ValueError for a name that is none of `schema_names()`.
    """
    if name not in schema_names():
        raise ValueError(f"there is no schema {name!r}; there are {', '.join(schema_names())}")
    text = files(__name__).joinpath(name + _ENDING).read_text(encoding="utf-8")
    return _with_sections(text) if name == "project" else text


def _with_sections(text: str) -> str:
    import json

    from eryphc.targets import Target
    from eryphc.targets.definition import definition_of

    schema: dict[str, Any] = json.loads(text)
    for target in Target:
        definition = definition_of(target)
        if definition.section_name is not None and definition.section_schema is not None:
            schema["properties"][definition.section_name] = definition.section_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
