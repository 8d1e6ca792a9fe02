"""A local server that speaks the Hugging Face Hub's HTTP API as its clients `huggingface_hub` and `datasets` use it.

Covered: whoami-v2, repos/create, validate-yaml, repo info, refs, tree, paths-info, preupload, git-lfs batch with
single and multipart uploads, commit (ndjson, parentCommit), branches, tags, pull requests, resolve. Answers, status
codes and error headers are those of the real one. Not covered: Xet (clients run with HF_HUB_DISABLE_XET=1), pages of
long lists, Spaces, settings.
"""

import asyncio
import base64
import fnmatch
import hashlib
import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from hub_faults import Fault, Refused
from hub_store import Account, Committed, PullRequest, Repo, Store, Stored

Answerer = Callable[[web.Request], Awaitable[web.StreamResponse]]
REPO = "/api/{kind:models|datasets|spaces}/{owner}/{name}"
FILES = ("/{owner}/{name}", "/{kind:datasets|spaces}/{owner}/{name}")


class HubServer:
    """The server's behaviour. `requests` are those that came, as `METHOD /path`; `sent` counts uploaded bytes."""

    def __init__(self) -> None:
        self.store = Store()
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.sent = 0
        self.part_bytes: int | None = None  # larger uploads come in parts
        self.large: tuple[str, ...] = (".parquet",)  # endings of what goes into large-file storage
        self.url = ""
        self._parts: dict[str, dict[int, bytes]] = {}

    def repo(self, name: str, kind: str = "dataset") -> Repo:
        return self.store.repos[kind, name]

    def count(self, request: str) -> int:
        """How many requests match."""
        return sum(re.search(request, line) is not None for line in self.requests)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**30, middlewares=[self._with_faults])
        add = app.router.add_route
        add("GET", "/api/whoami-v2", self._whoami)
        add("POST", "/api/repos/create", self._create)
        add("POST", "/api/validate-yaml", self._validate)
        add("GET", REPO, self._info)
        add("GET", REPO + "/revision/{revision}", self._info)
        add("GET", REPO + "/refs", self._refs)
        add("GET", REPO + "/tree/{revision}", self._tree)
        add("GET", REPO + "/tree/{revision}/{path:.*}", self._tree)
        add("POST", REPO + "/paths-info/{revision}", self._paths_info)
        add("POST", REPO + "/preupload/{revision}", self._preupload)
        add("POST", REPO + "/commit/{revision}", self._commit)
        add("POST", REPO + "/branch/{branch}", self._branch)
        add("POST", REPO + "/tag/{revision}", self._tag)
        add("GET", REPO + "/discussions", self._discussions)
        for prefix in FILES:
            add("POST", prefix + ".git/info/lfs/objects/batch", self._batch)
            app.router.add_get(prefix + "/resolve/{revision}/{path:.*}", self._resolve)  # and HEAD
        add("PUT", "/lfs/{oid}", self._put)
        add("PUT", "/lfs/{oid}/{part}", self._put)
        add("POST", "/lfs/{oid}", self._complete)
        app.router.add_get("/cdn/{oid}", self._download)
        return app

    @web.middleware
    async def _with_faults(self, request: web.Request, handler: Answerer) -> web.StreamResponse:
        line = f"{request.method} {request.rel_url.path}"
        self.requests.append(line)
        fault = next((fault for fault in self.faults if fault.meets(line)), None)
        if fault is not None and fault.action is not None:
            fault.action()
        if fault is not None and fault.silent:
            await asyncio.sleep(1)  # longer than a test waits
        if fault is not None and fault.cut:
            await request.content.readany()
            return self._cut(request)
        if fault is not None and fault.status is not None:
            await request.read()
            return web.Response(
                status=fault.status, text=fault.body, headers=fault.headers, content_type="application/json"
            )
        try:
            response = await handler(request)
        except Refused as refused:
            response = refused.response
        return self._cut(request) if fault is not None and fault.lost else response

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _account(self, request: web.Request) -> Account | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        account = self.store.accounts.get(header.removeprefix("Bearer "))
        if account is None or account.expired:
            raise Refused(401, "Invalid credentials in Authorization header")
        return account

    def _repo(self, request: web.Request, *, write: bool = False) -> Repo:
        account = self._account(request)
        kind = request.match_info.get("kind", "models").removesuffix("s")
        name = f"{request.match_info['owner']}/{request.match_info['name']}"
        repo = self.store.repos.get((kind, name))
        if repo is None or (repo.private and (account is None or not account.may_read(repo))):
            if account is None:
                raise Refused(401, "Invalid username or password.")
            raise Refused(404, "Repository not found", "RepoNotFound")
        if repo.disabled:
            raise Refused(403, "Access to this resource is disabled.")
        own = account is not None and account.may_write(name)
        if repo.gated and not own:
            raise Refused(403, f"Access to {kind} {name} is restricted", "GatedRepo")
        if write and not own:
            raise Refused(403, "You don't have the required permissions to perform this action", None)
        return repo

    def _revision(self, repo: Repo, request: web.Request) -> Committed:
        found = repo.resolve(request.match_info.get("revision", "main"))
        if found is None:
            raise Refused(404, f"Invalid rev id: {request.match_info['revision']}", "RevisionNotFound")
        return found

    async def _whoami(self, request: web.Request) -> web.Response:
        account = self._account(request)
        if account is None:
            raise Refused(401, "Invalid username or password.")
        return web.json_response(account.whoami())

    async def _create(self, request: web.Request) -> web.Response:
        account, body = self._account(request), await request.json()
        assert account is not None
        name, kind = f"{body['organization'] or account.name}/{body['name']}", body.get("type", "model")
        if not account.may_write(name):
            raise Refused(
                403, f'You don\'t have the rights to create a {kind} under the namespace "{body["organization"]}"'
            )
        url = f"{self.url}/{'datasets/' if kind == 'dataset' else ''}{name}"
        if (kind, name) in self.store.repos:
            raise Refused(409, f"You already created this {kind} repo: {name}", url=url)
        self.store.create(name, kind, private=body.get("visibility") == "private", author=account.name)
        return web.json_response({"url": url, "name": name})

    async def _validate(self, request: web.Request) -> web.Response:
        content = (await request.json())["content"]
        if re.search(r"^license: *nonsense", content, re.MULTILINE):
            errors = [{"message": '"license" must be one of [apache-2.0, mit, ...]'}]
            return web.json_response({"errors": errors, "warnings": []}, status=400)
        empty = not content.startswith("---\n")
        warnings = [{"message": "empty or missing yaml metadata in repo card"}] if empty else []
        return web.json_response({"errors": [], "warnings": warnings})

    async def _info(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        found = self._revision(repo, request)
        siblings = [{"rfilename": path} for path in found.files]
        info: dict[str, Any] = {"_id": "0", "id": repo.name, "author": repo.name.partition("/")[0], "sha": found.oid}
        info |= {"private": repo.private, "gated": False, "disabled": False, "siblings": siblings, "tags": []}
        return web.json_response(info | {"lastModified": "2026-01-01T00:00:00.000Z", "downloads": 0, "likes": 0})

    async def _refs(self, request: web.Request) -> web.Response:
        repo = self._repo(request)
        named = {"branches": ("heads", repo.branches), "tags": ("tags", repo.tags)}
        refs: dict[str, Any] = {
            key: [{"name": name, "ref": f"refs/{place}/{name}", "targetCommit": oid} for name, oid in found.items()]
            for key, (place, found) in named.items()
        }
        return web.json_response({**refs, "converts": [], "pullRequests": []})

    async def _tree(self, request: web.Request) -> web.Response:
        files = self._revision(self._repo(request), request).files
        folder = request.match_info.get("path", "")
        if folder and not any(path.startswith(f"{folder}/") for path in files):
            raise Refused(404, f"{folder} does not exist", "EntryNotFound")
        recursive = request.query.get("recursive") == "true"
        return web.json_response(list(self._entries(files, folder, recursive)))

    @staticmethod
    def _entries(files: Any, folder: str, recursive: bool) -> Iterator[dict[str, Any]]:
        prefix = f"{folder}/" if folder else ""
        below = {path: file for path, file in files.items() if path.startswith(prefix)}
        folders = {path[: at.start()] for path in below for at in re.finditer("/", path) if at.start() >= len(prefix)}
        for path in sorted(folders):
            if recursive or "/" not in path[len(prefix) :]:
                yield {"type": "directory", "oid": hashlib.sha1(path.encode()).hexdigest(), "size": 0, "path": path}
        for path, file in below.items():
            if recursive or "/" not in path[len(prefix) :]:
                yield entry(path, file)

    async def _paths_info(self, request: web.Request) -> web.Response:
        files = self._revision(self._repo(request), request).files
        if request.content_type == "application/json":
            asked = (await request.json())["paths"]
        else:
            asked = [str(path) for path in (await request.post()).getall("paths")]
        found: list[Any] = [entry(path, files[path]) for path in asked if path in files]
        found += [
            {"type": "directory", "oid": "0" * 40, "size": 0, "path": path}
            for path in asked
            if any(each.startswith(f"{path}/") for each in files)
        ]
        return web.json_response(found)

    async def _preupload(self, request: web.Request) -> web.Response:
        repo = self._repo(request, write="create_pr" not in request.query)
        there = self._revision(repo, request).files
        ignored = there[".gitignore"].data.decode().split() if ".gitignore" in there else []
        files = []
        for file in (await request.json())["files"]:
            path = file["path"]
            large = path.endswith(self.large) or file["size"] > 10 * 2**20
            digest = (there[path].sha256 if there[path].large else there[path].blob_id) if path in there else None
            files.append(
                {
                    "path": path,
                    "uploadMode": "lfs" if large else "regular",
                    "shouldIgnore": any(fnmatch.fnmatch(path, pattern) for pattern in ignored),
                    "oid": digest,
                }
            )
        return web.json_response({"files": files})

    async def _batch(self, request: web.Request) -> web.Response:
        self._repo(request)
        objects = []
        for each in (await request.json())["objects"]:
            found = {"oid": each["oid"], "size": each["size"]}
            if each["oid"] not in self.store.objects:
                found["actions"] = {"upload": self._upload_action(each["oid"], each["size"])}
            objects.append(found)
        return web.json_response({"transfer": "basic", "objects": objects})

    def _upload_action(self, oid: str, size: int) -> dict[str, Any]:
        signed = "X-Amz-Signature=very-secret-signature"
        if self.part_bytes is None or size <= self.part_bytes:
            return {"href": f"{self.url}/lfs/{oid}?{signed}"}
        parts = {str(at + 1): f"{self.url}/lfs/{oid}/{at + 1}?{signed}" for at in range(-(-size // self.part_bytes))}
        return {"href": f"{self.url}/lfs/{oid}", "header": {"chunk_size": str(self.part_bytes), **parts}}

    async def _put(self, request: web.Request) -> web.Response:
        data, oid = await request.read(), request.match_info["oid"]
        self.sent += len(data)
        if "part" in request.match_info:
            self._parts.setdefault(oid, {})[int(request.match_info["part"])] = data
        else:
            self._keep(oid, data)
        return web.Response(headers={"ETag": f'"{hashlib.md5(data).hexdigest()}"'})

    async def _complete(self, request: web.Request) -> web.Response:
        body, parts = await request.json(), self._parts.pop(request.match_info["oid"])
        assert [part["partNumber"] for part in body["parts"]] == sorted(parts)
        self._keep(body["oid"], b"".join(parts[number] for number in sorted(parts)))
        return web.json_response({})

    def _keep(self, oid: str, data: bytes) -> None:
        if hashlib.sha256(data).hexdigest() != oid:
            raise Refused(400, "the content does not have the announced SHA-256")
        self.store.objects[oid] = data

    async def _commit(self, request: web.Request) -> web.Response:
        proposal = "create_pr" in request.query
        repo, account = self._repo(request, write=not proposal), self._account(request)
        assert account is not None
        lines = [json.loads(line) for line in (await request.text()).splitlines()]
        header = lines[0]["value"]
        before = self._revision(repo, request)
        parent = header.get("parentCommit", before.oid)
        if parent != before.oid and not proposal:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.commits[parent].files)
        for line in lines[1:]:
            self._apply(files, line["key"], line["value"])
        made = repo.commit(files, header["summary"], account.name, parent)
        url = f"{self.url}/{'datasets/' if repo.kind == 'dataset' else ''}{repo.name}"
        answer = {"success": True, "commitUrl": f"{url}/commit/{made.oid}", "commitOid": made.oid}
        if proposal:
            number = len(repo.pull_requests) + 1
            repo.pull_requests[number] = PullRequest(number, header["summary"], account.name, made.oid)
            return web.json_response({**answer, "pullRequestUrl": f"{url}/discussions/{number}"})
        repo.branches[request.match_info["revision"]] = made.oid
        return web.json_response(answer)

    def _apply(self, files: dict[str, Stored], key: str, value: dict[str, Any]) -> None:
        path = value["path"]
        if key == "file":
            files[path] = Stored(base64.b64decode(value["content"]), large=False)
        elif key == "lfsFile":
            if value["oid"] not in self.store.objects:
                raise Refused(400, "LFS pointer pointed to a file that does not exist")
            files[path] = Stored(self.store.objects[value["oid"]], large=True)
        elif files.pop(path, None) is None:
            raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")

    async def _branch(self, request: web.Request) -> web.Response:
        repo, name = self._repo(request, write=True), request.match_info["branch"]
        if name in repo.branches:
            raise Refused(409, f"Reference already exists: {name}")
        start = repo.resolve((await request.json()).get("startingPoint", "main"))
        assert start is not None
        repo.branches[name] = start.oid
        return web.json_response({})

    async def _tag(self, request: web.Request) -> web.Response:
        repo, name = self._repo(request, write=True), (await request.json())["tag"]
        if name in repo.tags:
            raise Refused(409, f"Tag reference already exists: {name}")
        repo.tags[name] = self._revision(repo, request).oid
        return web.json_response({})

    async def _discussions(self, request: web.Request) -> web.Response:
        repo, author = self._repo(request), request.query.get("author")
        found = [
            {
                "num": proposal.number,
                "title": proposal.title,
                "author": {"name": proposal.author},
                "createdAt": "2026-01-01T00:00:00.000Z",
                "status": proposal.status,
                "repo": {"name": repo.name, "type": repo.kind},
                "isPullRequest": True,
            }
            for proposal in reversed(repo.pull_requests.values())
            if proposal.author == author and proposal.status == request.query.get("status", proposal.status)
        ]
        return web.json_response({"discussions": found, "count": len(found), "start": 0})

    async def _resolve(self, request: web.Request) -> web.Response:
        found = self._revision(self._repo(request), request)
        file = found.files.get(request.match_info["path"])
        if file is None:
            raise Refused(404, "Entry not found", "EntryNotFound")
        headers = {"X-Repo-Commit": found.oid, "Accept-Ranges": "bytes", "ETag": f'"{file.blob_id}"'}
        if not file.large:
            return web.Response(body=file.data, headers=headers)
        headers |= {"X-Linked-Size": str(len(file.data)), "X-Linked-Etag": f'"{file.sha256}"'}
        # Another host, as the real one's storage is: clients take size and commit from this answer, not from there.
        headers["Location"] = f"{self.url.replace('127.0.0.1', 'localhost')}/cdn/{file.sha256}"
        self.store.objects.setdefault(file.sha256, file.data)
        return web.Response(status=302, headers=headers)

    async def _download(self, request: web.Request) -> web.Response:
        data, asked = self.store.objects[request.match_info["oid"]], request.http_range
        if asked.start is None:
            return web.Response(body=data, headers={"Accept-Ranges": "bytes"})
        start, stop, _ = asked.indices(len(data))
        headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"}
        return web.Response(status=206, body=data[asked], headers=headers)


def entry(path: str, file: Stored) -> dict[str, Any]:
    """A file as the API lists it."""
    found: dict[str, Any] = {"type": "file", "oid": file.blob_id, "size": len(file.data), "path": path}
    if file.large:
        found["lfs"] = {"oid": file.sha256, "size": len(file.data), "pointerSize": len(file.pointer)}
    return found


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """A running Hub with nobody's repos, in a thread; the token `hf_write` is that of the user `me`."""
    server, loop, ready, stop = HubServer(), asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def run() -> None:
        runner = web.AppRunner(server.app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
