"""Browsers by the names that people know them by."""

import pytest

from youworker_app.accounts.browsers import browser_name, system_name

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("user_agent", "browser", "system"),
    [
        (CHROME, "Chrome", "Windows"),
        (CHROME + " Edg/142.0", "Edge", "Windows"),
        (CHROME.replace("Windows NT 10.0; Win64; x64", "X11; CrOS x86_64 1"), "Chrome", "ChromeOS"),
        (IPHONE, "Safari", "iPhone"),
        (IPHONE.replace("Version/18.1", "CriOS/142.0"), "Chrome", "iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox", "Linux"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/142.0 Mobile Safari/537.36", "Chrome", "Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) Version/18.1 Safari/605.1.15", "Safari", "macOS"),
        ("curl/8.5.0", "curl", ""),
        ("python-httpx/0.28.1", "python-httpx", ""),
        ("", "", ""),
        ("<b>\u202e", "", ""),
        ("a" * 200, "a" * 31, ""),
    ],
)
def test_a_browser_is_recognised(user_agent: str, browser: str, system: str) -> None:
    assert (browser_name(user_agent), system_name(user_agent)) == (browser, system)
