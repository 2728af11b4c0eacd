"""Which operation's answer names what another one asks for: the links of the API's document.

What paths call a record is read off the operations: whoever reads `/v1/disputes/{dispute_id}` answers with a dispute,
so every answer that is one, or a page of them, leads to operations on disputes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from msgspec import Struct

from houbao.web.operation import Operation

Link = dict[str, Any]
"""A link as the document has it."""

CLAIM = {"order_id": "/id", "amount": "/lines/0/item", "lines": [{"line_id": "/lines/0/id", "quantity": 1}]}
BODIES: Mapping[str, Mapping[str, Any]] = {"order_id": {"explain_claim": CLAIM, "open_dispute": CLAIM}}
"""What is asked for by its body: the subject → operation → the body, with places in the subject."""

FURTHER: Mapping[str, Mapping[str, Link]] = {
    "read_statement": {
        "read_entry": {
            "parameters": {"store_id": "$request.path.store_id", "entry_id": "$response.body#/data/0/id"},
        }
    },
    "list_policies": {"read_policy": {"parameters": {"version": "$response.body#/data/0/version"}}},
    "list_deliveries": {
        "redeliver": {
            "parameters": {"webhook_id": "$request.path.webhook_id"},
            "requestBody": {"delivery_id": "$response.body#/data/0/id"},
        }
    },
}
"""What answers name that no other path is made of."""


class Subject(Struct, frozen=True):
    """What has an id: the kind of answer that is one, and what paths call its id."""

    kind: type
    parameter: str


def subjects(operations: Sequence[Operation]) -> list[Subject]:
    """Everything that is read by its id alone."""
    found = [(said, re.fullmatch(r"/v1/\w+/{(\w+_id):str}", said.path)) for said in operations if said.method == "GET"]
    return [Subject(said.reply, path[1]) for said, path in found if path]


def links(said: Operation, operations: Sequence[Operation]) -> dict[str, Link]:
    """Operation → the link to it from what this one answers when it succeeds: who makes or lists leads to all that can
    be done with what was made or listed."""
    told: dict[str, Link] = {name: {"operationId": name} | link for name, link in FURTHER.get(said.name, {}).items()}
    for subject in subjects(operations) if "{" not in said.path else ():
        if (place := _place(said.reply, subject.kind)) is not None:
            told |= _from(place, subject.parameter, operations)
    return told


def _place(reply: Any, kind: type) -> str | None:
    """Where in an answer of that type the subject is, the first where it is a page; None where it is not."""
    if isinstance(reply, type) and issubclass(reply, kind):
        return ""
    inside = get_args(reply)
    return "/data/0" if inside and isinstance(inside[0], type) and issubclass(inside[0], kind) else None


def _from(place: str, parameter: str, operations: Sequence[Operation]) -> dict[str, Link]:
    """The links to all that asks for the subject by its path, or by its body."""
    by_path = [one.name for one in operations if re.findall(r"{(\w+):", one.path) == [parameter]]
    by_body = BODIES.get(parameter, {})
    return {
        **{name: _link(name, {parameter: f"$response.body#{place}/id"}) for name in by_path},
        **{name: _link(name, {}, _filled(body, place)) for name, body in by_body.items()},
    }


def _link(name: str, parameters: dict[str, str], body: Any = None) -> Link:
    link: Link = {"operationId": name}
    if parameters:
        link["parameters"] = parameters
    if body is not None:
        link["requestBody"] = body
    return link


def _filled(body: Any, place: str) -> Any:
    """A body with the places in the subject as the document writes them."""
    if isinstance(body, Mapping):
        return {name: _filled(value, place) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, place) for value in body]
    return f"$response.body#{place}{body}" if isinstance(body, str) else body
