"""The account's own settings, and what the entrance pages show before anyone is signed in."""

from dataclasses import dataclass
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec

from youworker_app.accounts.api_keys import ApiKeyService
from youworker_app.accounts.schemas import Preferences
from youworker_app.accounts.service import AccountService
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.registry import service
from youworker_app.core.settings import Settings
from youworker_app.ui import i18n
from youworker_app.ui.base_state import BaseState, session_secret

PROVIDER_LOGIN = "/v1/auth/oidc/login"
FORWARDED_LOGIN, FORWARDED_BY = "/v1/auth/forwarded", "Authentik"
# Where the account menu leads.
PAGES = {"account": "/account", "users": "/users", "audit": "/audit"}


@dataclass(frozen=True)
class GroupChoice:
    """A group that the person is in."""

    id: str
    name: str


class AccountState(BaseState):
    """Who is signed in, as the pages show it. `language_choice` is "" for the browser's; `ending_keys` end within a week."""

    username: str = ""
    is_root: bool = False
    has_password: bool = True
    theme: str = ""
    language_choice: str = ""
    groups: list[GroupChoice] = []
    ending_keys: int = 0

    @rx.event
    async def open(self) -> None:
        """First on every signed-in page: language, colours, token for writes."""
        actor = await self._actor()
        me = await service(AccountService).me(actor)
        self.username, self.theme, self.language_choice = me.username, me.theme, me.language
        self.is_root, self.has_password = me.is_root, me.has_password
        self.groups = [GroupChoice(group.id, group.name) for group in me.groups]
        self.ending_keys = await service(ApiKeyService).count_expiring(actor)
        self.csrf_token = service(AccountService).csrf_token(session_secret(self.router.headers.cookie))
        self._speak(me.language)

    @rx.event
    async def choose(self, choice: str) -> EventSpec | None:
        """Takes a choice of the account menu, such as `theme:dark` or `go:account`."""
        actor = await self._actor()
        kind, _, value = choice.partition(":")
        if kind == "go":
            return rx.redirect(PAGES.get(value, "/"))
        wanted = Preferences(language=value) if kind == "language" else Preferences(theme=value)
        me = await service(AccountService).set_preferences(actor, wanted)
        self.theme, self.language_choice = me.theme, me.language
        self._speak(me.language)
        return None


class EntranceState(BaseState):
    """The setup and sign-in pages. Both are for people who are nobody yet; neither shows anything but words."""

    setup_token: str = ""
    done: str = ""
    problem: str = ""
    next: str = ""
    shortest: int = 10
    # The company's sign-in, if there is one: what it is called and where it begins.
    provider: str = ""
    provider_address: str = ""
    takes_passwords: bool = True

    @rx.event
    async def open_login(self) -> EventSpec | None:
        """Leads to the setup while there is no account, and past the sign-in who is signed in already."""
        self.setup_token = ""
        self._enter()
        await self._address_pays()
        if await service(AccountService).needs_setup():
            return rx.redirect("/setup", replace=True)
        return rx.redirect("/", replace=True) if await self._is_signed_in() else None

    @rx.event
    async def open_setup(self) -> EventSpec | None:
        """Leads to the sign-in once there is an account."""
        self._enter()
        await self._address_pays()
        self.setup_token = self.router.url.query_parameters.get("token", "")
        return None if await service(AccountService).needs_setup() else rx.redirect("/login", replace=True)

    @rx.event
    async def open_reset(self) -> None:
        """Takes the token from the link; whether it opens anything is told when it is used."""
        self.setup_token = self.router.url.query_parameters.get("token", "")
        self._enter()
        await self._address_pays()

    async def _is_signed_in(self) -> bool:
        try:
            await self._actor()
        except Unauthenticated:
            return False
        return True

    def _enter(self) -> None:
        self._speak("")
        self.next = self.router.url.query_parameters.get("next", "")
        settings = service(Settings)
        self.shortest = settings.security.min_password_length
        self.provider, self.takes_passwords = settings.oidc.shown_name, settings.oidc.local_sign_in
        begun = {"next": self.next, "invite": self.setup_token}
        address = PROVIDER_LOGIN
        if not self.provider and settings.forward_auth.proxies and not self.setup_token:
            self.provider, address = FORWARDED_BY, FORWARDED_LOGIN
        self.provider_address = f"{address}?{urlencode({k: v for k, v in begun.items() if v})}"
        self.done = self.router.url.query_parameters.get("done", "")
        code = self.router.url.query_parameters.get("error", "")
        self.problem = i18n.error_by_code(self.language, code, _details(self))


def _details(state: BaseState) -> dict[str, str | int | float | bool | None]:
    """What the redirect tells beside the code (`retry_after_s` and the like)."""
    return {
        k: v[:80] for k, v in state.router.url.query_parameters.items() if k not in {"error", "token", "next"}
    }
