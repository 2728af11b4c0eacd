"""A furnished market behind a real server, and a real Chromium that looks at it."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from given import Market
from houbao.engine.announcing import Answered
from houbao.serving import announcer_of
from houbao.web.guard import SESSION
from houbao.web.server import create_app
from web.deskfront import furnish_desks
from web.served import Served
from web.shopfront import furnish

AXE = Path(__file__).parents[1] / "vendor" / "axe-core-4.14.1" / "axe.min.js"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
WHO = {
    "seller": ("portal", "seller", "oak", "oak"),
    "buyer": ("portal", "buyer", "ann", ""),
    "agent": ("user", "agent", "mia", ""),
    "finance": ("user", "finance", "kim", ""),
    "admin": ("user", "admin", "eve", ""),
}
DESKTOP, PHONE = (1280, 900), (390, 844)


def chromium() -> str:
    """Where Chromium is. Outside CI a test without it is skipped, and says so."""
    if not CHROMIUM and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine: the pages were not looked at (apt install chromium)")
    assert CHROMIUM, "no Chromium in CI"
    return CHROMIUM


SELLERS = (
    "/inbox",
    "/disputes/{late}",
    "/disputes/{verifying}",
    "/disputes/{return}",
    "/disputes/{refunded}",
    "/orders",
    "/orders/{goodwill order}",
    "/records",
    "/records/EUR",
    "/records/EUR/held",
    "/score",
    "/guarantee",
    "/guarantee/leave",
    "/guarantee/advice",
)
BUYERS = (
    "/orders",
    "/orders/{fine order}",
    "/orders/{fine order}/dispute",
    "/disputes",
    "/disputes/{offered}",
    "/disputes/{withdrawn}",
)
EVERYBODYS = ("/sign-in", "/styleguide")
AGENTS = (
    "/queue/verify",
    "/queue/appeals",
    "/cases/{checked}",
    "/cases/{judged}",
    "/cases/{appealed}",
    "/cases/{fraud}",
    "/cases/{noticed}",
    "/cases/{refunded}",
)
FINANCES = (
    "/fund",
    "/fund/movements",
    "/fund/movements?kind=reserve&store=elm&from=2026-07-01",
    "/fund/movements?kind=chargeback",
    "/fund/sums",
    "/fund/reserves",
    "/fund/reconcile",
    "/refunds",
    "/debts",
    "/policies",
    "/policies/2026.1",
    "/publish?with=2026.1",
    "/cases/{unknown}",
    "/cases/{stuck}",
)
ADMINS = (
    "/people",
    "/keys",
    "/webhooks",
    "/webhooks/{webhook}",
    "/stores",
    "/stores/elm",
    "/outages",
    "/audit",
    "/account",
    "/cases/{checked}",
)
PAGES = {
    "seller": SELLERS,
    "buyer": BUYERS,
    "agent": AGENTS,
    "finance": FINANCES,
    "admin": ADMINS,
    "": EVERYBODYS,
}


class Site:
    """A market that is served on a port. `shown` is name → number of what is on its pages, once it is `furnished`."""

    def __init__(self, folder: Path, *, furnished: bool = True) -> None:
        self.market = Market(folder)
        self.shown = furnish(self.market) | furnish_desks(self.market) if furnished else {}
        self.served = Served(self.market)
        for name, role in (("mia", "agent"), ("lee", "agent"), ("kim", "finance"), ("eve", "admin")):
            self.served.add_user(name, role)
        self.served.site.secure = False
        self.webhook = self._tell_somebody() if furnished else ""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        app = create_app(self.served.site, self.served.metrics)
        self.server = uvicorn.Server(uvicorn.Config(app, port=self.port, log_level="error", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def _tell_somebody(self) -> str:
        """A webhook whose receiver had no room; its id."""
        number = self.served.post("/v1/webhooks", {"url": "https://shop.example/hook"})["id"]
        self.market.order()
        announcer = announcer_of(self.served.site.hooks, self.served.site.wall)
        announcer.send = lambda *given: Answered(500, "no room")
        announcer.run()
        return number

    def link(self, **for_whom: str) -> str:
        """The path of a one-time link: `buyer_id` or `store_id`."""
        return "/" + self.served.post("/v1/portal-sessions", for_whom)["url"].split("/", 3)[3]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def path(self, template: str) -> str:
        """A path with the names of what is shown filled in: /disputes/{late}."""
        ids = {name: f"{'order' if 'order' in name else 'dispute'}_0_{number}" for name, number in self.shown.items()}
        return template.format_map(ids | {"webhook": self.webhook})

    def cookie(self, role: str) -> dict[str, Any]:
        """The cookie of somebody who is signed in."""
        kind, name, subject, store = WHO[role]
        secret = self.served.site.access.begin_session(kind, name, subject, store, self.served.wall)
        return {"name": SESSION, "value": secret, "url": self.address}

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=5)
        self.served.close()


class Tab:
    """One reader's tab. What goes wrong in it (a script's error, a blocked or foreign request) is kept."""

    def __init__(self, site: Site, page: Any) -> None:
        self.site, self.page, self.wrong = site, page, []
        page.on("console", lambda said: self.wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(site.address) else self.wrong.append(asked.url))

    def open(self, template: str) -> None:
        answer = self.page.goto(f"{self.site.address}{self.site.path(template)}")
        assert answer.status == 200, f"{template}: {answer.status}"

    def text(self) -> str:
        """What is to be read, once the page that a click leads to is there as a whole."""
        self.page.wait_for_load_state()
        return self.page.inner_text("body")

    def findings(self, *rules: str) -> list[str]:
        """What axe finds on the page, by all its rules or by some; and whether the page is wider than its window."""
        # A script tag would be refused, as it should be.
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
        found = self.page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **only})
        told = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]]
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return [*told, *([f"{wide} px too wide"] if wide > 0 else [])]


@contextmanager
def tab(browser: Any, site: Site, role: str, size: tuple[int, int] = DESKTOP, **more: Any) -> Iterator[Tab]:
    """A new tab of somebody; `java_script_enabled`, `color_scheme`, `locale` as the browser's contexts take them."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=width < 500,
        **{"locale": "en-GB", "timezone_id": "Europe/Berlin", "bypass_csp": False} | more,
    )
    # What a browser knows from its first page on; without it that page is asked for twice.
    context.add_cookies([{"name": "houbao_zone", "value": "Europe/Berlin", "url": site.address}])
    if role in WHO:
        context.add_cookies([site.cookie(role)])
    try:
        yield Tab(site, context.new_page())
    finally:
        context.close()
