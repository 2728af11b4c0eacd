"""A letter on paper: the same words as plain text and as HTML that mail programs show. Nothing in it is fetched from
anywhere, and its only link is the button."""

from html import escape

from msgspec import Struct

INK, DIM, LINE, ACCENT, WASH = "#14181d", "#5b6673", "#dfe4e8", "#005a82", "#fdf5e6"
"""The console's colours in light; mail programs know no custom properties."""
FONT = (
    "-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Liberation Sans',Arial,'PingFang SC','Microsoft YaHei',"
    "'Noto Sans CJK SC',sans-serif"
)


class Words(Struct, frozen=True):
    """What a letter says, in its reader's language: what happened; until when, what may be done till then, and what
    happens if nothing is; the words on the one button; what it is about."""

    subject: str
    says: str = ""
    until: str = ""
    may: str = ""
    then: str = ""
    button: str = ""
    about: str = ""


def as_text(words: Words, link: str) -> str:
    """The letter as plain text."""
    body = "\n".join(filter(None, (words.says, words.until, words.may, words.then)))
    link = f"{words.button}:\n{link}" if link else ""
    return "\n\n".join(filter(None, (body, link, words.about))) + "\n"


def as_html(words: Words, link: str, language: str) -> str:
    """The letter as one HTML page."""
    parts = [
        _paragraphs(words.says, "margin:0 0 16px"),
        _until(words),
        _button(words.button, link),
        f'<p style="margin:24px 0 0;padding-top:16px;border-top:1px solid {LINE};font-size:13px;line-height:20px;'
        f'color:{DIM}">{escape(words.about)}</p>'
        if words.about
        else "",
    ]
    return PAGE.format(
        language=escape(language),
        font=FONT,
        ink=INK,
        line=LINE,
        subject=escape(words.subject),
        preview=escape(" ".join(filter(None, (words.until or words.says, words.then)))),
        body="\n".join(filter(None, parts)),
    )


def _paragraphs(text: str, style: str) -> str:
    return "\n".join(f'<p style="{style}">{escape(line)}</p>' for line in text.split("\n") if line)


def _until(words: Words) -> str:
    """What cannot be overlooked: until when, and what happens then."""
    if not (words.until or words.then):
        return ""
    lines = [
        f'<p style="margin:0;font-weight:600">{escape(words.until)}</p>' if words.until else "",
        _paragraphs(words.may, "margin:6px 0 0"),
        _paragraphs(words.then, f"margin:{6 if words.until else 0}px 0 0"),
    ]
    inside = "\n".join(filter(None, lines))
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:0 0 20px"><tr>'
        f'<td style="padding:14px 16px;background:{WASH};border-left:3px solid #874400">{inside}</td></tr></table>'
    )


def _button(says: str, link: str) -> str:
    if not link:
        return ""
    return (
        '<table role="presentation" cellpadding="0" cellspacing="0"><tr>'
        f'<td style="border-radius:6px;background:{ACCENT}"><a href="{escape(link)}" style="display:inline-block;'
        f'padding:11px 22px;color:#ffffff;font-weight:600;text-decoration:none">{escape(says)}</a></td></tr></table>'
    )


PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{subject}</title>
</head>
<body style="margin:0;background:#f5f7f8">
<div style="display:none;max-height:0;overflow:hidden">{preview}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f5f7f8"><tr>
<td align="center" style="padding:24px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;\
border:1px solid {line};border-radius:8px"><tr>
<td align="left" style="padding:28px;font-family:{font};font-size:15px;line-height:24px;color:{ink}">
<h1 style="margin:0 0 16px;font-size:20px;line-height:28px;font-weight:650">{subject}</h1>
{body}
</td></tr></table>
</td></tr></table>
</body>
</html>
"""
