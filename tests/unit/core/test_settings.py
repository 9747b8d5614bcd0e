"""Settings: validated at start, each with a line in the docs."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from youworker_app.core.settings import (
    CONCERNS,
    ForwardAuthSettings,
    LLMSettings,
    OidcSettings,
    ServerSettings,
    Settings,
    VectorSettings,
    what_is_wrong,
)
from youworker_app.core.settings_docs import env_example, rows, settings_page

ROOT = Path(__file__).resolve().parents[3]


def test_every_setting_has_a_line_in_the_docs() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings_page()
    assert (ROOT / ".env.example").read_text() == env_example()


def test_every_setting_says_what_it_does() -> None:
    assert all(len(description) > 15 for _, _, _, description in rows())
    assert len(list(rows())) == sum(len(concern.model_fields) for concern in CONCERNS)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        ServerSettings().port = 1


def test_the_environment_is_read_and_lists_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUWORKER_SERVER_PUBLIC_ORIGINS", "https://a.example.it, http://b.example.it:8443")
    monkeypatch.setenv("YOUWORKER_SERVER_PORT", "9000")
    settings = ServerSettings()
    assert settings.public_origins == ("https://a.example.it", "http://b.example.it:8443")
    assert settings.port == 9000


@pytest.mark.parametrize(
    "origin",
    ["example.it", "https://", "https://a.it/path", "ftp://a.it", "https://u:p@a.it", "https://a.it?x", "*"],
)
def test_what_is_no_origin_stops_the_start(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("YOUWORKER_SERVER_PUBLIC_ORIGINS", origin)
    with pytest.raises(ValidationError):
        ServerSettings()


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "0"), ("PORT", "65536"), ("PORT", "x"), ("LOG_LEVEL", "loud")]
)
def test_wrong_values_stop_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"YOUWORKER_SERVER_{name}", value)
    with pytest.raises(ValidationError):
        ServerSettings()


def test_ollamas_address_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LLMSettings(ollama_url="http://gpu:11434/").ollama_url == "http://gpu:11434"
    with pytest.raises(ValidationError):
        LLMSettings(ollama_url="gpu:11434")


def test_the_database_is_in_the_data_folder_unless_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings(data_dir=tmp_path).database_url() == f"sqlite+aiosqlite:///{tmp_path}/youworker.db"
    monkeypatch.setenv("YOUWORKER_DATABASE_URL", "postgresql+asyncpg://x/y")
    assert Settings(data_dir=tmp_path).database_url() == "postgresql+asyncpg://x/y"


def test_a_qdrant_server_by_its_plain_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert VectorSettings().backend == "embedded"
    monkeypatch.setenv("QDRANT_URL", "http://qdrant:6333/")
    monkeypatch.setenv("QDRANT_API_KEY", "a-key")
    given = VectorSettings()
    assert (given.backend, given.qdrant_url) == ("server", "http://qdrant:6333")
    assert given.qdrant_api_key.get_secret_value() == "a-key"
    monkeypatch.setenv("YOUWORKER_VECTORS_QDRANT_URL", "https://ours:6333")
    assert VectorSettings().qdrant_url == "https://ours:6333"
    monkeypatch.setenv("YOUWORKER_VECTORS_BACKEND", "embedded")
    assert VectorSettings().backend == "embedded"


def test_ollamas_key_by_its_plain_name_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "a-key")
    assert LLMSettings().ollama_api_key.get_secret_value() == "a-key"
    assert "a-key" not in repr(LLMSettings())


@pytest.mark.parametrize("url", ["qdrant:6333", "ftp://qdrant", "http://"])
def test_qdrants_address_is_an_address(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("QDRANT_URL", url)
    with pytest.raises(ValidationError) as refused:
        VectorSettings()
    assert what_is_wrong(refused.value).startswith("YOUWORKER_VECTORS_QDRANT_URL: ")


def test_a_server_without_an_address_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUWORKER_VECTORS_BACKEND", "server")
    with pytest.raises(ValidationError) as refused:
        VectorSettings()
    assert "YOUWORKER_VECTORS_QDRANT_URL is not set" in what_is_wrong(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {"ISSUER": "auth.example.it"},
        {"ISSUER": "http://auth.example.it"},
        {"ISSUER": "https://user@auth.example.it"},
        {"ISSUER": "https://auth.example.it?x=1"},
        {"ISSUER": "https://auth.example.it:99999"},
        {"ISSUER": "https://auth.exàmple.it"},
        {"CLIENT_ID": ""},
        {"ISSUER": ""},
        {"SCOPES": "profile,email"},
        {"CA_FILE": "/no/such/file.pem"},
        {"ISSUER": "", "CLIENT_ID": "", "LOCAL_SIGN_IN": "false"},
        {"TIMEOUT_S": "0"},
    ],
    ids=str,
)
def test_a_wrong_provider_stops_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    right = {
        "ISSUER": "https://auth.example.it/o/youworker/",
        "CLIENT_ID": "youworker",
        "CLIENT_SECRET": "shh",
    }
    for name, value in (right | given).items():
        monkeypatch.setenv(f"YOUWORKER_OIDC_{name}", value)
    with pytest.raises(ValidationError) as caught:
        OidcSettings()
    told = what_is_wrong(caught.value)
    assert told.startswith("YOUWORKER_OIDC")
    assert "shh" not in told


def test_a_provider_needs_only_its_issuer_and_our_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OidcSettings().shown_name == ""
    monkeypatch.setenv("YOUWORKER_OIDC_ISSUER", "https://auth.example.it/o/youworker/")
    monkeypatch.setenv("YOUWORKER_OIDC_CLIENT_ID", "youworker")
    found = OidcSettings()
    assert (found.shown_name, found.scopes) == ("auth.example.it", ("openid", "profile", "email"))
    assert OidcSettings(name="Authentik").shown_name == "Authentik"
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert OidcSettings(issuer=f"http://{host}:9000").issuer


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROXIES", "0.0.0.0/0"),
        ("PROXIES", "::/0"),
        ("PROXIES", "proxy.example.it"),
        ("KEY_HEADER", "X Key"),
        ("KEY_HEADER", "X-Key\r\nSet-Cookie: a=b"),
        ("KEY_HEADER", "Authorization"),
        ("KEY_HEADER", "x-api-key"),
        ("KEY_SCOPES", "chat:read,everything"),
        ("SIGN_OUT_PATH", "https://evil.example.test"),
        ("SIGN_OUT_PATH", "//evil.example.test"),
    ],
)
def test_wrong_proxies_stop_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert ForwardAuthSettings().proxies == ()
    monkeypatch.setenv(f"YOUWORKER_FORWARD_AUTH_{name}", value)
    with pytest.raises(ValidationError):
        ForwardAuthSettings()
