"""Ways in that no matrix needs to hold, each with its reason: they lead to nobody's data. Kept short; a new line is a decision.

The routes among them stand in youworker_app/api/public.py.
"""

from collections.abc import Mapping
from typing import Final

HANDLERS: Final[Mapping[str, str]] = {
    "reflex.state.State.hydrate": "sends a tab its own state, after the guard compared whose it is",
    "reflex.state.State.hydrate_and_load": "the same with the page's own handlers behind it, each of which asks",
    "reflex.state.State.set_is_hydrated": "a flag of the tab itself",
    "reflex.state.OnLoadInternalState.on_load_internal": "queues the page's handlers, each of which asks",
    "reflex.state.OnLoadInternalState.set_is_hydrated": "a flag of the tab itself",
    "reflex.state.UpdateVarsInternalState.update_vars_internal": "sets vars kept in the browser, of which there are none",
    "reflex.state.FrontendEventExceptionState.handle_frontend_exception": "a browser's error report; reads nothing",
    "ui.errors.ToastState.show_error": "says why asking failed, in this tab alone",
    "ui.errors.ToastState.show_failure": "says why asking failed, in this tab alone",
    "accounts.ui.erased_state.ErasedState.open": "a receipt that names nobody, for whoever holds its token",
    "accounts.ui.state.EntranceState.open_login": "words of the sign-in page; whether there is an account at all",
    "accounts.ui.state.EntranceState.open_reset": "words of the page behind a one-time link; tells nothing of the link",
    "accounts.ui.state.EntranceState.open_setup": "words of the setup page; whether there is an account at all",
}

MOUNTED: Final[Mapping[str, str]] = {
    "/_event": "the socket whose every event passes the guard and is listed above or in the matrix",
}
