"""Names: the patterns take exactly what the rules and the grammars say."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from eryphc.syntax.names import (
    ADAPTER,
    CAPABILITY,
    CATLET,
    DRIVE,
    GENE,
    NameKind,
    is_variable_name,
    name_faults,
    variable_name_fault,
)

some = settings(max_examples=300)


@some
@given(
    st.sampled_from([CATLET, GENE, DRIVE, CAPABILITY, ADAPTER]),
    st.text("aZ9.-_ \u00e9", max_size=20),
)
def test_names_follow_the_rules_as_they_are_told(kind: NameKind, text: str) -> None:
    allowed = all((c.isascii() and c.isalnum()) or c in kind.extras for c in text)
    rules = (
        not re.search(r"\.\.|--|__|  ", text)
        and not text.startswith((".", "-", "_", " "))
        and not text.endswith((".", "-", "_", " "))
    )
    length = kind.shortest <= len(text) <= kind.longest
    faults = name_faults(kind, text)
    assert (not faults) == (allowed and rules and length)
    for fault in faults:
        assert 0 <= fault.start <= fault.end <= len(text)


@some
@given(st.text("aZ_9-\u00e9\n", max_size=60))
def test_variable_names(text: str) -> None:
    assert (variable_name_fault(text) is None) == is_variable_name(text)
    assert is_variable_name(text) == bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,49}", text))
