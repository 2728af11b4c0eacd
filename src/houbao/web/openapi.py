"""The API's own document: OpenAPI 3.1, made of the operations and of the very records that read and write its JSON."""

import re
from collections.abc import Sequence
from typing import Any, get_type_hints

import msgspec
from litestar.handlers import HTTPRouteHandler

from houbao import __version__
from houbao.web.links import links
from houbao.web.operation import JSON, Nothing, Operation, is_public, operation_of
from houbao.web.problems import PROBLEM_JSON, Problem
from houbao.web.refusals import KNOWN

REF = "#/components/schemas/{name}"
OF_ANY = ("bad_request",)
"""Codes that every operation may be refused with."""

OF_KEYS = ("unauthenticated", "not_permitted")
OF_BODIES = ("bad_field", "unsupported_media", "too_large", "too_slow", "bad_reference", "bad_form")
OF_SERVERS = ("failed", "overloaded", "not_saved")

IDS = {
    "order_id": "^order_0_[0-9]{1,18}$",
    "dispute_id": "^dispute_0_[0-9]{1,18}$",
    "entry_id": "^entry_0_[0-9]{1,18}_[0-9]{1,9}$",
    "webhook_id": "^webhook_[0-9a-f]{12}$",
    "delivery_id": "^msg_0_[0-9]{1,18}$",
    "store_id": "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$",
    "version": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
    "digest": "^[0-9a-f]{64}$",
    "provider": "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$",
}
"""What the parts of paths look like."""

DESCRIPTION = """The after-sales guarantee of a marketplace: orders, disputes, the fund, stores and their scores.

Amounts are integer minor units with their currency; times RFC 3339 with a zone, told in UTC; ids name their part
(`dispute_0_47`), and `reference` is the caller's own. A refusal is a problem (RFC 9457) with a stable `code` and a
`hint`, and wrote nothing."""


def document(handlers: Sequence[Any], server: str = "/") -> dict[str, Any]:
    """The whole document of the operations among the handlers."""
    routes = [handler for handler in handlers if isinstance(handler, HTTPRouteHandler)]
    operations = [said for route in routes if (said := operation_of(route))]
    types = _types(operations)
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    known = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for said in operations:
        path = re.sub(r":\w+}", "}", said.path)
        described = _operation(said, known)
        if led := links(said, operations):
            described["responses"][str(said.status)]["links"] = led
        paths.setdefault(path, {})[said.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Houbao",
            "version": __version__,
            "summary": "The open-source after-sales guarantee for marketplaces",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "security": [{"key": []}, {"portal": []}, {"session": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(said.tag for said in operations)],
        "paths": paths,
        "components": {
            "schemas": components,
            "examples": {
                code: {"summary": hint, "value": _example(code, status, hint)} for code, (status, hint) in KNOWN.items()
            },
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key: `houbao keys add`."},
                "portal": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of `POST /v1/portal-sessions`, until its link is opened or over; or a"
                    " session's value.",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": "houbao_session"},
            },
        },
    }


def _types(operations: Sequence[Operation]) -> list[Any]:
    """Every type that goes in or out, once."""
    found: dict[int, Any] = {id(Problem): Problem}
    for said in operations:
        for kinds in (said.body, said.reply, *said.also.values()):
            for kind in kinds if isinstance(kinds, tuple) else (kinds,):
                if kind is not Nothing and kind is not bytes:
                    found[id(kind)] = kind
    return [*found.values()]


def _operation(said: Operation, known: dict[int, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": said.name,
        "tags": [said.tag],
        "summary": said.summary.split(". ")[0].rstrip("."),
        "description": said.summary,
        "parameters": [*_in_path(said), *_in_query(said), *_in_header(said)],
        "responses": {**_replies(said, known), **_refusals(said, known)},
    }
    if said.body is bytes:
        described["requestBody"] = {"required": True, "content": {said.takes: {"schema": {"type": "string"}}}}
    elif said.body is not Nothing:
        content: dict[str, Any] = {"schema": known[id(said.body)]}
        if said.example is not None:
            content["example"] = said.example
        described["requestBody"] = {"required": said.example is not None, "content": {JSON: content}}
    if is_public(said):
        described["security"] = []
    return described


def _in_path(said: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": IDS.get(name, "^[^/]+$")},
        }
        for name in re.findall(r"{(\w+):", said.path)
    ]


