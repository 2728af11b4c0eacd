"""Somebody at a browser without script: reads pages, follows links, fills in the forms that are there, presses their
buttons. What a form does not offer cannot be sent."""

from typing import Any

import lxml.html
from litestar.testing import TestClient

from web.served import PASSWORD, Served


class Reader:
    """One person with a browser of their own; `page` is what is before them."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.client = TestClient(served.client.app, base_url="https://claims.example")
        self.page: Any = None
        self.path = ""

    # --- coming in -------------------------------------------------------------------------------------------------

    def sign_in(self, name: str) -> None:
        """By name and password, as the platform's people do."""
        self.open("/sign-in")
        self.press("Sign in", name=name, password=PASSWORD)

    def arrive(self, **for_whom: str) -> None:
        """By a one-time link that the marketplace asked for: `buyer_id` or `store_id`."""
        link = self.served.post("/v1/portal-sessions", for_whom)["url"]
        self.open(link.removeprefix("https://claims.example"))

    # --- reading ---------------------------------------------------------------------------------------------------

    def open(self, path: str) -> None:
        """A page that must be there."""
        self._read(self.client.get(path, headers={"Accept": "text/html"}))

    def follow(self, says: str) -> None:
        """A link, by how its words begin."""
        links = [one for one in self.page.iter("a") if _words(one).startswith(says)]
        assert links, f"no link {says!r} on {self.path}"
        self.open(links[0].get("href"))

    def text(self) -> str:
        """The words of the page, without its frame."""
        return _words(self.page.get_element_by_id("main"))

    def told(self) -> dict[str, str]:
        """Every name with what stands beside it: figures and facts."""
        return {_words(one): _words(one.getnext()) for one in self.page.iter("dt")}

    def rows(self) -> list[list[str]]:
        """The rows of the page's tables, cell by cell."""
        return [[_words(cell) for cell in row] for row in self.page.iter("tr")]

    def buttons(self) -> list[str]:
        """What can be pressed in the page's own part."""
        return [_words(one) for one in self.page.get_element_by_id("main").iter("button")]

    # --- doing -----------------------------------------------------------------------------------------------------

    def press(self, says: str, at: str = "", file: tuple[str, bytes] = ("", b""), **typed: str) -> None:
        """Fill in the form of a button, and press it. `at` is how its form's address ends, where there are several;
        `file` is the name and content of what is chosen where the form takes a file."""
        form = self._form(says, at)
        for name, value in typed.items():
            form.fields[name] = value
        sent: dict[str, list[str]] = {}
        for name, value in form.form_values():
            sent.setdefault(name, []).append(value)
        if form.method == "GET":
            return self._read(self.client.get(form.action, params=sent))
        chosen = [(one.get("name"), file) for one in form.iter("input") if one.get("type") == "file"]
        files = {"files": chosen} if form.get("enctype") == "multipart/form-data" else {}
        return self._read(self.client.post(form.action, data=sent, headers={"Accept": "text/html"}, **files))

    def _form(self, says: str, at: str) -> Any:
        for button in self.page.iter("button"):
            form = next(button.iterancestors("form"), None)
            if form is not None and _words(button).startswith(says) and form.action.endswith(at):
                return form
        raise AssertionError(f"no button {says!r} on {self.path}, only {self.buttons()}")

    def _read(self, answer: Any) -> None:
        assert answer.status_code != 500, answer.text
        self.status, self.path = answer.status_code, answer.url.path
        self.page = lxml.html.fromstring(answer.text)


def _words(element: Any) -> str:
    return " ".join(element.text_content().split())
