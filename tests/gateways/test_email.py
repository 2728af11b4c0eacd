import contextlib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from given import T
from houbao.engine.outside import Letter, Notifier
from houbao.gateways.email import FolderMailer, SmtpMailer
from houbao.settings import Settings, SettingsError
from houbao.wiring import House, create_database

LETTER = Letter(
    to="seller@example.com",
    subject="Streit 4711: bitte antworten — 请回复",
    body="Grüß Gott,\n\n.ein Punkt am Anfang\n请在五天内回复。\n",
    reference="dispute_0_4711:notice:1",
)
BAD = [
    "",
    "nobody",
    "a@b@c",
    "a b@example.com",
    "a@example.com,b@example.com",
    "A <a@example.com>",
    "a@example.com\r\nBcc: all@example.com",
    "a@example.com\n",
    "a@exa\x00mple.com",
    "ä@example.com",
    "=?utf-8?q?hi?=@example.com",
    "=?utf-8?q?a=0D=0ABcc:_b=40c.d?=@example.com",
    f"{'a' * 65}@example.com",
]


class Postmaster:
    """What a mail server says is told by the recipient's name: `rcpt-550`, `data-451` …"""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: list) -> str:
        if to.startswith("rcpt-"):
            return f"{to[5:8]} words about the box"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        to = envelope.rcpt_tos[0]
        if to.startswith("data-"):
            return f"{to[5:8]} words about the letter"
        self.taken.append(envelope)
        return "250 queued as 4F2A"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return "421 a rude good-bye"


class AnyPort(Controller):
    def _trigger_server(self) -> None:
        assert self.server
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture(scope="module")
def server() -> Iterator[AnyPort]:
    controller = AnyPort(Postmaster(), hostname="127.0.0.1", port=0)
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def mailer(server: AnyPort) -> SmtpMailer:
    server.handler.taken.clear()
    return SmtpMailer("127.0.0.1", server.port, "Houbao 售后宝 <care@shop.example>", timeout=3)


def to(address: str) -> Letter:
    return Letter(address, LETTER.subject, LETTER.body, LETTER.reference)


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def text(message: EmailMessage) -> str:
    return message.get_content().replace("\r\n", "\n")


def test_a_letter_arrives_as_it_was_written(server: AnyPort, mailer: SmtpMailer) -> None:
    notifier: Notifier = mailer
    posted = notifier.post(LETTER)
    assert (posted.result, posted.detail) == ("accepted", "queued as 4F2A")
    (envelope,) = server.handler.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("care@shop.example", ["seller@example.com"])
    assert envelope.original_content.isascii()
    message = read(envelope.original_content)
    assert message["Subject"] == LETTER.subject and text(message) == LETTER.body
    assert message["From"] == "Houbao 售后宝 <care@shop.example>" and message["To"] == LETTER.to
    assert message["Date"].datetime and message.get_content_charset() == "utf-8"


