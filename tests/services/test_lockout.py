"""Guessing is slowed down from many addresses too, and whose name it is gets in from where they have been before."""

import pytest

from tests.people import PASSWORD, MakeUser
from youworker_app.accounts.errors import SignInFailed, TooManyAttempts
from youworker_app.accounts.schemas import Client
from youworker_app.accounts.service import AccountService
from youworker_app.accounts.slowdown import FREE_FAILURES, FREE_FAILURES_EVERYWHERE


async def attack(accounts: AccountService, name: str = "anna", device: str = "") -> int:
    """Guesses, each from another address, until it has to wait; how many were let happen."""
    for n in range(100):
        try:
            await accounts.sign_in(name, "a guess", Client(f"198.51.100.{n}", device=device))
        except SignInFailed:
            continue
        except TooManyAttempts:
            return n
    raise AssertionError("never slowed down")


async def test_many_addresses_gain_little_and_keep_nobody_out(
    make_user: MakeUser, accounts: AccountService
) -> None:
    await make_user("anna")
    await make_user("bruno")
    office = await accounts.sign_in("Anna", PASSWORD, Client("192.0.2.1"))
    assert await attack(accounts) == FREE_FAILURES_EVERYWHERE
    # From a browser that is new to her she waits as everybody does; from her own she gets in, wherever it is now.
    with pytest.raises(TooManyAttempts):
        await accounts.sign_in("anna", PASSWORD, Client("192.0.2.2"))
    await accounts.sign_in("anna", PASSWORD, Client("192.0.2.3", device=office.device))
    # The one who got in has not let the attacker go on, and others are not concerned.
    with pytest.raises(TooManyAttempts):
        await accounts.sign_in("anna", "a guess", Client("198.51.100.200"))
    await accounts.sign_in("bruno", PASSWORD, Client("198.51.100.1"))


async def test_a_known_browser_guesses_no_faster(make_user: MakeUser, accounts: AccountService) -> None:
    await make_user("anna")
    office = await accounts.sign_in("anna", PASSWORD, Client("192.0.2.1"))
    assert await attack(accounts, device=office.device) == FREE_FAILURES


@pytest.mark.parametrize("device", ["", "x", "A" * 22 + "." + "0" * 32, "A" * 10_000, "ünïcode", "of bruno"])
async def test_a_cookie_of_another_kind_vouches_for_nobody(
    make_user: MakeUser, accounts: AccountService, device: str
) -> None:
    await make_user("anna")
    await make_user("bruno")
    if device == "of bruno":
        device = (await accounts.sign_in("bruno", PASSWORD, Client("192.0.2.1"))).device
    assert await attack(accounts) == FREE_FAILURES_EVERYWHERE
    with pytest.raises(TooManyAttempts):
        await accounts.sign_in("anna", PASSWORD, Client("192.0.2.9", device=device))


async def test_a_browser_that_several_share_knows_the_last_five(
    make_user: MakeUser, accounts: AccountService
) -> None:
    device, names = "", [f"person {n}" for n in range(6)]
    for name in names:
        await make_user(name)
        device = (await accounts.sign_in(name, PASSWORD, Client("192.0.2.1", device=device))).device
    device = (await accounts.sign_in(names[-1], PASSWORD, Client("192.0.2.1", device=device))).device
    for name, is_known in ((names[0], False), (names[1], True), (names[-1], True)):
        await attack(accounts, name)
        home = Client("192.0.2.77", device=device)
        if is_known:
            await accounts.sign_in(name, PASSWORD, home)
        else:
            with pytest.raises(TooManyAttempts):
                await accounts.sign_in(name, PASSWORD, home)
