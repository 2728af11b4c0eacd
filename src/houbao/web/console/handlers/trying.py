"""Trying a command out, for pages that are already off the event loop."""

from houbao.core.decider import Command
from houbao.core.terms import Actor
from houbao.engine.ports import Preview, Request
from houbao.web.site import Site


def try_out(site: Site, command: Command, by: Actor, *, seen: int = 0) -> Preview:
    """What the command would do now; nothing is saved. Raises Refused as the command would be."""
    return site.engine.preview(Request(command, by, site.clock(), seen=seen))