def test_a_letter_with_html_arrives_as_both_in_its_language_and_either_can_be_read_alone(
    server: AnyPort, mailer: SmtpMailer
) -> None:
    html = (
        '<!doctype html>\n<html lang="zh-Hans"><p>请在五天内回复。</p><a href="https://x.example/1">去答复</a></html>\n'
    )
    mailer.post(Letter(LETTER.to, LETTER.subject, LETTER.body, LETTER.reference, html, "zh-Hans"))
    (envelope,) = server.handler.taken
    assert envelope.original_content.isascii()
    message = read(envelope.original_content)
    assert (message.get_content_type(), message["Content-Language"]) == ("multipart/alternative", "zh-Hans")
    plain, page = message.iter_parts()
    assert (plain.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    assert text(plain) == LETTER.body and text(page) == html
    assert message.get_body(("html", "plain")) is not None


def test_the_same_reference_gives_the_same_message_id(server: AnyPort, mailer: SmtpMailer) -> None:
    for reference in ("one", "one", "two\r\nX-Evil: yes"):
        mailer.post(Letter(LETTER.to, "Hello", "Hello", reference))
    one, again, other = [read(envelope.original_content) for envelope in server.handler.taken]
    assert one["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert one["Message-ID"].endswith("@shop.example>") and other["X-Evil"] is None


@pytest.mark.parametrize("address", ["rcpt-550@example.com", "data-554@example.com"])
def test_a_definite_no_bounces_with_the_servers_words(mailer: SmtpMailer, address: str) -> None:
    posted = mailer.post(to(address))
    assert posted.result == "bounced" and posted.detail.startswith(f"{address[5:8]} words about")


@pytest.mark.parametrize("address", ["rcpt-451@example.com", "data-452@example.com"])
def test_a_no_for_now_is_tried_later(mailer: SmtpMailer, address: str) -> None:
    posted = mailer.post(to(address))
    assert posted.result == "later" and posted.detail.startswith(f"{address[5:8]} words about")


def test_nobody_listening_is_tried_later() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert SmtpMailer("127.0.0.1", taken.getsockname()[1], "a@b.example").post(LETTER).result == "later"


def test_a_server_that_says_nothing_is_tried_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mailer = SmtpMailer("127.0.0.1", mute.getsockname()[1], "a@b.example", timeout=0.3)
        assert mailer.post(LETTER).result == "later"


@pytest.mark.parametrize("option", [{"starttls": True}, {"user": "me", "password": "secret"}])
def test_a_server_that_cannot_keep_a_secret_gets_nothing(server: AnyPort, option: dict) -> None:
    server.handler.taken.clear()
    mailer = SmtpMailer("127.0.0.1", server.port, "a@b.example", **option)
    assert mailer.post(LETTER).result == "later"
    assert server.handler.taken == []


@pytest.mark.parametrize(
    ("host", "option", "starts"),
    [
        ("mail.example", {"smtp_user": "me"}, False),
        ("mail.example", {"smtp_user": "me", "smtp_starttls": True}, True),
        ("mail.example", {}, True),
        ("127.0.0.1", {"smtp_user": "me"}, True),
    ],
)
def test_a_password_goes_to_no_other_machine_in_clear(tmp_path: Path, host: str, option: dict, starts: bool) -> None:
    url = f"sqlite:///{tmp_path}/live.db"
    create_database(url, currency="EUR", launched_at=T, sandbox_clock=T)
    wrong = pytest.raises(SettingsError, match="write smtp_starttls = true")
    with contextlib.nullcontext() if starts else wrong:
        House(Settings(database_url=url, smtp_host=host, smtp_password="secret", **option)).close()


@pytest.mark.parametrize("address", BAD)
def test_what_is_no_address_bounces_and_goes_nowhere(
    server: AnyPort, mailer: SmtpMailer, tmp_path: Path, address: str
) -> None:
    assert mailer.post(to(address)).result == "bounced"
    assert server.handler.taken == []
    assert FolderMailer(tmp_path).post(to(address)).result == "bounced"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("subject", "arrives"),
    [
        ("Hello\r\nBcc: all@example.com\u2028there", "Hello Bcc: all@example.com there"),
        ("=?utf-8?q?a=0D=0ABcc:_all?=", "= ?utf-8?q?a=0D=0ABcc:_all?="),
        ("==?utf-8?q?a=0D=0A=0D=0Ab?= é", "== ?utf-8?q?a=0D=0A=0D=0Ab?= é"),
        ("", ""),
    ],
)
def test_a_subject_stays_one_header(server: AnyPort, mailer: SmtpMailer, subject: str, arrives: str) -> None:
    mailer.post(Letter(LETTER.to, subject, "Hello", "r"))
    (envelope,) = server.handler.taken
    message = read(envelope.original_content)
    assert message["Subject"] == arrives and message["Bcc"] is None and text(message) == "Hello\n"


@pytest.mark.parametrize(
    "sender", ["", "nobody", "a@b.example\r\nBcc: c@d.example", "=?utf-8?q?=0ABcc:?= <a@b.example>"]
)
def test_a_sender_that_is_no_address_is_an_error_at_once(tmp_path: Path, sender: str) -> None:
    with pytest.raises(ValueError, match="sender"):
        SmtpMailer("127.0.0.1", 25, sender)
    with pytest.raises(ValueError, match="sender"):
        FolderMailer(tmp_path, sender)


def test_a_folder_keeps_each_letter_as_a_file_that_mail_programs_open(tmp_path: Path) -> None:
    noon = datetime(2018, 7, 8, 12, tzinfo=UTC)
    notifier: Notifier = FolderMailer(tmp_path / "mail", clock=lambda: noon)
    posted = notifier.post(LETTER)
    assert posted.result == "accepted"
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == posted.detail and file.suffix == ".eml"
    message = read(file.read_bytes())
    assert message["Subject"] == LETTER.subject and text(message) == LETTER.body
    assert message["Date"].datetime == noon


def test_the_same_reference_overwrites_its_file(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path)
    mailer.post(LETTER)
    mailer.post(Letter(LETTER.to, LETTER.subject, "second", LETTER.reference))
    (file,) = tmp_path.iterdir()
    assert text(read(file.read_bytes())) == "second\n"


@pytest.mark.parametrize("reference", ["../../etc/x", "..", "a/b", "x" * 300, "a\nb", ".hidden"])
def test_no_reference_leads_out_of_the_folder(tmp_path: Path, reference: str) -> None:
    posted = FolderMailer(tmp_path / "mail").post(Letter(LETTER.to, "s", "b", reference))
    assert posted.result == "accepted"
    assert [file.name for file in (tmp_path / "mail").iterdir()] == [posted.detail]
    assert [file.name for file in tmp_path.iterdir()] == ["mail"]


def test_a_folder_that_cannot_be_written_is_tried_later(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert FolderMailer(tmp_path / "file").post(LETTER).result == "later"
