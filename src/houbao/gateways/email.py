"""Mail out: into a folder, where nobody has a mail server, or over SMTP."""

import contextlib
import hashlib
import re
import smtplib
import ssl
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from urllib.parse import quote

from houbao.engine.outside import Letter, Posted

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{LABEL}(?:\.{LABEL})*", re.ASCII)
"""One plain address as HTML's e-mail field takes it: no name, no comma, no white space, so no second header."""

ENCODED = "=?"
"""How an encoded word begins. `email` decodes those in what it is given, and writes out the line ends hidden there."""

# 7bit, for not every server on the way takes 8 bits.
POLICY = SMTP.clone(cte_type="7bit")


def is_address(text: str) -> bool:
    """Whether this is one plain e-mail address."""
    return len(text) <= 254 and ENCODED not in text and ADDRESS.fullmatch(text) is not None


def compose(letter: Letter, sender: str, at: datetime) -> EmailMessage:
    """The letter as a message, UTF-8, dated `at`: plain text, and HTML beside it where it has that. The same reference
    and sender give the same Message-ID."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage(POLICY)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = _one_line(letter.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{hashlib.sha256(letter.reference.encode()).hexdigest()[:40]}@{domain}>"
    # Keeps out-of-office answers from coming back.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body, charset="utf-8")
    if letter.html:
        message.add_alternative(letter.html, subtype="html", charset="utf-8")
    message["Content-Language"] = letter.language  # last: a second part takes what stands here to the first one
    return message


class FolderMailer:
    """Writes each letter into a folder as an .eml file; the same reference overwrites its file."""

    def __init__(
        self,
        folder: Path,
        sender: str = "Houbao <no-reply@houbao.invalid>",
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        _check_sender(sender)
        self._folder, self._sender = folder, sender
        self._clock = clock or _machine_clock

    def post(self, letter: Letter) -> Posted:
        """Write one letter: whole or not at all. The detail is the file's name."""
        if not is_address(letter.to):
            return _no_address(letter)
        name = _file_name(letter.reference)
        content = compose(letter, self._sender, self._clock()).as_bytes()
        temporary = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".tmp", delete=False) as file:
                temporary = Path(file.name)
                file.write(content)
            temporary.replace(self._folder / name)
        except OSError as error:
            if temporary:
                temporary.unlink(missing_ok=True)
            return Posted("later", str(error))
        return Posted("accepted", name)


class SmtpMailer:
    """Hands letters to a mail server. `timeout` in seconds for each step. With `starttls` nothing is sent in clear."""

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        user: str = "",
        password: str = "",
        starttls: bool = False,
        timeout: float = 10,
    ) -> None:
        _check_sender(sender)
        self._host, self._port, self._sender = host, port, sender
        self._user, self._password, self._starttls, self._timeout = user, password, starttls, timeout

    def post(self, letter: Letter) -> Posted:
        """Hand one letter over. A no to this letter bounces; a server that is not reached, or turns us away before
        it has heard of the letter, gets it later. The detail is the server's words."""
        if not is_address(letter.to):
            return _no_address(letter)
        content = compose(letter, self._sender, _machine_clock()).as_bytes()
        try:
            smtp = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        except (OSError, smtplib.SMTPException) as error:
            return Posted("later", _words(error))
        try:
            return self._hand_over(smtp, letter.to, content)
        except (OSError, smtplib.SMTPException) as error:
            return Posted("later", _words(error))
        finally:
            # A letter is accepted once the server said so; how it takes its leave changes nothing.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    def _hand_over(self, smtp: smtplib.SMTP, to: str, content: bytes) -> Posted:
        if self._starttls:
            smtp.starttls(context=ssl.create_default_context())
        if self._user:
            smtp.login(self._user, self._password)
        smtp.ehlo_or_helo_if_needed()
        for step in (lambda: smtp.mail(parseaddr(self._sender)[1]), lambda: smtp.rcpt(to)):
            code, words = step()
            if not 200 <= code < 300:
                return _turned_down(code, words)
        try:
            code, words = smtp.data(content)
        except smtplib.SMTPDataError as error:
            code, words = error.smtp_code, error.smtp_error
        return Posted("accepted", _text(words)) if code == 250 else _turned_down(code, words)


def _turned_down(code: int, words: bytes | str) -> Posted:
    return Posted("bounced" if 500 <= code < 600 else "later", f"{code} {_text(words)}")


def _no_address(letter: Letter) -> Posted:
    return Posted("bounced", f"not an e-mail address: {letter.to!r}" if letter.to else "no e-mail address")


def _check_sender(sender: str) -> None:
    if not (sender.isprintable() and ENCODED not in sender and is_address(parseaddr(sender)[1])):
        raise ValueError(f"the sender is not an e-mail address: {sender!r}")


def _file_name(reference: str) -> str:
    name = quote(reference, safe="")
    return f"{name if len(name) <= 120 else hashlib.sha256(reference.encode()).hexdigest()}.eml"


def _one_line(text: str) -> str:
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    return " ".join(words).replace(ENCODED, "= ?")


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error) or type(error).__name__


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words


def _machine_clock() -> datetime:
    return datetime.now(UTC)
