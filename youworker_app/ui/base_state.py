"""What every state shares: who asks, the language, the token for writes. Handlers of subclasses begin with `_actor`."""

import reflex as rx

from youworker_app.access.actor import Actor
from youworker_app.access.credentials import Authentication, Carrier, Credential
from youworker_app.api.cookies import SESSION_COOKIE
from youworker_app.core.errors import Detail, Unauthenticated
from youworker_app.core.rates import RateLimits, person, stranger
from youworker_app.core.registry import service
from youworker_app.ui import i18n


def session_secret(cookie_header: str) -> str:
    """The session's secret from a Cookie header; empty without one."""
    for part in cookie_header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == SESSION_COOKIE:
            return value.strip('"')
    return ""


class BaseState(rx.State):
    """`language` is empty until the page knows whom it speaks to: nothing with words is shown before."""

    language: str = ""
    csrf_token: str = ""
    # The digest of the session that this state was filled for; the guard compares it before each event.
    _bound: str = ""

    async def _actor(self) -> Actor:
        """Who asks, authenticated anew each time, and who pays for the event. Raises Unauthenticated, TooManyRequests."""
        secret = session_secret(self.router.headers.cookie)
        try:
            if not secret:
                raise Unauthenticated
            actor = await service(Authentication).authenticate(Credential(Carrier.COOKIE, secret))
        except Unauthenticated:
            await self._address_pays()
            raise
        await service(RateLimits).charge_due(person(actor.user_id))
        return actor

    async def _address_pays(self) -> None:
        """For who is nobody yet. Raises TooManyRequests."""
        await service(RateLimits).charge_due(stranger())

    def _text(self, key: str, **details: Detail) -> str:
        return i18n.text(self.language, key, **details)

    def _speak(self, preferred: str) -> None:
        language = i18n.choose_language(preferred, self.router.headers.accept_language)
        if language != self.language:
            self.language = language
