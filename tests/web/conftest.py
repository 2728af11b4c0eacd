import pytest

from given import Market
from web.deskfront import furnish_desks
from web.served import Served
from web.shopfront import furnish as furnish_shop
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


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A market with something on every page."""
    market = Market(tmp_path_factory.mktemp("shop"))
    shown = furnish_shop(market) | furnish_desks(market)
    served = Served(market)
    served.shown = shown  # ty: ignore[unresolved-attribute]
    yield served
    served.close()
    market.database.close()
