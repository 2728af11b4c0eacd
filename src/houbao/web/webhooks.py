"""A webhook made, its secret turned, a delivery made again, whoever asks for it: the API or an admin's page."""

import secrets
from collections.abc import Sequence
from hashlib import blake2b

from houbao.core.terms import Refused, check_reference
from houbao.engine.announcing import Hook, Secret
from houbao.store import hooks
from houbao.web.callers import Caller
from houbao.web.site import PART, Site, number_of


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
    kept = site.hooks.add(hook, PART, caller.doer)
    if (kept.url, kept.types, kept.store) != (hook.url, hook.types, hook.store):
        raise Refused("key_reused", f"the key {key} was used for another webhook")
    return kept, kept is not hook


def turn(site: Site, caller: Caller, key: str, number: str) -> tuple[Hook, bool]:
    """A new secret; also says whether that very wish was granted before. Raises Refused: unknown_webhook."""
    secret = Secret(site.new_secret(), wish=_wish(caller, key))
    kept = known(site.hooks.rotate(number, secret, site.wall(), caller.doer), number)
    return kept, kept.secrets[0] != secret


def again(site: Site, number: str, message: str) -> int:
    """Have an event delivered once more, with the id that it had; returns its position. Raises Refused: bad_id,
    unknown_webhook, webhook_ended, unknown_delivery."""
    position = number_of("msg", message)
    if site.hooks.again(PART, number, position, site.wall()):
        return position
    with site.snapshot() as reading:
        hook = known(hooks.hook_of(reading, number), number)
    if hook.ended_at is not None:
        raise Refused("webhook_ended", f"webhook {number} is told no more since {hook.ended_at:%Y-%m-%dT%H:%M:%SZ}")
    raise Refused("unknown_delivery", f"webhook {number} has no delivery {message[:64]}")


def _wish(caller: Caller, key: str) -> str:
    """By what the caller's wish is known again; empty without an idempotency key."""
    return blake2b(f"{caller.id}\0{key}".encode(), digest_size=6).hexdigest() if key else ""
