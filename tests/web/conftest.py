import pytest

from web.served import Served


@pytest.fixture
def served(market):
    """The market of every worked example, behind the API."""
    served = Served(market)
    yield served
    served.close()
