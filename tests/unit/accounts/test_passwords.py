"""Which new passwords are refused, and that the list of common ones does not stay in memory."""

import sys

import pytest

from youworker_app.accounts.errors import PasswordTooCommon
from youworker_app.accounts.passwords import Passwords


@pytest.mark.parametrize("common", ["password1", "Qwertyuiop", "1234567890", "anna2026!", "aaabbbaaab"])
def test_what_is_easy_to_guess_is_refused_and_its_list_let_go(common: str) -> None:
    passwords, known = Passwords(min_length=8), set(sys.modules)
    with pytest.raises(PasswordTooCommon):
        passwords.check_new(common, "anna")
    passwords.check_new("kf93kfu39x", "anna")
    assert not {name for name in set(sys.modules) - known if "zxcvbn" in name or "frequency" in name}