def _in_query(said: Operation) -> list[dict[str, Any]]:
    parameters = []
    if said.query is not Nothing:
        hints = get_type_hints(said.query, include_extras=True)
        for field in msgspec.structs.fields(said.query):
            schema = msgspec.json.schema(hints[field.name])
            if field.name in ("order_id", "dispute_id"):
                schema["pattern"] = f"^$|{IDS[field.name]}"
            parameters.append({"name": field.encode_name, "in": "query", "required": field.required, "schema": schema})
    if said.previews:
        about = "Say what would happen, and do nothing."
        schema = {"type": "boolean", "default": False}
        parameters.append({"name": "dry_run", "in": "query", "description": about, "schema": schema})
    return parameters


def knows_keys(said: Operation) -> bool:
    """Whether the operation is done once for a key, however often it is sent: then it can be refused for that, too."""
    return "key_reused" in said.refuses


REFERENCE = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,57}$"}


def _in_header(said: Operation) -> list[dict[str, Any]]:
    parameters = []
    if knows_keys(said):
        about = (
            "The same key with the same content is answered without doing it again; with other content it is refused."
        )
        parameters.append({"name": "Idempotency-Key", "in": "header", "description": about, "schema": REFERENCE})
    if said.tag == "dispute commands":
        about = "The ETag of the dispute as it was read: refused as `stale` where more has happened since."
        schema = {"type": "string", "pattern": '^"[0-9]{1,18}"$'}
        parameters.append({"name": "If-Match", "in": "header", "description": about, "schema": schema})
    if _knows_actors(said):
        about = "As whom a key acts, where it may act as several."
        schema = {"type": "string", "enum": ["buyer", "seller", "agent", "finance", "platform"]}
        parameters.append({"name": "Houbao-Actor", "in": "header", "description": about, "schema": schema})
    return parameters


def _knows_actors(said: Operation) -> bool:
    """Whether a key may say as whom it does that."""
    return said.tag == "dispute commands" or said.action in ("orders.write", "orders.goodwill")


def _replies(said: Operation, known: dict[int, Any]) -> dict[str, Any]:
    replies = {said.status: said.reply} | said.also
    told: dict[str, Any] = {}
    for status, kind in replies.items():
        media = said.media if kind is bytes else JSON
        if isinstance(kind, tuple):
            schema: dict[str, Any] = {"anyOf": [known[id(one)] for one in kind]}
        else:
            schema = {"type": "string"} if kind is bytes else known[id(kind)]
        told[str(status)] = {"description": _word(status), "content": {media: {"schema": schema}}}
    return told


def _word(status: int) -> str:
    return {
        200: "As asked.",
        201: "Made.",
        207: "One outcome for each item of the list.",
        503: "Not ready; `checks` say why.",
    }.get(status, "Answered.")


def _refusals(said: Operation, known: dict[int, Any]) -> dict[str, Any]:
    """The problems by status, with an example of each code."""
    codes = [*OF_ANY, *said.refuses]
    if not is_public(said):
        codes += OF_KEYS
    if said.method != "GET":
        codes += OF_BODIES
    if _knows_actors(said):
        codes.append("actor_needed")
    told: dict[str, Any] = {}
    for code in dict.fromkeys([*codes, *OF_SERVERS]):
        status = KNOWN[code][0]
        if status == 503 and 503 in said.also:
            continue
        entry = told.setdefault(
            str(status),
            {
                "description": "",
                "content": {PROBLEM_JSON: {"schema": known[id(Problem)], "examples": {}}},
            },
        )
        entry["description"] = f"{entry['description']}, `{code}`".lstrip(", ")
        entry["content"][PROBLEM_JSON]["examples"][code] = {"$ref": f"#/components/examples/{code}"}
        if status == 503:
            entry["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    return told


def _example(code: str, status: int, hint: str) -> dict[str, Any]:
    return {
        "type": f"urn:houbao:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": "What was found.",
        "hint": hint,
        "request_id": "0a1b2c3d4e5f6071",
    }
