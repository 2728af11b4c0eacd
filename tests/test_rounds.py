"""What both `houbao work` and `houbao serve` do in one round."""

from houbao.commands import breakers
from houbao.commands.rounds import round_of
from houbao.engine.worker import ASSESSED_EVERY
from houbao.settings import Settings
from houbao.wiring import House


def test_once_a_day_the_funds_breakers_hear_what_the_fund_holds(market):
    breakers.set_line(house := served(market), "EUR", "9")
    try:
        told = round_of(house, market.now)
        assert breakers.shown(house, "EUR").stopped
        assert told.daily_at == market.now + ASSESSED_EVERY
    finally:
        house.close()


def test_between_two_days_they_do_not(market):
    breakers.set_line(house := served(market), "EUR", "9")
    try:
        later = market.now + ASSESSED_EVERY
        assert round_of(house, later).daily_at == later
        assert not breakers.shown(house, "EUR").stopped
    finally:
        house.close()


def served(market) -> House:
    """The market as a server has it: its worker writes through the writer."""
    market.open(market.order("o-1", "400.00"), "damaged", "400.00")
    settings = Settings(database_url=f"sqlite:///{market.database.path}")
    return House(settings, clock=lambda: market.now, observe=lambda commands, seconds: None)
