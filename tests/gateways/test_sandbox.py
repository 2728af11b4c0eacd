import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from houbao.engine.outside import RefundProvider, Reply
from houbao.gateways.refunds.sandbox import Bank, Hook, Sandbox, Script, parse_script

NOON = datetime(2018, 7, 8, 12, tzinfo=UTC)


Open = Callable[..., Bank]


@pytest.fixture
def opened() -> Iterator[Open]:
    banks: list[Bank] = []

    def opened(log: Path, script: Script | None = None) -> Bank:
        banks.append(Bank(log, script or Script()))
        return banks[-1]

    yield opened
    for bank in banks:
        bank.close()


def pay(bank: Bank, key: str = "5", minor: int = 4000, at: datetime = NOON) -> Reply:
    return bank.pay(key, "card-1", minor, "EUR", at)


def lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def did(log: Path) -> list[object]:
    return [line["did"] for line in lines(log) if line["entry"] == "payout"]


def test_the_log_says_first_of_all_that_it_is_simulated(opened: Open, tmp_path: Path) -> None:
    opened(tmp_path / "bank.log")
    assert lines(tmp_path / "bank.log")[0]["simulated"] is True


def test_a_key_paid_twice_moves_money_once_and_the_log_shows_the_repeat(opened: Open, tmp_path: Path) -> None:
    bank = opened(tmp_path / "bank.log")
    assert pay(bank) == pay(bank) == bank.look_up("5") == Reply("paid")
    assert did(tmp_path / "bank.log") == ["paid", "repeat"]
    assert [payout.minor for payout in bank.payments()] == [4000]


def test_a_key_with_other_content_is_refused_for_good_and_moves_nothing(opened: Open, tmp_path: Path) -> None:
    bank = opened(tmp_path / "bank.log")
    pay(bank)
    assert pay(bank, minor=4001) == Reply("refused", final=True, code="key_conflict")
    assert bank.look_up("5") == Reply("paid")
    assert did(tmp_path / "bank.log") == ["paid", "conflict"]


@pytest.mark.parametrize("minor", [0, -1])
def test_an_amount_not_above_zero_is_refused_and_the_key_stays_free(minor: int) -> None:
    bank = Bank()
    assert pay(bank, minor=minor).code == "bad_request"
    assert bank.look_up("5") == Reply("not_found")
    assert pay(bank) == Reply("paid")


def test_steps_meet_new_keys_in_turn_and_then_all_is_well() -> None:
    bank = Bank(script=Script(steps=("refuse", "refuse_final")))
    assert pay(bank, "1") == pay(bank, "1") == bank.look_up("1") == Reply("refused", code="declined")
    assert pay(bank, "2") == Reply("refused", final=True, code="payment_closed")
    assert pay(bank, "3") == Reply("paid")


def test_a_time_out_after_payment_is_unknown_and_looked_up_as_paid() -> None:
    bank = Bank(script=Script(steps=("timeout_paid",)))
    assert pay(bank) == Reply("unknown")
    assert bank.look_up("5") == pay(bank) == Reply("paid")
    assert len(bank.payments()) == 1


def test_a_time_out_before_payment_is_not_found_and_the_same_key_then_pays() -> None:
    bank = Bank(script=Script(steps=("timeout_unpaid", "refuse")))
    assert pay(bank) == Reply("unknown")
    assert bank.look_up("5") == Reply("not_found")
    assert bank.payments() == []
    assert pay(bank) == Reply("paid")
    assert pay(bank, "6").result == "refused"


def test_a_lost_key_that_comes_again_with_other_content_is_a_conflict() -> None:
    bank = Bank(script=Script(steps=("timeout_unpaid",)))
    pay(bank)
    assert pay(bank, minor=1).code == "key_conflict"
    assert bank.look_up("5") == Reply("not_found")


