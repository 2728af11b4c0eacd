"""Refusals as RFC 9457 problems: a stable code, what was found, and what to do."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
)
from msgspec import Struct

from houbao.core.said import Said
from houbao.core.terms import Refused
from houbao.web.refusals import KNOWN

PROBLEM_JSON = "application/problem+json"
WAIT_SECONDS = {"overloaded": 1, "not_saved": 1}
"""Code → after how many seconds to try again."""


class Problem(Struct, omit_defaults=True, kw_only=True):
    """What went wrong (RFC 9457). `code` is stable; `hint` says what to do; `rule` and `reasons` are the policy's where
    a rule refused, `reasons` the faults of a policy's text; `facts` are the few values worth showing; `request_id` is
    how the logs know the request."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str = ""
    rule: str = ""
    reasons: list[str] = []
    facts: dict[str, str | int] = {}
    request_id: str = ""


def status_of(code: str) -> int:
    """The HTTP status of a refusal's code."""
    return KNOWN[code][0] if code in KNOWN else 422


def problem(refused: Refused, request_id: str = "") -> Problem:
    """The problem that tells of a refusal. Reasons of the policy are told by whoever knows it (`dispute.reasons`)."""
    hint = KNOWN[refused.code][1] if refused.code in KNOWN else ""
    return Problem(
        type=f"urn:houbao:problem:{refused.code}",
        title=refused.code.replace("_", " "),
        status=status_of(refused.code),
        code=refused.code,
        detail=_told(refused),
        hint=hint,
        rule=refused.rule,
        reasons=[reason for reason in refused.reasons if isinstance(reason, str)],
        facts=dict(refused.facts),
        request_id=request_id,
    )


def _told(refused: Refused) -> str:
    """What was found; of a fault of ours nothing: it is in the log, by the request's id."""
    return "a fault of ours; it is in the log" if refused.code == "failed" else refused.detail


def answer(refused: Refused, request_id: str = "", headers: dict[str, str] | None = None) -> Response[bytes]:
    """The HTTP answer to a refusal."""
    told = problem(refused, request_id)
    more = dict(headers or {})
    if told.code in WAIT_SECONDS:
        more["Retry-After"] = str(WAIT_SECONDS[told.code])
    if told.status == 401:
        more["WWW-Authenticate"] = 'Bearer realm="houbao"'
    return Response(msgspec.json.encode(told), status_code=told.status, media_type=PROBLEM_JSON, headers=more)


# --- what the framework finds by itself ----------------------------------------------------------------------------


def as_refused(error: Exception) -> Refused:
    """The refusal that an exception of the framework, or a fault of ours, amounts to."""
    match error:
        case Refused():
            return error
        case NotFoundException():
            return Refused("not_found", Said("there is nothing at that path"))
        case MethodNotAllowedException():
            return Refused("method_not_allowed", Said("that path does not know this method"))
        case HTTPException(status_code=413):
            return Refused("too_large", Said("the body is larger than is taken here"))
        case HTTPException(status_code=status) if status < 500:
            return Refused("bad_request", str(error.detail))
        case _:
            return Refused("failed", type(error).__name__)


def on_exception(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The handler of every exception of the API."""
    refused = as_refused(error)
    state = request.scope.get("state", {})
    if refused.code == "failed":
        state["fault"] = error
    headers = dict(getattr(error, "headers", None) or {})
    return answer(refused, state.get("request_id", ""), headers)
