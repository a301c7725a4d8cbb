"""Values from outside for the variables of a catlet."""

from __future__ import annotations

import pytest

from catlets import run
from saying import said

VARIABLES = """\
variables:
- {name: Site, value: north}
- {name: key, value: hunter2, secret: true}
- {name: n, type: number}
- {name: b, type: boolean}
- {name: e}
"""


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        pytest.param({"SITE": "x"}, [], id="in any letter case"),
        pytest.param({"sit": "x"}, ["E0415"], id="unknown"),
        pytest.param({"site": "x", "Site": "y"}, ["E0416"], id="twice"),
        pytest.param({"catletid": "x"}, ["E0417"], id="a system variable"),
        pytest.param({"n": ""}, ["E0418"], id="an empty number"),
        pytest.param({"b": "True"}, ["E0418"], id="no boolean"),
        pytest.param({"x1": "", "x2": "", "n": "a"}, ["E0415", "E0415", "E0418"], id="all"),
        pytest.param({"e": ""}, [], id="an empty text"),
    ],
)
def test_given_values(values: dict[str, str], codes: list[str]) -> None:
    result = run(VARIABLES, values=values)
    assert sorted(d.code.number for d in result.diagnostics) == codes


def test_a_given_secret_is_never_shown() -> None:
    variables = "variables:\n- {name: pin, type: number, secret: true}\n"
    result = run(variables, values={"pin": "hunter2"})
    assert "hunter2" not in repr([said(d).message for d in result.diagnostics])