def test_a_webhook_that_comes_first_is_due_with_its_payout() -> None:
    bank = Bank(script=Script(steps=("webhook_first",)))
    pay(bank)
    assert bank.hooks(NOON) == [Hook(1, "5", "paid", NOON)]


def test_a_duplicate_webhook_comes_twice_after_the_answer() -> None:
    bank = Bank(script=Script(steps=("duplicate",)))
    pay(bank)
    assert bank.hooks(NOON) == []
    assert [(hook.id, hook.result) for hook in bank.hooks(NOON + timedelta(seconds=1))] == [(1, "paid"), (2, "paid")]


def test_money_that_comes_back_is_told_three_days_later() -> None:
    bank = Bank(script=Script(steps=("returned",)))
    pay(bank)
    back = NOON + timedelta(days=3)
    assert bank.hooks(back - timedelta(seconds=1)) == []
    assert bank.hooks(back) == [Hook(1, "5", "returned", back)]


def test_webhooks_are_handed_out_until_acknowledged_over_restarts(opened: Open, tmp_path: Path) -> None:
    later = NOON + timedelta(days=9)
    bank = opened(tmp_path / "bank.log", Script(steps=("duplicate", "returned")))
    pay(bank, "1")
    pay(bank, "2")
    assert [hook.id for hook in bank.hooks(later)] == [1, 2, 3]
    assert [hook.id for hook in bank.hooks(later, most=1)] == [1]
    bank.acknowledge([2, 99])
    bank.close()
    assert [hook.id for hook in opened(tmp_path / "bank.log").hooks(later)] == [1, 3]


def test_a_restart_remembers_every_key_and_goes_on_in_the_script(opened: Open, tmp_path: Path) -> None:
    script = Script(steps=("timeout_paid", "refuse", "refuse_final"))
    bank = opened(tmp_path / "bank.log", script)
    pay(bank, "1")
    pay(bank, "2")
    bank.close()
    bank = opened(tmp_path / "bank.log", script)
    assert pay(bank, "1") == Reply("paid")
    assert pay(bank, "2") == Reply("refused", code="declined")
    assert pay(bank, "3").code == "payment_closed"
    assert len(bank.payments()) == 1


def test_half_a_line_at_the_end_of_the_log_did_not_happen(opened: Open, tmp_path: Path) -> None:
    log = tmp_path / "bank.log"
    bank = opened(log)
    pay(bank, "1")
    pay(bank, "2")
    bank.close()
    log.write_bytes(log.read_bytes()[:-20])
    bank = opened(log)
    assert bank.look_up("1") == Reply("paid")
    assert bank.look_up("2") == Reply("not_found")
    pay(bank, "2")
    assert did(log) == ["paid", "paid"]


@pytest.mark.parametrize("content", ["my novel", "my novel\n"])
def test_a_file_that_is_no_log_is_left_as_it_is(opened: Open, tmp_path: Path, content: str) -> None:
    log = tmp_path / "novel.txt"
    log.write_text(content)
    with pytest.raises(ValueError, match="not a sandbox's log"):
        opened(log)
    assert log.read_text() == content


@pytest.mark.skipif(sys.platform == "win32", reason="the log is shared between processes on POSIX only")
def test_processes_on_one_log_are_one_bank(tmp_path: Path) -> None:
    log = tmp_path / "bank.log"
    program = f"""
from datetime import UTC, datetime
from pathlib import Path
from houbao.gateways.refunds.sandbox import Bank
bank = Bank(Path({str(log)!r}))
for key in range(40):
    assert bank.pay(str(key), "card-1", 100, "EUR", datetime.now(UTC)).result == "paid"
"""
    racers = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [racer.wait(20) for racer in racers] == [0, 0, 0]
    assert (did(log).count("paid"), did(log).count("repeat")) == (40, 80)


