"""Turns steps into requests: actions together, files one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eryph_runtime.clixml import error_words
from eryph_runtime.faults import HostError, HostFailure
from eryph_runtime.host import Action, Host, Step, Upload
from eryph_runtime.talk import Talk

# One request each: large enough to be quick, small enough for the program's memory.
_CHUNK = 4 * 1024 * 1024
_LONGEST_TEXT = 4000


def execute(host: Host, steps: list[Step], talk: Talk) -> None:
    """Execute the steps in order; stops at the first that fails. Raises HostFailure."""
    batch: list[Action] = []
    for step in steps:
        if isinstance(step, Action):
            batch.append(step)
            continue
        _run(host, batch, talk)
        batch = []
        _upload(host, step, talk)
    _run(host, batch, talk)


def execute_one(host: Host, action: Action, talk: Talk) -> Any:
    """Execute one action and give its value. Raises HostFailure."""
    return _run(host, [action], talk)


def _run(host: Host, batch: list[Action], talk: Talk) -> Any:
    if not batch:
        return None
    names = {f"a{index}": step for index, step in enumerate(batch)}
    request = [
        {"id": name, "action": step.action, "arguments": step.arguments}
        for name, step in names.items()
    ]
    answer = host.request(
        "run",
        {"actions": request},
        seconds=60 + sum(step.seconds for step in batch),
        events=talk.event,
    )
    value = None
    try:
        for result in answer["results"]:
            step = names.pop(result["id"])
            value = result["value"]
            if not result["ok"]:
                raise failure(step.action, result["error"])
    except (KeyError, TypeError):
        raise HostFailure("the host's program gave an answer of another shape") from None
    if names:
        raise HostFailure("the host's program ended before all steps were done")
    return value


def failure(step: str, error: Any) -> HostFailure:
    """What the host said, as an exception. The answer is a stranger's: a wrong type is nothing."""
    said: dict[str, Any] = error if isinstance(error, dict) else {}

    def text(key: str) -> str | None:
        value = said.get(key)
        return value[:_LONGEST_TEXT] if isinstance(value, str) and value else None

    number = said.get("hresult")
    told = HostError(
        step=text("step") or step,
        object=text("object"),
        category=text("category"),
        id=text("id"),
        hresult=number if isinstance(number, int) and not isinstance(number, bool) else None,
        message=error_words(text("message") or ""),
    )
    named = f" ({told.object})" if told.object else ""
    return HostFailure(f"the step `{told.step}`{named} failed: {told.message}", told)


def _upload(host: Host, upload: Upload, talk: Talk) -> None:
    """Send what the part file lacks, check all of it, and give it its name."""
    talk.step(f"sending {upload.path}")
    sha256 = _send(host, upload, upload.resume, talk)
    if sha256 != upload.sha256 and upload.resume:
        # An earlier run left a part of another file.
        sha256 = _send(host, upload, 0, talk)
    if sha256 != upload.sha256:
        raise HostFailure(f"{upload.path} arrived damaged: its SHA-256 is another")
    place = Action(
        action="place-part",
        arguments={
            "path": upload.path,
            "size": upload.size,
            "sha256": upload.sha256,
            "read_only": upload.read_only,
        },
        creates=upload.creates,
        seconds=1800,
    )
    _run(host, [place], talk)


def _send(host: Host, upload: Upload, offset: int, talk: Talk) -> object:
    """Send the rest from `offset` on; gives the SHA-256 of the whole, as the host computed it."""
    for chunk in _chunks(upload, offset):
        arguments = {"path": upload.path, "size": upload.size, "offset": offset}
        answer = host.request("receive", arguments, payload=chunk, seconds=1800, events=talk.event)
        offset += len(chunk)
        if upload.size > _CHUNK:
            percent = offset * 100 // upload.size
            talk.event({"action": "send", "percent": percent, "message": upload.path})
        if offset >= upload.size:
            return answer.get("sha256") if isinstance(answer, dict) else None
    return None


def _chunks(upload: Upload, offset: int) -> Iterator[bytes]:
    """The bytes from `offset` on; one empty chunk where nothing is left, to learn the hash."""
    if offset >= upload.size:
        yield b""
    elif upload.content is not None:
        for start in range(offset, len(upload.content), _CHUNK):
            yield upload.content[start : start + _CHUNK]
    else:
        with Path(upload.source or "").open("rb") as stream:
            stream.seek(offset)
            while chunk := stream.read(_CHUNK):
                yield chunk
