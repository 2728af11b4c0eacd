"""The pages that people work with. The server serves every handler that this package names.

How a page is made: an ordinary Litestar handler with `opt=on("some.action")`. The one guard of the application (see
`web/guard.py`) has then found the caller, looked the action up in `web/permissions.py`, and refused whoever may not;
a handler without an action does not start. A handler asks for what it needs by name:

- `caller: Caller` is who asks (`role`, `store`, `buyer`, `id`); `reach: Scope` is whose rows the action may reach, to
  be passed to every function of `store/lists.py`;
- `site: Site` has `snapshot()` (a reading connection), `execute(...)`, `preview(...)`, `clock()`.

Templates are in `web/templates`; every one may use `csrf_token()`: put it into each form as the hidden field
`csrf_token`, and scripts send it as the header `X-CSRF-Token`. Somebody who is not signed in is sent to `/sign-in`
when they ask for a page.
"""

from collections.abc import Sequence
from typing import Any

HANDLERS: Sequence[Any] = ()
"""The handlers of all pages: functions, controllers or routers of Litestar."""
