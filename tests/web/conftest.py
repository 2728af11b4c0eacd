import pytest

from given import Market
from web.served import Served
from web.ways import furnish


@pytest.fixture
def served(market):
    """The market of every worked example, behind the API."""
    served = Served(market)
    yield served
    served.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A market in which every operation can succeed, behind the API."""
    market = Market(tmp_path_factory.mktemp("world"))
    served = Served(market)
    furnish(served)
    yield served
    served.close()
    market.check()
    market.database.close()
