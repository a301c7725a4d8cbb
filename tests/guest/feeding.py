"""Fodder entries and requests for the tests of the guest's configuration."""

from __future__ import annotations

from typing import Any

from catlets import shown_code
from eryphc.guest.compose import compose
from eryphc.guest.document import GuestDocument, UserDataPart
from eryphc.guest.encode import Seed, nocloud, part_text
from eryphc.guest.model import GuestKind, GuestRequest
from eryphc.ir.catlet import Fodder
from eryphc.ir.content import Content, Written
from eryphc.source import SourceText, Span
from saying import said


def fodder(
    text: str | None,
    type: str | None = None,  # noqa: A002
    name: str | None = "food",
    **more: Any,
) -> Fodder:
    """A fodder entry whose document is its own text."""
    source = SourceText("web.yaml", text or "", regions=())
    span = Span(source, 0, len(source.text))
    content = None if text is None else Content(text, Written(span))
    return Fodder(name=name, type=type, content=content, **{"places": {"": span}, **more})


def request(
    *fodder_entries: Fodder, guest: GuestKind = GuestKind.LINUX, **more: Any
) -> GuestRequest:
    settings = {"hostname": "web", "instance_id": "i-1", **more}
    return GuestRequest(fodder_entries=fodder_entries, guest=guest, **settings)


def document(*fodder_entries: Fodder, **more: Any) -> GuestDocument:
    """The document of fodder entries that must compile."""
    outcome = compose(request(*fodder_entries, **more))
    assert outcome.value is not None, [said(found).message for found in outcome.diagnostics]
    return outcome.value


def seed(*fodder_entries: Fodder, **more: Any) -> Seed:
    return nocloud(document(*fodder_entries, **more))


def parts(*fodder_entries: Fodder, **more: Any) -> tuple[UserDataPart, ...]:
    return document(*fodder_entries, **more).parts


def text_of(part: UserDataPart) -> str:
    return part_text(part).text


def codes(*fodder_entries: Fodder, **more: Any) -> list[str]:
    """The codes of everything that is found, in the order found."""
    return [shown_code(found) for found in compose(request(*fodder_entries, **more)).diagnostics]
