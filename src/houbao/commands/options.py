"""What many commands take."""

from typing import Annotated

from cyclopts import Parameter, validators

DatabaseUrl = Annotated[str | None, Parameter(name="--database", help="sqlite:///FILE; default: HOUBAO_DATABASE_URL")]
AtLeastOne = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1_000_000))]
Parts = Annotated[int, Parameter(help="Into how many parts; this version has one")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document")]
