"""`houbao statement STORE`: every entry of a store's own accounts, with the running balance."""

from collections.abc import Mapping, Sequence

from houbao.commands.terminal import CommandFailed
from houbao.core.money import decimal
from houbao.core.scopes import EVERYTHING
from houbao.core.terms import Refused, public_id
from houbao.store.statements import Entry, currencies, statement
from houbao.wiring import House

Pages = Mapping[str, Sequence[Entry]]


def statements(house: House, store: str, currency: str) -> Pages:
    """Currency → the store's entries in it; of one currency where that is named. Raises CommandFailed for
    none, Refused: unknown_store."""
    connection = house.database.connection
    codes = [currency] if currency else currencies(connection, 0, store)
    pages = {code: statement(connection, EVERYTHING, 0, store, code).entries for code in codes}
    if not any(pages.values()):
        if house.database.store(0, store) is None:
            raise Refused("unknown_store", f"no store {store!r}: register it first")
        where = f" in {currency}" if currency else ""
        raise CommandFailed(f"no entries for store {store!r}{where}")
    return pages


def told(store: str, pages: Pages, most: int) -> list[str]:
    """The last `most` entries of each as lines of text."""
    lines: list[str] = []
    for code, entries in pages.items():
        page = entries[-most:]
        cut = f", the last {most}" if len(entries) > most else ""
        lines.append(f"Store {store} · {code} · {len(entries)} entries{cut} · times in UTC")
        if cut:
            lines.append(
                f"{'':16} {'opening balance':<18} {'':12} {decimal(page[0].balance - page[0].minor, code):>12}"
            )
        for e in page:
            about = ", ".join(public_id(kind, 0, getattr(e, kind)) for kind in ("order", "dispute") if getattr(e, kind))
            amounts = f"{decimal(e.minor, code):>12} {decimal(e.balance, code):>12}"
            lines.append(f"{e.at:%Y-%m-%d %H:%M} {e.kind:<18} {amounts}  {about}".rstrip())
    return lines