def test_threads_that_race_for_one_key_pay_once() -> None:
    bank = Bank(script=Script(steps=("timeout_unpaid",)))
    threads = [Thread(target=pay, args=(bank,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bank.payments()) == 1


def test_weights_choose_by_seed_and_key_alone() -> None:
    script = Script(weights={"timeout_paid": 200, "refuse": 100}, seed=7)
    keys = [str(key) for key in range(5000)]
    chosen = {key: script.choose(n, key) for n, key in enumerate(keys)}
    assert chosen == {key: script.choose(0, key) for key in reversed(keys)}
    assert chosen == {key: Script(weights={"refuse": 100, "timeout_paid": 200}, seed=7).choose(0, key) for key in keys}
    counts = [list(chosen.values()).count(behaviour) for behaviour in ("timeout_paid", "refuse", "ok")]
    assert 850 < counts[0] < 1150 and 400 < counts[1] < 600 and sum(counts) == 5000
    assert chosen != {key: Script(weights={"timeout_paid": 200, "refuse": 100}, seed=8).choose(0, key) for key in keys}


def test_a_script_is_read_from_a_command_line() -> None:
    assert parse_script("") == Script()
    assert parse_script("ok, timeout_paid") == Script(steps=("ok", "timeout_paid"))
    assert parse_script("timeout_paid=20,refuse=5", seed=3) == Script(weights={"timeout_paid": 20, "refuse": 5}, seed=3)


@pytest.mark.parametrize("text", ["nonsense", "nonsense=5", "refuse=x", "refuse=1001", "refuse=-1", "ok,refuse=5"])
def test_a_script_that_makes_no_sense_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_script(text)


def test_the_sandbox_is_a_refund_provider_on_a_simulated_clock() -> None:
    bank = Bank(script=Script(steps=("returned",)))
    sandbox = Sandbox(bank, clock=lambda: NOON)
    provider: RefundProvider = sandbox
    assert provider.name == "sandbox" and provider.key_life == timedelta(hours=24)
    assert provider.pay("5", "card-1", 4000, "EUR") == provider.look_up("5") == Reply("paid")
    assert bank.payments()[0].at == NOON
    (hook,) = sandbox.hooks(NOON + timedelta(days=3))
    sandbox.acknowledge([hook.id])
    assert sandbox.hooks(NOON + timedelta(days=3)) == []


def test_a_webhook_that_comes_first_is_delivered_before_the_answer() -> None:
    seen: list[object] = []
    bank = Bank(script=Script(steps=("webhook_first", "duplicate")))
    sandbox = Sandbox(bank, clock=lambda: NOON, deliver=seen.append)
    seen.append(sandbox.pay("5", "card-1", 4000, "EUR"))
    seen.append(sandbox.pay("6", "card-1", 4000, "EUR"))
    assert seen == [Hook(1, "5", "paid", NOON), Reply("paid"), Reply("paid")]
    assert [hook.key for hook in bank.hooks(NOON + timedelta(minutes=1))] == ["6", "6"]


@pytest.mark.skipif(sys.platform == "win32", reason="only POSIX can limit the size of files")
def test_a_payout_whose_line_finds_no_room_is_unknown_and_did_not_happen(opened: Open, tmp_path: Path) -> None:
    import resource

    log = tmp_path / "bank.log"
    sandbox = Sandbox(opened(log), clock=lambda: NOON)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 50, hard))
    try:
        assert sandbox.pay("5", "card-1", 4000, "EUR") == Reply("unknown")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sandbox.look_up("5") == Reply("not_found")
    assert sandbox.pay("5", "card-1", 4000, "EUR") == Reply("paid")
    assert did(log) == ["paid"]


def test_a_payment_named_for_a_behaviour_always_meets_it() -> None:
    bank = Bank(script=Script(steps=("timeout_paid",)))
    assert bank.pay("a1", "order-7:refuse_final", 100, "EUR", NOON) == Reply(
        "refused", final=True, code="payment_closed"
    )
    assert bank.pay("a2", "order-8:card", 100, "EUR", NOON).result == "paid"
