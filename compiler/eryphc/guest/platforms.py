"""What the clouds take as user-data: which field, how many bytes, and in which form they get it.

Source: docs/reference/cloud-platforms.md, "Limits".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from eryphc.diagnostics import platforms as wording
from eryphc.diagnostics.model import Diagnostic, Level
from eryphc.diagnostics.said import Own
from eryphc.frozen import NamedTuple
from eryphc.guest.document import GuestDocument
from eryphc.guest.encode import Encoded, Form, user_data
from eryphc.guest.model import GuestAgent, GuestKind, Reader
from eryphc.guest.pieces import said_entry
from eryphc.ir.catlet import Fodder
from eryphc.source import Span

_NEARLY: Final = 0.9
"""The share of a limit from which on a note says how much is left."""
_LARGEST: Final = 5


class Counts(StrEnum):
    """What a limit counts: the bytes that the guest reads, or the characters in the field."""

    RAW = "raw"
    TEXT = "text"


class Platform(NamedTuple):
    """One cloud. `field` is where its API takes user-data; `limit` is in bytes.

    `base64`: the field holds base64. `gzip`: guests that unpack compressed user-data there. `firm`:
    the platform refuses what is over the limit; else the limit is a setting of the installation, or
    no source states it for sure. `readable`: every process of the machine can read user-data.
    """

    name: str
    title: str
    field: str | None
    limit: int | None
    counts: Counts = Counts.RAW
    base64: bool = False
    gzip: frozenset[GuestKind] = frozenset()
    firm: bool = True
    readable: bool = False

    def encodes(self, form: Form) -> bool:
        """Whether the field holds base64: as always here, or because gzip is no text."""
        return self.base64 or form is Form.GZIP

    def counted(self, form: Form, size: int) -> int:
        """How much of the limit `size` bytes of user-data use up."""
        in_base64 = self.counts is Counts.TEXT and self.encodes(form)
        return -(-size // 3) * 4 if in_base64 else size

    def takes(self, form: Form, size: int) -> bool:
        return self.limit is None or self.counted(form, size) <= self.limit


_BOTH: Final = frozenset(GuestKind)
# On Azure, cloudbase-init does not unpack what it unpacks elsewhere.
_LINUX: Final = frozenset((GuestKind.LINUX,))
GENERIC: Final = Platform("generic", "any platform", None, None)
AZURE: Final = Platform("azure", "Azure", "customData", 65_535, base64=True, gzip=_LINUX)
PLATFORMS: Final = (
    GENERIC,
    Platform("ec2", "EC2", "UserData", 16_384, gzip=_BOTH, readable=True),
    AZURE,
    Platform(
        "hetzner", "Hetzner", "user_data", 32_768, Counts.TEXT, gzip=_BOTH, readable=True
    ),
    Platform(
        "gce", "Compute Engine", "user-data", 262_144, Counts.TEXT, gzip=_BOTH, readable=True
    ),
    Platform(
        "openstack", "OpenStack", "user_data", 65_535, Counts.TEXT,
        base64=True, gzip=_BOTH, readable=True,
    ),
    Platform("digitalocean", "DigitalOcean", "user_data", 65_536, readable=True),
    Platform("linode", "Linode", "metadata.user_data", 16_384, base64=True, gzip=_BOTH),
    Platform(
        "oci", "Oracle Cloud", "metadata.user_data", 31_000, Counts.TEXT,
        base64=True, gzip=_BOTH, readable=True,
    ),
    Platform(
        "cloudstack", "CloudStack", "userdata", 32_768, Counts.TEXT,
        base64=True, gzip=_BOTH, firm=False,
    ),
    Platform(
        "exoscale", "Exoscale", "user-data", 32_768, Counts.TEXT,
        base64=True, gzip=_BOTH, firm=False,
    ),
)  # fmt: skip
BY_NAME: Final = {platform.name: platform for platform in PLATFORMS}


class EntrySize(NamedTuple):
    """A fodder entry, and the bytes of its text as UTF-8 before merging."""

    fodder: Fodder
    size: int


class Payload(NamedTuple):
    """User-data in the form that a platform takes.

    `sizes` are the bytes of each form that was made. `entries` are in the order of the catlet.
    """

    platform: Platform
    form: Form
    encoded: Encoded
    sizes: Mapping[Form, int]
    entries: tuple[EntrySize, ...]

    @property
    def counted(self) -> int:
        return self.platform.counted(self.form, len(self.encoded.data))

    @property
    def other(self) -> int:
        """What merging and MIME add to the texts in the form `seed`; entries may share keys."""
        return self.sizes[Form.SEED] - sum(entry.size for entry in self.entries)

    @property
    def fits(self) -> bool:
        return self.platform.takes(self.form, len(self.encoded.data))

    def largest(self) -> list[EntrySize]:
        """The five largest entries, largest first."""
        ordered = sorted(self.entries, key=lambda entry: -entry.size)
        return ordered[:_LARGEST]


def encodings(document: GuestDocument) -> Mapping[Form, Encoded]:
    """User-data in each of its forms, in the order in which they are tried."""
    return {form: user_data(document.parts, document.slots, form) for form in Form}


def payload(
    document: GuestDocument,
    made: Mapping[Form, Encoded],
    platform: Platform,
    agent: Reader | None = None,
) -> Payload:
    """User-data in the first form that fits, or in the smallest where none does.

    `agent` is the program that reads it, None where nobody says: eryph's guest services unpack gzip
    on every platform.
    """
    unpacks = document.guest in platform.gzip or (
        agent is not None and agent.only(GuestAgent.EGS) and bool(platform.gzip)
    )
    known = {form: encoded for form, encoded in made.items() if form is not Form.GZIP or unpacks}
    sizes = {form: len(encoded.data) for form, encoded in known.items()}
    fits = [form for form, size in sizes.items() if platform.takes(form, size)]
    chosen = fits[0] if fits else min(sizes, key=lambda form: platform.counted(form, sizes[form]))
    return Payload(platform, chosen, known[chosen], sizes, tuple(_entries(document.fodder)))


def _entries(fodder: Sequence[Fodder]) -> Iterator[EntrySize]:
    for entry in fodder:
        text = "" if entry.content is None else entry.content.text
        yield EntrySize(entry, len(text.encode("utf-8", "surrogatepass")))


def sizes(made: Payload) -> Iterator[str]:
    """What takes up the bytes of user-data, in lines for people. Names only, no text."""
    forms = ", ".join(f"{form.value} {size:,}" for form, size in made.sizes.items())
    yield f"user-data has {len(made.encoded.data):,} bytes in the form {made.form.value} ({forms})"
    for entry in made.largest():
        of = f" of {entry.fodder.gene}" if entry.fodder.gene else ""
        yield f"{entry.size:>9,} {said_entry(entry.fodder).words}{of}"


def report_of(made: Payload) -> dict[str, object]:
    """What `report.json` says of user-data: names and sizes, no text."""
    return {
        "schema": "eryphc/report/v1",
        "platform": made.platform.name,
        "limit": made.platform.limit,
        "form": made.form.value,
        "bytes": len(made.encoded.data),
        "counted": made.counted,
        "forms": {form.value: size for form, size in made.sizes.items()},
        "fodder": [
            {"gene": entry.fodder.gene, "name": entry.fodder.name, "bytes": entry.size}
            for entry in made.entries
        ],
        "other": made.other,
    }


KINDS: Final = (wording.USER_DATA_BUDGET,)


def budget(made: Payload, span: Span | None) -> tuple[Diagnostic, ...]:
    """Findings on the size of user-data: none below nine tenths of the limit.

    `span` is where the catlet has its fodder.
    """
    limit = made.platform.limit
    if limit is None or (made.form is Form.SEED and made.counted < limit * _NEARLY):
        return ()
    level = Level.NOTE if made.fits else Level.ERROR if made.platform.firm else Level.WARNING
    return (
        wording.user_data_budget(
            Own(made.platform.title),
            Own(made.form.value),
            made.counted,
            limit,
            tuple((Own(form.value), size) for form, size in made.sizes.items()),
            tuple((said_entry(entry.fodder), entry.size) for entry in made.largest()),
            level,
            span,
            in_base64=made.counted != len(made.encoded.data),
        ),
    )
