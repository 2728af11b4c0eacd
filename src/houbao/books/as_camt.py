"""A statement as a bank would send it: ISO 20022 camt.053.001.08, one `Stmt` for each currency.

The bank is the platform, the account the store's. What an amount was for stands in `RmtInf`; the kind of transfer is a
proprietary code, its issuer Houbao.
"""

from datetime import UTC, datetime
from hashlib import blake2b
from io import TextIOBase
from xml.sax.saxutils import escape

from houbao.books.extract import Extract, Line, Sheet, dispute_of, entry_of, order_of
from houbao.core.money import decimal
from houbao.core.terms import CONTROL

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def write_camt(extract: Extract, file: TextIOBase) -> None:
    """Write the message, entry by entry."""
    made = _time(extract.made_at)
    name = _short(f"{extract.store}-{extract.made_at:%Y%m%dT%H%M%S}", 35)
    file.write(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{name}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>\n"
    )
    for sheet in extract.sheets:
        _write_statement(extract, sheet, made, file)
    file.write("</BkToCstmrStmt></Document>\n")


def _write_statement(extract: Extract, sheet: Sheet, made: str, file: TextIOBase) -> None:
    code = sheet.currency
    number = _short(f"{extract.store}-{code}-{extract.first:%Y%m%d}-{extract.last:%Y%m%d}", 35)
    owner = f"<Ownr><Nm>{_text(extract.name, 140)}</Nm></Ownr>" if extract.name.strip() else ""
    file.write(
        f"<Stmt><Id>{number}</Id><CreDtTm>{made}</CreDtTm>"
        f"<FrToDt><FrDtTm>{extract.first}T00:00:00Z</FrDtTm><ToDtTm>{extract.last}T23:59:59Z</ToDtTm></FrToDt>"
        f"<Acct><Id><Othr><Id>{_short(extract.store, 34)}</Id></Othr></Id><Ccy>{code}</Ccy>"
        f"<Nm>{_text(extract.store, 70)}</Nm>{owner}</Acct>\n"
    )
    file.write(_balance("OPBD", sheet.opening, code, str(extract.first)))
    file.write(_balance("CLBD", sheet.closing, code, str(extract.last)))
    for line in sheet.lines:
        file.write(_entry(extract, line))
    file.write("</Stmt>\n")


def _balance(kind: str, minor: int, code: str, day: str) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(minor, code)}<Dt><Dt>{day}</Dt></Dt></Bal>\n"


def _entry(extract: Extract, line: Line) -> str:
    entry, purpose = line.entry, line.purpose
    order = purpose.order or order_of(extract, line)
    refs = f"<Refs><AcctSvcrRef>{entry_of(line)}</AcctSvcrRef>"
    refs += f"<EndToEndId>{_short(order, 35)}</EndToEndId></Refs>" if order else "</Refs>"
    amount = _amount(entry.minor, entry.currency)
    return (
        f"<Ntry><NtryRef>{entry_of(line)}</NtryRef>{amount}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><DtTm>{_time(entry.at)}</DtTm></BookgDt>"
        f"<BkTxCd><Prtry><Cd>{entry.kind}</Cd><Issr>Houbao</Issr></Prtry></BkTxCd>"
        f"<NtryDtls><TxDtls>{refs}{amount}{_remittance(extract, line)}</TxDtls></NtryDtls>"
        "</Ntry>\n"
    )


def _remittance(extract: Extract, line: Line) -> str:
    """What it was for, a name and a value in each."""
    purpose = line.purpose
    told = {
        "order": order_of(extract, line),
        "order_reference": purpose.order,
        "dispute": dispute_of(extract, line),
        "dispute_reference": purpose.dispute,
        "reason": purpose.reason,
        "rule": purpose.rule,
        "policy": purpose.policy,
        "payer": purpose.payer,
        "counterparty": line.entry.counterparty,
    }
    lines = "".join(f"<Ustrd>{_text(f'{name}: {value}', 140)}</Ustrd>" for name, value in told.items() if value)
    return f"<RmtInf>{lines}</RmtInf>"


def _amount(minor: int, code: str) -> str:
    side = "DBIT" if minor < 0 else "CRDT"
    return f'<Amt Ccy="{code}">{decimal(abs(minor), code)}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(text: str, most: int) -> str:
    """At most that many characters, none of which XML forbids."""
    plain = CONTROL.sub(" ", text).replace("\ufffe", "").replace("\uffff", "").strip()
    return escape(plain[:most])


def _short(name: str, most: int) -> str:
    """A name that is too long is cut, and stays one of its own by a digest."""
    if len(name) <= most:
        return name
    return f"{name[: most - 11]}-{blake2b(name.encode(), digest_size=5).hexdigest()}"
