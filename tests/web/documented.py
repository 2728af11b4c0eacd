"""The API's own document as Schemathesis reads it, and whether an answer is as it says."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as of_openapi

from houbao.web.openapi import document
from houbao.web.server import API
from web.ways import ROLES

DOCUMENT = document(API)


@schemathesis.serializer("application/x-ndjson")
def as_lines(context, value):
    """Lines as they are sent."""
    return str(value).encode()


SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = (
    checks.not_a_server_error,
    of_openapi.status_code_conformance,
    of_openapi.content_type_conformance,
    of_openapi.response_schema_conformance,
)


def sent(place, case):
    """The answer to a case that is sent with a key that may do everything."""
    headers = {"Authorization": f"Bearer {place.key(*ROLES)}"}
    asked = case.as_transport_kwargs(base_url="https://claims.example", headers=headers)
    asked.pop("cookies", None)
    return place.client.request(**{name: value for name, value in asked.items() if value is not None})


def validated(case, answer) -> None:
    """The answer is one that the document says."""
    try:
        case.validate_response(schemathesis.Response.from_any(answer), checks=list(CHECKS))
    except FailureGroup as failed:
        pytest.fail("\n".join(str(one) for one in failed.exceptions))


FEW = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[*HealthCheck],
)
