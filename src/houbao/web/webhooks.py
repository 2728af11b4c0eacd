"""A webhook made, and its secret turned, whoever asks for it: the API or an admin's page."""

import secrets
from collections.abc import Sequence
from hashlib import blake2b

from houbao.core.terms import Refused, check_reference
from houbao.engine.announcing import Hook, Secret
from houbao.web.callers import Caller
from houbao.web.site import PART, Site


def known(hook: Hook | None, number: str) -> Hook:
    """The webhook that was looked for. Raises Refused: unknown_webhook."""
    if hook is None:
        raise Refused("unknown_webhook", f"no webhook {number[:64]!r}")
    return hook


def add(site: Site, caller: Caller, key: str, *, url: str, types: Sequence[str], store: str) -> tuple[Hook, bool]:
    """Tell another receiver from now on; also says whether that very wish was granted before. `key` is the caller's
    idempotency key, or empty. Raises Refused: bad_url, bad_reference, key_reused."""
    site.check_url(url)
    if store:
        check_reference("store_id", store)
    hook = Hook(
        id=f"webhook_{_wish(caller, key) or secrets.token_hex(6)}",
        url=url,
        types=tuple(types),
        store=store,
        secrets=(Secret(site.new_secret()),),
        created_at=site.wall(),
    )
    kept = site.hooks.add(hook, PART)
    if (kept.url, kept.types, kept.store) != (hook.url, hook.types, hook.store):
        raise Refused("key_reused", f"the key {key} was used for another webhook")
    return kept, kept is not hook


def turn(site: Site, caller: Caller, key: str, number: str) -> tuple[Hook, bool]:
    """A new secret; also says whether that very wish was granted before. Raises Refused: unknown_webhook."""
    secret = Secret(site.new_secret(), wish=_wish(caller, key))
    kept = known(site.hooks.rotate(number, secret, site.wall()), number)
    return kept, kept.secrets[0] != secret


def _wish(caller: Caller, key: str) -> str:
    """By what the caller's wish is known again; empty without an idempotency key."""
    return blake2b(f"{caller.id}\0{key}".encode(), digest_size=6).hexdigest() if key else ""
