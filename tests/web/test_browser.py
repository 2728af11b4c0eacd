"""The pages in a real Chromium: nothing for axe to find, on a desk and on a phone, light and dark; with script and
without; in Chinese. And what only runs there: the JavaScript library that receivers of webhooks verify with."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from given import BUYER, DAY, T, eur
from houbao.core import disputes as d
from houbao.engine.announcing import Hook, Secret
from houbao.gateways.webhooks import signatures
from web.browsing import DESKTOP, PAGES, PHONE, Site, Tab, chromium, tab


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.close()


@pytest.fixture
def bare(tmp_path) -> Iterator[Site]:
    """The market of every worked example, and nothing else."""
    site = Site(tmp_path, furnished=False)
    yield site
    site.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("role", PAGES)
def test_axe_finds_nothing_in_light_and_dark_and_no_page_is_wider_than_a_phone(browser, site, role):
    with tab(browser, site, role, DESKTOP, color_scheme="light") as reader:
        for path in PAGES[role]:
            reader.open(path)
            assert reader.findings() == [], path
            reader.page.emulate_media(color_scheme="dark")
            assert reader.findings("color-contrast") == [], f"{path}, dark"
            reader.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
            assert reader.findings("color-contrast", "target-size") == [], f"{path}, dark, on a phone"
            reader.page.emulate_media(color_scheme="light")
            reader.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        assert reader.wrong == []


@pytest.mark.parametrize(("script", "size"), [(True, DESKTOP), (False, PHONE)])
def test_a_seller_sees_what_an_offer_would_do_and_makes_it(browser, site, script, size):
    order = site.market.order(amount="50.00", delivered=False)
    number = site.market.open(order, "in_transit_overdue", "50.00")
    with tab(browser, site, "seller", size, java_script_enabled=script) as seller:
        seller.open("/inbox")
        seller.page.click(f"a[href='/disputes/dispute_0_{number}'] >> nth=-1")
        assert "€50.00 is refunded from your balance" in seller.text()
        seller.page.click("summary:has-text('Offer something else')")
        seller.page.fill("#offer-amount", "35,00")
        seller.page.click("details[open] button:has-text('See what happens')")
        seller.page.click("button:has-text('Offer €35.00')")
        assert "Done." in seller.text()
        assert "Waits for the buyer" in seller.text()
        assert seller.wrong == []
    assert site.market.dispute(number).offer == d.Offer(amount=eur("35.00"), remedy="refund")


@pytest.mark.parametrize(("script", "size"), [(True, PHONE), (False, DESKTOP)])
def test_a_buyer_opens_a_dispute_in_three_steps_with_the_ruling_explained(browser, site, script, size):
    order = site.market.order(amount="40.00")
    with tab(browser, site, "buyer", size, java_script_enabled=script) as buyer:
        buyer.open(f"/orders/order_0_{order}")
        buyer.page.click("a:has-text('Something is wrong')")
        buyer.page.check("input[value=damaged]")
        buyer.page.click("button:has-text('Next')")
        assert buyer.page.input_value("#amount") == "40.00"
        buyer.page.fill("#statement", "Two bowls cracked.")
        buyer.page.click("button:has-text('Next')")
        said = buyer.text()
        assert "This order is covered: the platform checks it and the guarantee pays." in said
        assert "No decision by then: you get €40.00" in said
        assert "15.00" not in said, "a limit that could be gamed"
        buyer.page.click("button:has-text('Open the dispute for €40.00')")
        assert "The dispute is open." in buyer.text()
        assert "Two bowls cracked." in buyer.text()
        assert buyer.wrong == []


@pytest.mark.parametrize(("script", "size"), [(True, DESKTOP), (False, PHONE)])
def test_an_agent_takes_the_next_case_and_sees_a_ruling_before_sending_it(browser, site, script, size):
    with tab(browser, site, "agent", size, java_script_enabled=script) as agent:
        agent.open("/queue/verify")
        agent.page.click("button:has-text('Claim the next one')")
        assert "Claimed by you" in agent.text()
        number = int(agent.page.url.partition("dispute_0_")[2].partition("?")[0])
        agent.page.check("input[value=unjustified]")
        agent.page.select_option("#rule-reason", "disclosed")
        agent.page.fill("#rule-note", "The listing says it.")
        agent.page.click("button:has-text('See what happens')")
        agent.page.wait_for_selector(".outcome")
        assert site.market.dispute(number).phase == "verifying"
        agent.page.click("button:has-text('Not justified: no refund')")
        assert "Ruled. What follows stands in the timeline." in agent.text()
        assert agent.wrong == []
    assert site.market.dispute(number).outcome == "rejected"


def test_whoever_changes_something_sees_it_again_before_it_is_sent(browser, site):
    number = site.market.open(site.market.order(amount="60.00"), "damaged", "60.00")
    with tab(browser, site, "agent") as agent:
        agent.open(f"/cases/dispute_0_{number}")
        agent.page.check("input[value=justified]")
        agent.page.select_option("#rule-reason", "evidence")
        for change in (
            lambda: agent.page.fill("#rule-amount", "10"),
            lambda: agent.page.select_option("#rule-remedy", "return_refund"),
            lambda: agent.page.check("input[value=unjustified]"),
        ):
            agent.page.click("button:has-text('See what happens')")
            agent.page.wait_for_selector(".outcome")
            change()
            assert agent.page.query_selector(".outcome") is None
            assert "You changed something. See what happens again." in agent.text()
        agent.page.click("button:has-text('See what happens')")
        assert agent.page.evaluate("document.activeElement.id") == "rule-reason", "it lacks a reason"
        assert agent.page.query_selector(".outcome") is None
        agent.page.select_option("#rule-reason", "disclosed")
        agent.page.fill("#rule-note", "The listing says it.")
        agent.page.keyboard.press("Control+Enter")
        agent.page.click("button:has-text('Not justified: no refund')")
        agent.page.wait_for_url("**done=rule")
        assert agent.wrong == []
    assert site.market.dispute(number).outcome == "rejected"
    with tab(browser, site, "seller") as seller:
        order = site.market.order(amount="50.00", delivered=False)
        seller.open(f"/disputes/dispute_0_{site.market.open(order, 'in_transit_overdue', '50.00')}")
        seller.page.click("summary:has-text('Offer something else')")
        seller.page.fill("#offer-amount", "35,00")
        seller.page.click("details[open] button:has-text('See what happens')")
        seller.page.wait_for_selector("button:has-text('Offer €35.00')")
        seller.page.fill("#offer-amount", "25,00")
        assert seller.page.query_selector("button:has-text('Offer €35.00')") is None
        assert seller.wrong == []


def test_an_agent_works_by_keys_and_can_switch_them_off(browser, site):
    number = site.market.open(site.market.order(amount="60.00"), "damaged", "60.00")
    with tab(browser, site, "agent") as agent:
        agent.open("/queue/verify")
        agent.page.keyboard.press("j")
        agent.page.keyboard.press("Enter")
        agent.page.wait_for_url("**/cases/**")
        agent.open(f"/cases/dispute_0_{number}")
        agent.page.keyboard.press("c")
        agent.page.wait_for_selector("text=Claimed by you")
        agent.page.wait_for_load_state()  # the keys come with the script
        agent.page.keyboard.press("2")
        assert agent.page.is_checked("input[value=unjustified]")
        agent.page.keyboard.press("r")
        assert agent.page.evaluate("document.activeElement.id") == "rule-reason"
        agent.page.select_option("#rule-reason", "disclosed")
        agent.page.keyboard.press("1")
        assert agent.page.is_checked("input[value=unjustified]"), "no key works in a field"
        agent.page.select_option("#rule-reason", "disclosed")
        agent.page.keyboard.press("Control+Enter")
        agent.page.wait_for_selector("button:has-text('Not justified: no refund')")
        agent.page.keyboard.press("Escape")
        agent.page.keyboard.press("1")
        assert agent.page.is_checked("input[value=justified]"), "Escape left the field"
        agent.page.keyboard.press("p")
        assert agent.page.evaluate("document.activeElement.dataset.key") == "p", "a Tab leads on from there"
        agent.page.keyboard.press("2")
        agent.page.keyboard.press("?")
        agent.page.uncheck("#use-keys")
        agent.page.click("h1")
        agent.page.keyboard.press("1")
        assert agent.page.is_checked("input[value=unjustified]")
        assert agent.wrong == []


def test_the_worked_example_of_an_agreement_is_played_by_both_in_their_browsers(browser, bare):
    order = bare.market.order(amount="50.00", commission="50.00", paid=T - 95 * DAY, promised=T - 2 * DAY)

    def tried(reader: Tab, deed: str, amount: str = "") -> None:
        form = f"form[action$='/{deed}/preview']"
        if not reader.page.is_visible(f"{form} button"):
            reader.page.click(f"details:has({form}) > summary")
        if amount:
            reader.page.fill(f"{form} [name=amount]", amount)
        reader.page.click(f"{form} button")
        with reader.page.expect_navigation():
            reader.page.click(f"#then-{deed} form button")

    with tab(browser, bare, "") as buyer, tab(browser, bare, "") as seller:
        buyer.open(bare.link(buyer_id="ann"))
        seller.open(bare.link(store_id="oak"))
        buyer.page.click(f"a[href='/orders/order_0_{order}'] >> nth=0")
        buyer.page.click("a:has-text('Something is wrong')")
        buyer.page.check("input[value=defective]")
        buyer.page.click("button:has-text('Next')")
        buyer.page.click("button:has-text('Next')")
        buyer.page.click("button:has-text('Open the dispute for €50.00')")
        seller.open("/inbox")
        seller.page.click("a[href^='/disputes/'] >> nth=0")
        tried(seller, "offer", "20.00")
        buyer.page.reload()
        tried(buyer, "counter", "35.00")
        seller.page.reload()
        assert "the buyer asks €35.00" in seller.text()
        tried(seller, "accept")
        bare.market.work()
        seller.page.reload()
        assert "Partly refunded" in seller.text()
        assert "by agreement" in seller.text()
        assert "Counted as not as described" in seller.text()
        seller.open("/records/EUR")
        assert "Your balance is €165.00" in seller.text()
        buyer.page.reload()
        assert "€35.00 was refunded on this order." in buyer.text()
        assert buyer.wrong + seller.wrong == []
    assert bare.market.funds() == ("165.00", "1000.00", "0.00")


@pytest.mark.parametrize(("script", "size"), [(True, DESKTOP), (False, PHONE)])
def test_finance_looks_through_the_movements_and_downloads_what_fits(browser, site, script, size):
    with tab(browser, site, "finance", size, java_script_enabled=script) as finance:
        finance.open("/fund/movements")
        finance.page.select_option("#kind", "reserve")
        finance.page.fill("#store", "elm")
        finance.page.click("button:has-text('Show')")
        assert "kind=reserve&store=elm" in finance.page.url
        shown = finance.page.locator("tbody tr").count()
        with finance.page.expect_download() as coming:
            finance.page.click("a:has-text('Download (CSV)')")
        assert coming.value.suggested_filename.startswith("fund-movements-until-2026-")
        text = Path(coming.value.path()).read_bytes().decode("utf-8-sig")
        assert len(text.splitlines()) == 1 + shown > 1
        finance.page.click("a:has-text('Everything')")
        assert finance.page.url.endswith("/fund/movements")
        assert finance.wrong == []


def test_somebody_reads_it_in_chinese(browser, site):
    with tab(browser, site, "seller", PHONE, locale="zh-CN") as seller:
        seller.open("/inbox")
        assert seller.page.get_attribute("html", "lang") == "zh-Hans"
        assert "需要您处理" in seller.text()
        seller.open("/disputes/{late}")
        said = seller.text()
        assert "从您的余额退款 €25.00" in said
        assert "Answer" not in said
        assert seller.findings() == []


ELSEWHERE = [pytest.param(place, marks=pytest.mark.long) for place in ("es-MX", "pt-BR", "zh-CN")]


@pytest.mark.parametrize("place", ["ru-RU", *ELSEWHERE])
@pytest.mark.parametrize("role", PAGES)
def test_no_page_is_wider_than_a_phone_in_another_language(browser, site, role, place):
    with tab(browser, site, role, PHONE, locale=place) as reader:
        for path in PAGES[role]:
            reader.open(path)
            assert reader.page.get_attribute("html", "lang").startswith(place[:2])
            assert reader.findings("target-size") == [], path
        assert reader.wrong == []


def test_what_happened_while_somebody_read_refuses_kindly(browser, site):
    order = site.market.order(amount="45.00", delivered=False)
    number = site.market.open(order, "in_transit_overdue", "45.00")
    with tab(browser, site, "seller") as seller:
        seller.open(f"/disputes/dispute_0_{number}")
        seller.page.click("summary:has-text('Accept €45.00')")
        seller.page.click("details[open] button:has-text('See what happens')")
        seller.page.wait_for_selector("button:has-text('Refund €45.00 from my balance')")
        site.market.accept(d.ChangeClaim(dispute=number, amount=eur("30.00")), BUYER)
        seller.page.click("button:has-text('Refund €45.00 from my balance')")
        said = seller.text()
        assert "Something happened here while you were reading." in said
        assert "Nothing was sent." in said
        assert "the buyer asks €30.00" in said
    assert site.market.dispute(number).phase == "awaiting_seller"


def test_what_happens_while_somebody_reads_is_told_and_shown_when_they_wish(browser, site):
    order = site.market.order(amount="20.00", delivered=False)
    number = site.market.open(order, "in_transit_overdue", "20.00")
    with tab(browser, site, "seller") as seller:
        seller.open(f"/disputes/dispute_0_{number}")
        assert not seller.page.is_visible("#news")
        site.market.accept(d.WriteMessage(dispute=number, message="Any news of my parcel?"), BUYER)
        seller.page.wait_for_selector("#news", state="visible", timeout=15_000)
        assert "Any news of my parcel?" not in seller.text()
        seller.page.click("#news a")
        assert "Any news of my parcel?" in seller.text()


# --- webhooks in JavaScript ----------------------------------------------------------------------------------------

VENDOR = Path(__file__).parents[1] / "vendor"
PACKAGE = {
    "standardwebhooks": "standardwebhooks-1.1.1/index.js",
    "./timing_safe_equal": "standardwebhooks-1.1.1/timing_safe_equal.js",
    "@stablelib/base64": "stablelib-base64-1.0.1/base64.js",
    "fast-sha256": "fast-sha256-1.3.0/sha256.js",
}
"""The published package and what it needs, by the names under which its files ask for each other."""

VERIFY = """([files, secret, body, headers]) => {
    const made = {};
    const need = name => {
        if (!(name in made)) {
            const module = {exports: {}};
            new Function("module", "exports", "require", files[name])(module, module.exports, need);
            made[name] = module.exports;
        }
        return made[name];
    };
    try {
        return new (need("standardwebhooks").Webhook)(secret).verify(body, headers);
    } catch (error) {
        return error.name;
    }
}"""


@pytest.fixture(scope="module")
def verified(browser) -> Iterator[Any]:
    """What the package `standardwebhooks` of npm says of a message: its content, or the name of its error."""
    files = {name: (VENDOR / path).read_text(encoding="utf-8") for name, path in PACKAGE.items()}
    page = browser.new_page()
    yield lambda secret, body, headers: page.evaluate(VERIFY, [files, secret, body, headers])
    page.close()


OLD, NEW, NOBODYS = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_bm8="


def test_the_javascript_package_verifies_what_is_signed_by_either_secret_and_nothing_else(verified):
    at, body = datetime.now(UTC), '{"type":"dispute_opened","data":{"told":"花瓶 €40"}}'
    hook = Hook(id="webhook_1", url="", types=(), store="", secrets=(Secret(NEW), Secret(OLD)), created_at=at)
    headers = {
        "webhook-id": "msg_0_47",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signatures(hook, "msg_0_47", at, body),
    }
    for secret in (NEW, OLD):
        assert verified(secret, body, headers)["data"] == {"told": "花瓶 €40"}
    for secret, said, more in (
        (NOBODYS, body, {}),
        (NEW, f"{body} ", {}),
        (NEW, body, {"webhook-id": "msg_0_48"}),
        (NEW, body, {"webhook-timestamp": str(int(at.timestamp()) - 1)}),
    ):
        assert verified(secret, said, headers | more) == "WebhookVerificationError"
