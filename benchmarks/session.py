"""What an editor waits for at each key: a specification compiled again in an open session.

Prints the CPU seconds of one compile after an edit, the median of many.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

from eryphc import Session, Source

ROUNDS = 60


def main() -> None:
    path = Path(sys.argv[1])
    text = path.read_text(encoding="utf-8")
    session = Session(path.parent, environment={})
    session.compile(Source(path.name, text))
    spent = []
    for number in range(ROUNDS):
        # Each edit is another text: nothing that was made of the whole can be used again.
        source = Source(path.name, f"{text}# {number}\n")
        before = time.process_time()
        compiled = session.compile(source)
        spent.append(time.process_time() - before)
        if not compiled.ok:
            sys.exit(f"{path} does not compile")
    print(median(spent))


if __name__ == "__main__":
    main()
