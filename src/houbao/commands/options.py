"""What many commands take."""

from typing import Annotated

from cyclopts import Parameter, validators

DatabaseUrl = Annotated[str | None, Parameter(name="--database", help="sqlite:///FILE; default: HOUBAO_DATABASE_URL")]
AtLeastOne = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1_000_000))]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document")]
