"""The one place for settings: `houbao.toml` in the working folder, overridden by `HOUBAO_…` environment variables."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta, Struct

Port = Annotated[int, Meta(ge=1, le=65_535)]


class SettingsError(Exception):
    """A setting cannot be used; the message names it and says what to write."""


class Settings(Struct, frozen=True):
    """All settings with their defaults. A name here is `HOUBAO_` + the name in capitals in the environment.

    Mail goes to `smtp_host` where that is set, else as files into `mail_folder` (default: beside the database).
    `sandbox_provider` is host:port of a sandbox provider that runs as its own process; without it, it runs in this one.
    `public_url` is how browsers reach the server, e.g. https://claims.example: links and cookies are made for it.
    Photographs are kept in `evidence_folder` (default: beside the database); `key_file` (default: beside the database)
    holds the key that signs links to them.
    `webhooks_inside` lets webhooks go to machines of this network too, over http: never where strangers may add them.
    `sandbox_webhook_secret` (`whsec_…`) is what the provider signs its own messages with; without it none is taken.
    `rates_url` is where the European Central Bank publishes all its rates since 1999, about 650 kB.
    """

    database_url: str = "sqlite:///houbao.db"
    mail_folder: str = ""
    mail_sender: str = "Houbao <no-reply@houbao.invalid>"
    smtp_host: str = ""
    smtp_port: Port = 25
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_starttls: bool = False
    alerts_to: str = "alerts@houbao.invalid"
    sandbox_provider: str = ""
    public_url: str = ""
    evidence_folder: str = ""
    key_file: str = ""
    webhooks_inside: bool = False
    sandbox_webhook_secret: str = ""
    rates_url: str = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"


def load(folder: Path | None = None) -> Settings:
    """The settings in force. Raises SettingsError naming the one at fault."""
    path = (folder or Path.cwd()) / "houbao.toml"
    try:
        values: dict[str, object] = tomllib.loads(path.read_text()) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"houbao.toml is not TOML: {error}") from None
    for name in Settings.__struct_fields__:
        if (given := os.environ.get(f"HOUBAO_{name.upper()}")) is not None:
            values[name] = given
    if unknown := sorted(values.keys() - set(Settings.__struct_fields__)):
        raise SettingsError(
            f"houbao.toml: no setting {unknown[0]!r}; there are {', '.join(Settings.__struct_fields__)}"
        )
    return Settings(**{name: _read(name, value) for name, value in values.items()})


WRITTEN = {str: "a text", Port: "a port, a whole number from 1 to 65535", bool: "true or false"}
"""Type of a setting → what to write for it."""


def _read(name: str, value: object) -> Any:
    """A setting's value, of its type."""
    kind = get_type_hints(Settings, include_extras=True)[name]
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        where = f"HOUBAO_{name.upper()}"
        said = where if where in os.environ else f"houbao.toml: {name}"
        raise SettingsError(f"{said} is {value!r}: write {WRITTEN[kind]}") from None
