"""What others say of our documents: the strict validator of CycloneDX, the library of in-toto."""

from __future__ import annotations

import json
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement


def read_sbom(data: bytes) -> dict[str, Any]:
    """The document, which the validator must accept."""
    text = data.decode("utf-8")
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert fault is None, fault
    found: dict[str, Any] = json.loads(text)
    return found


def read_statement(data: bytes) -> dict[str, Any]:
    """The statement, which the library must read without loss and find valid."""
    text = data.decode("utf-8")
    message = json_format.Parse(text, statement_pb2.Statement())
    Statement.copy_from_pb(message).validate()
    found: dict[str, Any] = json.loads(text)
    again = json_format.MessageToDict(message, preserving_proto_field_name=True)
    assert again["subject"] == found["subject"]
    return found
