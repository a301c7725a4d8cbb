"""Words of a user inside a message: short enough to be read, whatever a document holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_LONGEST = 120
# What a terminal acts on, and marks that reorder or hide what is shown.
_UNSAFE = "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"


def clipped(text: str, longest: int = _LONGEST) -> str:
    """`text`, cut with `...` where it has more than `longest` characters."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names one after the other, the first `most` of them."""
    shown = [f"`{name}`" for name in names]
    if len(shown) > most:
        return f"{', '.join(shown[:most])} and {len(shown) - most} more"
    return ", ".join(shown)


def json_text(data: Any) -> str:
    """Data as indented JSON, with escapes for what should not reach a terminal as it is."""
    import json

    text = json.dumps(data, indent=2, ensure_ascii=False)
    return re.sub(_UNSAFE, lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"
