"""The pages that people work with. The server serves every handler that this package names.

How a page is made: an ordinary Litestar handler with `opt=on("some.action")`. The one guard of the application (see
`web/guard.py`) has then found the caller, looked the action up in `web/permissions.py`, and refused whoever may not;
a handler without an action does not start. A handler asks for what it needs by name:

- `caller: Caller` is who asks (`role`, `store`, `buyer`, `id`); `reach: Scope` is whose rows the action may reach, to
  be passed to every function of `store/lists.py`;
- `site: Site` has `snapshot()` (a reading connection), `execute(...)`, `preview(...)`, `clock()`.

Templates are in `web/templates`, extend `layout.html` and are made of the macros in `templates/parts`, all of which
stand on `/styleguide`; `frame.page(...)` renders one for whoever asked. What a page shows comes from `views` (plain
records, read from a snapshot), what it says goes through the reader's `Voice` (`language.py`): every sentence is a
message, marked by `_()` in templates and `N_()` in Python, and `python -m houbao.web.console.catalogues` gathers them.
Every form holds `f.hidden()`, which carries the session's token; htmx sends it as the header `X-CSRF-Token`. A role's
places in the navigation are in `shell.PLACES`. Somebody who is not signed in is sent to `/sign-in` when they ask for a
page.
"""

from collections.abc import Sequence
from typing import Any

from houbao.web.console.handlers import (
    account,
    audit,
    books,
    cases,
    disputes,
    doors,
    fund,
    guarantee,
    hooks,
    live,
    movements,
    opening,
    orders,
    outages,
    people,
    policies,
    publishing,
    queues,
    reconciling,
    record,
    refunds,
    reserves,
    seller,
    stores,
)
from houbao.web.console.rendering import STATIC as STATIC

HANDLERS: Sequence[Any] = (
    *doors.HANDLERS,
    *account.HANDLERS,
    *disputes.HANDLERS,
    *orders.HANDLERS,
    *opening.HANDLERS,
    *seller.HANDLERS,
    *books.HANDLERS,
    *record.HANDLERS,
    *guarantee.HANDLERS,
    *live.HANDLERS,
    *queues.HANDLERS,
    *cases.HANDLERS,
    *fund.HANDLERS,
    *movements.HANDLERS,
    *reserves.HANDLERS,
    *reconciling.HANDLERS,
    *refunds.HANDLERS,
    *policies.HANDLERS,
    *publishing.HANDLERS,
    *people.HANDLERS,
    *stores.HANDLERS,
    *outages.HANDLERS,
    *hooks.HANDLERS,
    *audit.HANDLERS,
)
"""The handlers of all pages: functions, controllers or routers of Litestar."""

problem_page = doors.problem_page
"""The page that tells of what could not be served."""
