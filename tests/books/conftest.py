"""What the tests of the books share."""

import shlex

import pytest

from houbao import cli


@pytest.fixture
def run(market, capsys, monkeypatch):
    """Runs a command that was proposed, on that database."""

    def call(command):
        program, *arguments = shlex.split(command)
        assert program == "houbao"
        monkeypatch.setattr("sys.argv", [program, *arguments, "--database", f"sqlite:///{market.database.path}"])
        cli.main()
        return capsys.readouterr().out

    return call
