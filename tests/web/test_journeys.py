"""One thing after another, as the document's links lead: what an answer names is asked about, and acted on."""

from collections import Counter

import pytest
import schemathesis
from hypothesis import settings

from given import Market
from houbao.core.allowed import BY_HAND
from web.documented import CHECKS, DOCUMENT, FEW, SCHEMA, sent
from web.served import Served
from web.ways import WAYS, furnish

SCHEMA.config.phases.stateful.inference.algorithms = []  # what the document says, and no guesses
Links = SCHEMA.as_state_machine()
Met = Counter[tuple[str, int]]
"""(operation, status) → how often."""


def journeys(folders, chosen: settings) -> Met:
    """What is met on journeys through the API, each in a market of its own in which much can be done: Hypothesis wants
    the same steps to lead to the same place. Every answer must be one that the document says."""
    met: Met = Counter()

    class Journey(Links):
        def setup(self):
            self.served = None

        def teardown(self):
            if self.served:
                self.served.close()
                self.served.market.check()
                self.served.market.database.close()

        def before_call(self, case):
            """Lists are asked for whole, for an empty one leads nowhere; and nobody is held up by what they read."""
            self.served = self.served or world(folders.mktemp("journey"))
            if case.method == "GET" and not case.path_parameters:
                case.query = {}
            for name in ("If-Match", "Houbao-Actor"):
                (case.headers or {}).pop(name, None)

        def call(self, case, **more):
            answer = sent(self.served, case)
            met[case.operation.definition.raw["operationId"], answer.status_code] += 1
            return schemathesis.Response.from_any(answer)

        def validate_response(self, response, case, *args, **more):
            case.validate_response(response, checks=list(CHECKS))

    Journey.run(settings=chosen)
    return met


def world(folder) -> Served:
    served = Served(Market(folder))
    furnish(served)
    for name in ("accept", "accept_offer", "scan_return", "rule", "redeliver"):
        WAYS[name](served)
    return served


def followed(met: Met) -> set[str]:
    """The operations on something named that succeeded."""
    named = {said["operationId"] for path, item in DOCUMENT["paths"].items() if "{" in path for said in item.values()}
    return {name for name, status in met if status < 300} & named


def test_wherever_the_links_lead_the_answers_are_as_the_document_says(tmp_path_factory):
    met = journeys(tmp_path_factory, settings(FEW, max_examples=5, stateful_step_count=25))
    assert len(followed(met)) > 5, met


@pytest.mark.long
def test_so_they_are_on_long_journeys(tmp_path_factory):
    met = journeys(tmp_path_factory, settings(FEW, max_examples=300, stateful_step_count=50, derandomize=False))
    assert len(followed(met) & set(BY_HAND)) > 3, met
