"""How much one document may hold. Source: docs/reference/language.md, "Limits"."""

MAX_DOCUMENT_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 100
MAX_ENTRIES = 10_000
MAX_ALIASES = 1_000
MAX_DIRECTIVES = 100
MAX_EXPANDED = 16 * 1024 * 1024
