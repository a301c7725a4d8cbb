"""A registry that does what the real one cannot: rules of other registries, as data, and faults.

Sources: https://docs.gitlab.com/user/packages/container_registry/;
https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from net.server import Handler, Route, Server, serving

OCI = "application/vnd.oci.image."
DOCKER = "application/vnd.docker."
IMAGE_TYPES = frozenset(
    {
        f"{OCI}manifest.v1+json", f"{OCI}index.v1+json", f"{OCI}config.v1+json",
        f"{OCI}layer.v1.tar", f"{OCI}layer.v1.tar+gzip", f"{OCI}layer.v1.tar+zstd",
        f"{DOCKER}distribution.manifest.v2+json", f"{DOCKER}distribution.manifest.list.v2+json",
        f"{DOCKER}container.image.v1+json", f"{DOCKER}image.rootfs.diff.tar.gzip",
    }
)  # fmt: skip
GITLAB_TYPES = IMAGE_TYPES | {
    "application/vnd.oci.empty.v1+json", "application/vnd.cncf.helm.config.v1+json",
    "application/vnd.in-toto+json", "application/vnd.dsse.envelope.v1+json",
    "application/vnd.cyclonedx+json", "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/octet-stream", "application/json", "application/x-yaml",
}  # fmt: skip
QUAY_CONFIGS = frozenset(
    {f"{OCI}config.v1+json", "application/vnd.cncf.helm.config.v1+json",
     "application/vnd.cncf.helm.chart.content.v1.tar+gzip"}
)  # fmt: skip
QUAY_LAYERS = frozenset(
    {f"{OCI}layer.v1.tar", f"{OCI}layer.v1.tar+gzip", f"{OCI}layer.v1.tar+zstd",
     "application/vnd.dev.cosign.simplesigning.v1+json", "application/vnd.dsse.envelope.v1+json",
     "application/vnd.in-toto+json", "application/vnd.cyclonedx+json"}
)  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """What one registry refuses. `auth` is `none`, `basic` or `bearer`."""

    auth: str = "none"
    levels: tuple[int, int] = (1, 99)
    configs: frozenset[str] | None = None
    layers: frozenset[str] | None = None
    refuses_artifact_type: bool = False
    detail_is_object: bool = False
    repositories: frozenset[str] | None = None
    projects: frozenset[str] | None = None
    replaced: tuple[int, str] | None = None
    head_needs_push: bool = False
    old_schema_without_accept: bool = False
    most_pulls: int | None = None
    quota: int | None = None


PROFILES = {
    "plain": Profile(),
    "gitlab": Profile(
        auth="bearer", levels=(2, 4), configs=GITLAB_TYPES, layers=GITLAB_TYPES,
        refuses_artifact_type=True,
    ),
    "quay": Profile(
        auth="bearer", configs=QUAY_CONFIGS, layers=QUAY_LAYERS, replaced=(409, "TAG_IMMUTABLE"),
        head_needs_push=True, old_schema_without_accept=True, detail_is_object=True,
    ),
    "dockerhub": Profile(auth="bearer", levels=(2, 2)),
    "ecr": Profile(
        auth="basic", repositories=frozenset({"acme/motd"}), replaced=(400, "TAG_INVALID")
    ),
    "harbor": Profile(auth="bearer", projects=frozenset({"acme"}), replaced=(412, "PRECONDITION")),
}  # fmt: skip

USER, PASSWORD = "me", "pä:ss"
SERVICE = "fake"


@dataclass
class Fake:
    """One registry. `faults` are answers that take the place of its own: the first whose pattern
    fits method and path is used up.
    """

    server: Server
    profile: Profile
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    faults: list[tuple[str, Route]] = field(default_factory=list)
    # -- switches ---------------------------------------------------------------------------
    realm: str | None = None
    challenges: tuple[str, ...] = ()
    refresh_token: str | None = None
    account: str | None = None
    anonymous: bool = False
    blob_host: Server | None = None
    location: str = "absolute"
    upload_host: Server | None = None
    data_refused: bool = False
    policy: bool = False
    immutable: bool = False
    least_chunk: int | None = None
    page: int = 1000
    warning: str | None = None
    pulls: int = 0
    tokens: dict[str, str] = field(default_factory=dict)

    def fault(self, pattern: str, *routes: Route) -> None:
        self.faults += [(pattern, route) for route in routes]

    def collect(self) -> None:
        """Forget the manifests that no tag names, as Quay does after a while."""
        kept = {data for (_, tag), (_, data) in self.manifests.items() if ":" not in tag}
        self.manifests = {key: found for key, found in self.manifests.items() if found[1] in kept}

    # -- one request ------------------------------------------------------------------------

    def route(self, handler: Handler) -> None:
        parts = urlsplit(handler.path)
        for index, (pattern, route) in enumerate(self.faults):
            if re.search(pattern, f"{handler.command} {parts.path}"):
                del self.faults[index]
                route(handler)
                return
        if parts.path == "/token":
            self._token(handler)
            return
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match = re.fullmatch(r"/v2/(.+)/(manifests|blobs/uploads|blobs|tags)/(.*)", parts.path)
        if parts.path == "/v2/" and self.profile.auth == "none":
            handler.answer(200)
        elif parts.path == "/v2/":
            self._challenge(handler, "any")
        elif match is None:
            handler.answer(404, b"404 page not found\n")
        elif self._passes(handler, match[1], writes=match[2] == "blobs/uploads"):
            getattr(self, f"_{match[2].replace('/', '_')}")(handler, match[1], match[3], query)

    def _passes(self, handler: Handler, repository: str, *, writes: bool) -> bool:
        profile = self.profile
        levels = repository.count("/") + 1
        project = repository.partition("/")[0]
        reached = profile.levels[0] <= levels <= profile.levels[1]
        if profile.projects is not None:
            reached = reached and project in profile.projects
        if not reached or not self._authorized(handler, repository, writes=writes):
            self._challenge(handler, repository)
        elif profile.repositories is not None and repository not in profile.repositories:
            message = f"The repository with name '{repository}' does not exist"
            self.error(handler, 404, "NAME_UNKNOWN", message)
        else:
            return True
        return False

    def _authorized(self, handler: Handler, repository: str, *, writes: bool) -> bool:
        sent = handler.headers.get("Authorization", "")
        if self.profile.auth == "none":
            return True
        if self.profile.auth == "basic":
            return sent == self._account
        scope = self.tokens.get(sent.removeprefix("Bearer "), "")
        name, _, actions = scope.removeprefix("repository:").rpartition(":")
        wanted = "push" if writes or handler.command == "PUT" else "pull"
        known = any(each == repository for each, _ in self.manifests)
        if self.profile.head_needs_push and handler.command == "HEAD" and not known:
            wanted = "push"
        return name == repository and wanted in actions.split(",")

    def _challenge(self, handler: Handler, repository: str) -> None:
        body = errors("UNAUTHORIZED", "authentication required")
        realm = self.realm or f"{self.server.address}/token"
        handler.send_response_only(401)
        usual = (
            'Basic realm="fake"'
            if self.profile.auth == "basic"
            else f'Bearer realm="{realm}",service="{SERVICE}",scope="repository:{repository}:pull"'
        )
        for each in (*self.challenges, usual):
            handler.send_header("WWW-Authenticate", each)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    @property
    def _account(self) -> str:
        return self.account or basic(USER, PASSWORD)

    def _token(self, handler: Handler) -> None:
        """Grants all that is asked to the one user, to others nothing."""
        form = parse_qs(handler.body.decode() or urlsplit(handler.path).query)
        if handler.command == "POST":
            right = form.get("refresh_token") == [self.refresh_token]
        else:
            sent = handler.headers.get("Authorization")
            right = sent == self._account or (self.anonymous and sent is None)
        if not right:
            handler.answer(401, errors("UNAUTHORIZED", "incorrect username or password"))
            return
        # Keycloak grants the first scope alone.
        token = f"token{len(self.tokens)}"
        self.tokens[token] = form["scope"][0]
        handler.answer(200, json.dumps({"token": token, "expires_in": 300}).encode())

    def error(
        self, handler: Handler, status: int, code: str, message: str = "", detail: Any = None
    ) -> None:
        handler.answer(status, errors(code, message, detail), Content_Type="application/json")

    # -- resources --------------------------------------------------------------------------

    def _tags(self, handler: Handler, repository: str, what: str, query: dict[str, str]) -> None:
        names = sorted(tag for name, tag in self.manifests if name == repository and ":" not in tag)
        if what != "list" or not names:
            self.error(handler, 404, "NAME_UNKNOWN")
            return
        page = min(self.page, int(query.get("n", "100")))
        rest = [name for name in names if name > query.get("last", "")]
        extra = {}
        if len(rest) > page:
            to = f"/v2/{repository}/tags/list?n={page}&last={rest[page - 1]}"
            extra["Link"] = f'<{to}>; rel="next"'
        body = json.dumps({"name": repository, "tags": rest[:page]}).encode()
        handler.answer(200, body, Content_Type="application/json", **extra)

    def _manifests(self, handler: Handler, repository: str, name: str, _: dict[str, str]) -> None:
        if handler.command == "PUT":
            self._put_manifest(handler, repository, name)
            return
        if self.profile.most_pulls is not None and handler.command == "GET":
            self.pulls += 1
            if self.pulls > self.profile.most_pulls:
                handler.answer(429, errors("TOOMANYREQUESTS", "slow down"), Retry_After="21600")
                return
        if self.policy:
            self.error(handler, 412, "PROJECTPOLICYVIOLATION", "the image is not scanned")
            return
        found = self.manifests.get((repository, name))
        if found is None:
            self.error(handler, 404, "MANIFEST_UNKNOWN", f"manifest {name} is unknown")
            return
        kind, data = found
        if self.profile.old_schema_without_accept and kind not in handler.headers.get("Accept", ""):
            kind = f"{DOCKER}distribution.manifest.v1+prettyjws"
        digest = digest_of(data)
        extra = {"Warning": self.warning} if self.warning else {}
        headers = {"Content_Type": kind, "Docker_Content_Digest": digest, "ETag": f'"{digest}"'}
        if handler.command == "HEAD":
            handler.head(200, len(data), **headers)
        else:
            handler.answer(200, data, **headers, **extra)

    def _put_manifest(self, handler: Handler, repository: str, name: str) -> None:
        data, kind = handler.body, handler.headers["Content-Type"]
        document = json.loads(data)
        refused = self._refused(document, kind)
        if refused is not None:
            detail: Any = {"message": f"failed to parse manifest: {refused}"}
            if not self.profile.detail_is_object:
                detail = refused
            self.error(handler, 400, "MANIFEST_INVALID", "manifest invalid", detail)
            return
        for each in (document.get("config"), *document.get("layers", ())):
            if each is not None and (repository, each["digest"]) not in self.blobs:
                self.error(handler, 400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
                return
        digest = digest_of(data)
        there = self.manifests.get((repository, name))
        if there is not None and there[1] != data and self.immutable and self.profile.replaced:
            status, code = self.profile.replaced
            self.error(handler, status, code, f"the tag {name} is immutable")
            return
        self.manifests[repository, name] = self.manifests[repository, digest] = (kind, data)
        handler.answer(201, Docker_Content_Digest=digest, Location=f"/v2/{repository}/x")

    def _refused(self, document: dict[str, Any], kind: str) -> str | None:
        config = document.get("config", {}).get("mediaType")
        layers = [each["mediaType"] for each in document.get("layers", ())]
        if self.profile.refuses_artifact_type and "artifactType" in document:
            return f"unknown media type: {document['artifactType']}"
        for known, types in ((self.profile.configs, [config]), (self.profile.layers, layers)):
            for each in types:
                if known is not None and each is not None and each not in known:
                    return f"unknown media type: {each}"
        if self.data_refused and b'"data"' in json.dumps(document).encode():
            return "unknown member: data"
        return None if kind in IMAGE_TYPES else f"unknown media type: {kind}"

    def _blobs(self, handler: Handler, repository: str, digest: str, _: dict[str, str]) -> None:
        data = self.blobs.get((repository, digest))
        if data is None:
            self.error(handler, 404, "BLOB_UNKNOWN", "blob unknown to registry")
        elif self.blob_host is not None and handler.command == "GET":
            path = f"/storage/{digest}"
            self.blob_host.routes[path] = stored(data)
            handler.answer(307, Location=f"{self.blob_host.address}{path}?signature=s3cret")
        else:
            ranged(handler, data)

    def _blobs_uploads(
        self, handler: Handler, repository: str, name: str, query: dict[str, str]
    ) -> None:
        if handler.command == "POST":
            name = f"u{len(self.uploads)}"
            self.uploads[name] = bytearray()
            headers = {"Location": self._place(repository, name)}
            if self.least_chunk is not None:
                headers["OCI_Chunk_Min_Length"] = str(self.least_chunk)
            handler.answer(202, b"", **headers)
            return
        upload = self.uploads.get(name)
        if upload is None:
            self.error(handler, 404, "BLOB_UPLOAD_UNKNOWN")
            return
        if handler.command == "PATCH":
            if handler.headers["Content-Range"].partition("-")[0] != str(len(upload)):
                handler.answer(416)
                return
            upload += handler.body
            handler.answer(202, Location=self._place(repository, name))
            return
        data = bytes(upload) + handler.body
        if digest_of(data) != query["digest"]:
            self.error(handler, 400, "DIGEST_INVALID")
        elif self.profile.quota is not None and len(data) > self.profile.quota:
            message = "adding it will exceed the configured upper limit of storage"
            self.error(handler, 403, "DENIED", message)
        else:
            self.blobs[repository, query["digest"]] = data
            handler.answer(201, Location=f"/v2/{repository}/blobs/{query['digest']}")

    def _place(self, repository: str, name: str) -> str:
        path = f"/v2/{repository}/blobs/uploads/{name}?_state=a%2Bb"
        if self.upload_host is not None:
            self.upload_host.otherwise = lambda handler: self._blobs_uploads(
                handler,
                repository,
                urlsplit(handler.path).path.rpartition("/")[2],
                {key: each[0] for key, each in parse_qs(urlsplit(handler.path).query).items()},
            )
            return f"{self.upload_host.address}{path}"
        return path if self.location == "relative" else f"{self.server.address}{path}"


def stored(data: bytes) -> Route:
    """A store of content that refuses whoever brings a login, as S3 and Azure do."""

    def route(handler: Handler) -> None:
        if "Authorization" in handler.headers:
            handler.answer(400, b"<Error><Code>InvalidArgument</Code></Error>")
        else:
            ranged(handler, data)

    return route


def ranged(handler: Handler, data: bytes) -> None:
    tag = f'"{digest_of(data)}"'
    asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if asked and handler.headers.get("If-Range") == tag:
        start = int(asked[1])
        place = f"bytes {start}-{len(data) - 1}/{len(data)}"
        handler.answer(206, data[start:], ETag=tag, Content_Range=place)
    else:
        handler.head(200, len(data), ETag=tag, Content_Type="application/octet-stream")
        if handler.command != "HEAD":
            handler.wfile.write(data)


def errors(code: str, message: str = "", detail: Any = None) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message, "detail": detail}]}).encode()


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@contextmanager
def faking(profile: str = "plain") -> Iterator[Fake]:
    with serving() as server:
        fake = Fake(server, PROFILES[profile])
        server.otherwise = fake.route
        yield fake
