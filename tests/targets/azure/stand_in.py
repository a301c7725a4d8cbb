"""A stand-in for `az` and `azcopy`: it notes how it was called and answers from a table.

    python stand_in.py NAME ARGUMENTS...

`STAND_IN` names a folder. `answers.json` there has rules: the words that a call begins with, and
answers of which each call takes the next, the last one for ever. An answer has `out`, `err`,
`code`, and `wait`, a number of seconds. `calls.jsonl` gets a line a call: name, arguments, what the
environment says of secrets and logins, and the files that arguments name by `@`, with their modes.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

WATCHED = ("AZCOPY_AUTO_LOGIN_TYPE", "AZURE_ADMIN_PASSWORD")


def main(name: str, arguments: list[str]) -> int:
    folder = Path(os.environ["STAND_IN"])
    files = {}
    for argument in arguments:
        path = Path(argument[1:])
        if argument.startswith("@") and path.is_file():
            mode = f"{path.stat().st_mode & 0o777:o} in {path.parent.stat().st_mode & 0o777:o}"
            files[argument[1:]] = [mode, path.read_text(encoding="utf-8")]
    call = {
        "name": name,
        "arguments": arguments,
        "environment": {key: os.environ[key] for key in WATCHED if key in os.environ},
        "files": files,
        "input": sys.stdin.read() if not sys.stdin.isatty() else "a terminal",
    }
    with (folder / "calls.jsonl").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps(call) + "\n")
    for number, rule in enumerate(json.loads((folder / "answers.json").read_text("utf-8"))):
        if [name, *arguments][: len(rule["words"])] == rule["words"]:
            count = folder / f"answered-{number}"
            done = int(count.read_text("utf-8")) if count.exists() else 0
            count.write_text(str(done + 1), "utf-8")
            answer = rule["answers"][min(done, len(rule["answers"]) - 1)]
            time.sleep(answer.get("wait", 0))
            sys.stdout.write(answer.get("out", ""))
            sys.stderr.write(answer.get("err", ""))
            return int(answer.get("code", 0))
    sys.stderr.write(f"{name}: there is no answer to {arguments}\n")
    return 2


if __name__ == "__main__":
    # Like other programs it ends with the run, also where its reader is gone.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
