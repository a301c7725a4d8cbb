"""Whether it is a registry that answers somewhere, by what it says at `/v2/`."""

from __future__ import annotations

from eryphc.genepool.oci.answers import is_base_of_registry, is_of_registry
from eryphc.net.addresses import Address
from eryphc.net.client import ERROR_BODY, Client
from eryphc.net.faults import Failed, RequestFailedError
from eryphc.net.messages import Answer, Request
from eryphc.net.timing import Deadline


class Base:
    """The root of one registry, which is asked at most once. Threads may share it."""

    def __init__(self, client: Client, root: Address) -> None:
        self._client = client
        self._root = root
        self._is_registry: bool | None = None

    def is_behind(self, answer: Answer, deadline: Deadline) -> bool:
        """Whether who answers "not there" is a registry. Raises RequestFailedError.

        Some registries say it in plain text as any web server does. Then `/v2/` is asked.
        """
        if self._is_registry or is_of_registry(answer):
            return True
        if self._is_registry is None:
            request = Request("GET", self._root._replace(path="/v2/"))
            try:
                base = self._client.ask(request, deadline, ERROR_BODY)
            except RequestFailedError as failure:
                if failure.failed is Failed.TOO_SLOW:
                    raise
                # What registries say there is short. A broken connection decides nothing.
                return failure.failed not in (Failed.TOO_LARGE, Failed.ENCODED)
            self._is_registry = is_base_of_registry(base)
        return self._is_registry
