"""Setup, sign-in and the account's own settings."""

import pytest

from tests.house import House
from tests.states.conftest import SignIn
from tests.states.tab import OpenTab
from youworker_app.accounts.ui.state import AccountState, EntranceState
from youworker_app.core.registry import service
from youworker_app.core.settings import ForwardAuthSettings, OidcSettings, Settings
from youworker_app.ui.errors import ToastState


async def test_without_an_account_the_sign_in_leads_to_the_setup(house: House, tabs: OpenTab) -> None:
    tab = tabs(path="/login")
    await tab.do(EntranceState.open_login)
    assert tab.redirects() == ["/setup"]


async def test_the_setup_takes_its_token_from_the_link(house: House, tabs: OpenTab) -> None:
    tab = tabs(path="/setup?token=abc", language="it-IT,it;q=0.9")
    await tab.do(EntranceState.open_setup)
    state = await tab.state(EntranceState)
    assert (tab.redirects(), state.setup_token, state.language) == ([], "abc", "it")


async def test_with_an_account_the_setup_leads_to_the_sign_in(house: House, tabs: OpenTab) -> None:
    await house.person("root")
    tab = tabs(path="/setup")
    await tab.do(EntranceState.open_setup)
    assert tab.redirects() == ["/login"]


async def test_who_is_signed_in_passes_the_sign_in(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna")
    await tab.do(EntranceState.open_login)
    assert tab.redirects() == ["/"]


@pytest.mark.parametrize(
    ("path", "language", "expected"),
    [
        ("/login?error=SIGN_IN_FAILED", "en", "The user name or the password is wrong."),
        ("/login?error=SIGN_IN_FAILED", "it", "Il nome utente o la password sono sbagliati."),
        (
            "/login?error=TOO_MANY_ATTEMPTS&retry_after_s=30",
            "en",
            "Too many failed attempts. Wait 30 seconds, then try again.",
        ),
        ("/login?error=MADE_UP", "en", ""),
        ("/login", "en", ""),
    ],
)
async def test_the_sign_in_says_what_was_wrong(
    house: House, tabs: OpenTab, path: str, language: str, expected: str
) -> None:
    await house.person("root")
    tab = tabs(path=path, language=language)
    await tab.do(EntranceState.open_login)
    assert (await tab.state(EntranceState)).problem == expected


async def test_the_sign_in_offers_the_companys_own(house: House, tabs: OpenTab) -> None:
    await house.person("root")
    settings, oidc = service(Settings), OidcSettings(issuer="https://auth.example.test/", client_id="us")
    proxies = ForwardAuthSettings(proxies=("10.0.0.5",))

    async def offered(path: str) -> tuple[str, str, bool]:
        tab = tabs(path=path)
        await tab.do(EntranceState.open_reset if path.startswith("/reset") else EntranceState.open_login)
        state = await tab.state(EntranceState)
        return state.provider, state.provider_address, state.takes_passwords

    assert (await offered("/login"))[0] == ""
    settings.forward_auth = proxies
    assert await offered("/login?next=/documents") == (
        "Authentik",
        "/v1/auth/forwarded?next=%2Fdocuments",
        True,
    )
    # A link is for the provider's door alone, which takes it.
    assert (await offered("/reset?token=abc"))[0] == ""
    settings.oidc = oidc
    assert await offered("/login") == ("auth.example.test", "/v1/auth/oidc/login?", True)
    assert (await offered("/reset?token=abc"))[1] == "/v1/auth/oidc/login?invite=abc"
    settings.oidc = OidcSettings(
        issuer="https://auth.example.test/", client_id="us", name="The company", local_sign_in=False
    )
    assert (await offered("/login"))[::2] == ("The company", False)


async def test_the_page_knows_its_person(sign_in: SignIn, house: House) -> None:
    _, tab = await sign_in("anna", language="it-IT")
    state = await tab.state(AccountState)
    assert (state.username, state.theme, state.language_choice, state.language) == (
        "anna",
        "system",
        "",
        "it",
    )
    assert state.csrf_token


async def test_preferences_are_kept_and_hold_at_once(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna", language="it-IT")
    await tab.do(AccountState.choose, choice="language:en")
    await tab.do(AccountState.choose, choice="theme:dark")
    state = await tab.state(AccountState)
    assert (state.language, state.theme) == ("en", "dark")
    await tab.do(AccountState.open)
    state = await tab.state(AccountState)
    assert (state.language_choice, state.theme) == ("en", "dark")


async def test_an_unknown_choice_is_told(sign_in: SignIn) -> None:
    _, tab = await sign_in("anna", language="it")
    await tab.do(AccountState.choose, choice="theme:pink")
    [toast] = (await tab.state(ToastState)).toasts
    assert (toast.kind, toast.text) == ("error", "Questa non è una delle scelte per theme.")
    await tab.do(ToastState.close, toast_id=toast.id)
    assert (await tab.state(ToastState)).toasts == []
