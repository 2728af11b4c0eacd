"""A marketplace that is too small to be true, with its after-sales handled by Houbao.

What every shop's software does, and no more: it registers its stores, sends each order and what happens to it, sends a
buyer who needs help to Houbao's pages, and hears by signed webhook what became of it. Its own data lives in memory.

    HOUBAO_KEY=hb_… HOUBAO_WEBHOOK_SECRET=whsec_… uvicorn --factory shop:create
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from uuid import uuid4

from litestar import Litestar, MediaType, Request, get, post
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect
from standardwebhooks import Webhook, WebhookVerificationError

from houbao.client import ApiError, Client

GOODS = {"lamp": ("oak", 4000), "kettle": ("elm", 2900)}
"""What is sold: by which store, for how many cents."""

BUYER = "ann"
"""Who is signed in; a real shop knows that from its own session."""


@dataclass
class Sale:
    """An order as the shop keeps it: its number, what was bought, and Houbao's id and word on it."""

    number: int
    goods: str
    houbao_id: str = ""
    covered: bool = False
    delivered: bool = False
    trouble: str = ""


class Shop:
    """The marketplace: its sales, and its line to Houbao. What it knows ends with the process, so that each run numbers
    its orders in a series of its own."""

    def __init__(self, houbao: Client, webhook_secret: str) -> None:
        self.houbao = houbao
        self.hooks = Webhook(webhook_secret)
        self.series = uuid4().hex[:6]
        self.sales: dict[int, Sale] = {}
        for store in sorted({store for store, _ in GOODS.values()}):
            self._join(store)

    def _join(self, store: str) -> None:
        """Make a store known and let it join; started again, the shop finds it there."""
        try:
            self.houbao.register_store(store, name=store.title(), email=f"{store}@shop.example", key=f"store-{store}")
            self.houbao.enrol(store)
        except ApiError as error:
            if error.code != "store_exists":
                raise

    def buy(self, goods: str) -> Sale:
        """The buyer has paid: Houbao is told, and says at once whether the order is covered."""
        store, cents = GOODS[goods]
        number, now = len(self.sales) + 1, datetime.now(UTC)
        price = {"minor": cents, "currency": "EUR"}
        order = self.houbao.place_order(
            {
                "store_id": store,
                "reference": f"{self.series}-{number}",
                "buyer_id": BUYER,
                "currency": "EUR",
                "lines": [{"id": goods, "item": price}],
                "payments": [{"id": f"card-{number}", "provider": "sandbox", "amount": price}],
                "placed_at": now.isoformat(),
                "paid_at": now.isoformat(),
                "ship_by": (now + timedelta(days=2)).isoformat(),
                "promised_by": (now + timedelta(days=7)).isoformat(),
            },
            key=f"order-{self.series}-{number}",
        )
        sale = self.sales[number] = Sale(number, goods, order.id, order.coverage.covered)
        return sale

    def delivered(self, sale: Sale) -> None:
        """The carrier's scan, passed on. The key makes a second scan harmless."""
        now = datetime.now(UTC).isoformat()
        for event in ("shipped", "delivered"):
            self.houbao.report(sale.houbao_id, event, at=now, key=f"{event}-{self.series}-{sale.number}")
        sale.delivered = True

    def heard(self, body: str, headers: dict[str, str]) -> None:
        """What Houbao says of its own accord. Whoever cannot sign it is not Houbao."""
        said = self.hooks.verify(body, headers)
        order = said.get("order_id") or said.get("data", {}).get("order_id")
        for sale in self.sales.values():
            if sale.houbao_id == order:
                sale.trouble = str(said["type"]).replace("_", " ")


def create(shop: Shop | None = None) -> Litestar:
    """The shop as a web application; by default with the line to Houbao that the environment names."""
    if shop is None:
        client = Client(os.environ.get("HOUBAO_URL", "http://127.0.0.1:8700"), os.environ["HOUBAO_KEY"])
        shop = Shop(client, os.environ["HOUBAO_WEBHOOK_SECRET"])

    def sale_of(number: int) -> Sale:
        if number not in shop.sales:
            raise NotFoundException(f"there is no order {number}")
        return shop.sales[number]

    @get("/", media_type=MediaType.HTML)
    async def front() -> str:
        """What is for sale, and what was bought."""
        buttons = "".join(_button(f"/buy/{goods}", f"Buy a {goods}") for goods in GOODS)
        return f"<h1>Shop</h1>{buttons}<h2>My orders</h2><ul>{''.join(map(_row, shop.sales.values()))}</ul>"

    @post("/buy/{goods:str}", sync_to_thread=True)
    def buy(goods: FromPath[str]) -> Redirect:
        if goods not in GOODS:
            raise NotFoundException(f"we do not sell {goods}")
        shop.buy(goods)
        return Redirect("/", status_code=303)

    @post("/orders/{number:int}/delivered", sync_to_thread=True)
    def delivered(number: FromPath[int]) -> Redirect:
        shop.delivered(sale_of(number))
        return Redirect("/", status_code=303)

    @post("/orders/{number:int}/help", sync_to_thread=True)
    def get_help(number: FromPath[int]) -> Redirect:
        """Something is wrong with it: from here on the buyer is on Houbao's pages."""
        sale_of(number)
        return Redirect(shop.houbao.portal_link(buyer=BUYER), status_code=303)

    @post("/hooks/houbao", status_code=204)
    async def hook(request: Request) -> None:
        try:
            shop.heard((await request.body()).decode(), dict(request.headers))
        except WebhookVerificationError as error:
            raise ClientException(f"not signed by Houbao: {error}", status_code=401) from error

    return Litestar([front, buy, delivered, get_help, hook], openapi_config=None)


def _button(path: str, label: str) -> str:
    return f'<form method="post" action="{escape(path)}"><button>{escape(label)}</button></form>'


def _row(sale: Sale) -> str:
    covered = "covered by the guarantee" if sale.covered else "not covered"
    state = sale.trouble or ("delivered" if sale.delivered else "on its way")
    buttons = "" if sale.delivered else _button(f"/orders/{sale.number}/delivered", "It arrived")
    return (
        f"<li>{escape(sale.goods)}: {escape(state)}, {covered} {buttons}"
        f"{_button(f'/orders/{sale.number}/help', 'Something is wrong')}</li>"
    )
