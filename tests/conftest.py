import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from given import Market


@pytest.fixture
def market(tmp_path):
    """A marketplace as before each worked example; every test ends with `verify: ok`."""
    market = Market(tmp_path)
    yield market
    market.check()
    market.database.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test begins first: at the end it would run alone, while the other cores have nothing to do."""
    items.sort(key=lambda item: item.path.name != "test_laws.py")
