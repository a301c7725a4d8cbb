"""Reports as text for people, and progress on standard error."""

from __future__ import annotations

import unicodedata
from typing import Any, TextIO


def shown(value: Any) -> str:
    """A value as text on one line: what steers a terminal is written as an escape."""
    text = {None: "nothing", True: "on", False: "off"}.get(value) if _flag(value) else None
    if text is None:
        text = str(value)
    return "".join(
        each if unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else _escape(each)
        for each in text
    )


def _flag(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _escape(each: str) -> str:
    return f"\\u{ord(each):04x}"


def text_report(report: dict[str, Any]) -> str:
    """The report of any command, for people; ends in a line feed unless it is empty."""
    if report["command"] == "ip":
        return "".join(f"{shown(each['address'])}\n" for each in report["addresses"])
    lines = []
    machine = report.get("machine")
    if machine is not None:
        lines.append(f"machine {shown(machine['name'])} ({machine['id']}): {machine['state']}")
    elif report["command"] in ("plan", "status"):
        lines.append("machine: does not exist")
    lines += [_change_line(change, machine) for change in report.get("changes", ())]
    if report["command"] == "plan" and not (report["changes"] or report["needs"]):
        lines.append("nothing to do")
    lines += [f"needed for apply: {shown(each)}" for each in report.get("needs", ())]
    for change in report.get("left", ()):
        lines.append(f"left, needs power off (--restart): {_what(change)}")
    if report["command"] == "plan" and report["needs_off"]:
        lines.append("some changes need power off: apply --restart does them")
    if "addresses" in report:
        lines += [
            f"address {shown(each['address'])} (from {each['source']})"
            for each in report["addresses"]
        ]
        if report.get("reason"):
            lines.append(f"no address: {shown(report['reason'])}")
    if "heartbeat" in report:
        lines.append(f"heartbeat: {shown(report['heartbeat'])}")
    if report.get("seal") in ("pending", "sealed"):
        lines.append(f"secrets: {'still on the ISO' if report['seal'] == 'pending' else 'sealed'}")
    if "removed" in report:
        removed = report["removed"]
        lines += [f"removed machine {removed['machine']}"] if removed["machine"] else []
        lines += [f"removed {shown(each)}" for each in (*removed["files"], *removed["folders"])]
        lines += [f"kept {shown(each)}" for each in report["kept"]]
        if not report["changed"]:
            lines.append("nothing to remove")
    lines += [f"note: {shown(each)}" for each in report.get("notes", ())]
    return "".join(f"{line}\n" for line in lines)


_SIGNS = {"create": "+", "change": "~", "remove": "-"}


def _change_line(change: dict[str, Any], machine: dict[str, Any] | None) -> str:
    running = machine is not None and machine["state"] != "Off"
    suffix = "  [needs power off]" if change["needs_off"] and running else ""
    return f"  {_SIGNS[change['kind']]} {_what(change)}{suffix}"


def _what(change: dict[str, Any]) -> str:
    named = f"{shown(change['object'])}: {shown(change['what'])}"
    match change["kind"]:
        case "create":
            return named if change["wanted"] is None else f"{named} = {shown(change['wanted'])}"
        case "remove":
            return f"{named} ({shown(change['read'])})"
        case _:
            return f"{named}: {shown(change['read'])} -> {shown(change['wanted'])}"


class Progress:
    """Tells of slow steps on standard error; a line for each ten percent."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._last: tuple[str, int] = ("", -1)

    def step(self, text: str) -> None:
        if not self._quiet:
            self._stream.write(f"{shown(text)}\n")
            self._stream.flush()

    def event(self, event: dict[str, Any]) -> None:
        percent = event.get("percent")
        message = shown(event.get("message") or event.get("action") or "")
        tens = percent // 10 if isinstance(percent, int) else 0
        if self._quiet or (message, tens) == self._last:
            return
        self._last = (message, tens)
        amount = f" {percent} %" if isinstance(percent, int) else ""
        self._stream.write(f"  {message}{amount}\n")
        self._stream.flush()
