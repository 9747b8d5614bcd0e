"""What can go wrong with people, sign-in and keys."""

from youworker_app.core.errors import (
    AppError,
    Conflict,
    Forbidden,
    TooManyRequests,
    Unauthenticated,
    Unprocessable,
)


class SignInFailed(Unauthenticated):
    """The same for an unknown name, a wrong password and a suspended account."""

    code, template = "SIGN_IN_FAILED", "The user name or the password is wrong."


class TooManyAttempts(TooManyRequests):
    code = "TOO_MANY_ATTEMPTS"
    template = "Too many failed attempts. Wait {retry_after_s} seconds, then try again."


class CsrfMismatch(Forbidden):
    code, template = "CSRF_MISMATCH", "This page is no longer valid. Reload it and try again."


class SetupTokenWrong(Forbidden):
    code = "SETUP_TOKEN_WRONG"
    template = "This setup link is not valid. Use the newest one that the server printed when it started."


class ResetLinkWrong(Forbidden):
    """The same for a link that never was, was used, or has run out."""

    code = "RESET_LINK_WRONG"
    template = "This link is not valid any more. Ask an administrator for a new one."


class AlreadySetUp(Conflict):
    code, template = "ALREADY_SET_UP", "This installation is set up already. Sign in instead."


class UsernameTaken(Conflict):
    code, template = "USERNAME_TAKEN", "This user name is taken. Choose another."


class UsernameNotUsable(Unprocessable):
    code = "USERNAME_NOT_USABLE"
    template = "A user name has 1 to {max_length} visible characters, and at least one letter or digit."


class PasswordTooShort(Unprocessable):
    code, template = "PASSWORD_TOO_SHORT", "The password needs at least {min_length} characters."


class PasswordTooLong(Unprocessable):
    code, template = "PASSWORD_TOO_LONG", "The password can have at most {max_bytes} bytes."


class PasswordTooCommon(Unprocessable):
    code = "PASSWORD_TOO_COMMON"
    template = "This password is easy to guess: it is among the most used ones, or made of the user name. Choose another."


class PresentPasswordWrong(Forbidden):
    code, template = "PRESENT_PASSWORD_WRONG", "The present password is wrong. Nothing was changed."


class AccountHeld(Conflict):
    code = "ACCOUNT_HELD"
    template = (
        "An administrator has put this account on hold: its conversations have to stay for now, so nothing was deleted. "
        "Ask your administrator why and until when."
    )


class ExportNotMade(Conflict):
    code, template = "EXPORT_NOT_MADE", "Your export could not be made: {reason} Begin a new one."


class ExportStopped(Conflict):
    code, template = "EXPORT_STOPPED", "It was stopped, because the account may not be used."


class ExportFailed(AppError):
    code, template = (
        "EXPORT_FAILED",
        "Something unexpected happened. Tell an administrator this reference: {reference}.",
    )


class FreshSignInNeeded(Forbidden):
    code = "FRESH_SIGN_IN_NEEDED"
    template = "Sign out and in again first: your last sign-in has to be less than {minutes} minutes ago. Nothing was changed."


class NameNotConfirmed(Unprocessable):
    code, template = (
        "NAME_NOT_CONFIRMED",
        "This is not your user name, so nothing was erased. Type it as it stands there.",
    )


class LastRoot(Conflict):
    code = "LAST_ROOT"
    template = "You are the only administrator who can sign in. Make somebody else an administrator first."


class PreferenceUnknown(Unprocessable):
    code, template = "PREFERENCE_UNKNOWN", "This is not one of the choices for {preference}."


class KeyNameNotUsable(Unprocessable):
    code, template = "KEY_NAME_NOT_USABLE", "A key's name has 1 to {max_length} visible characters."


class ScopeUnknown(Unprocessable):
    code, template = "SCOPE_UNKNOWN", "A key needs at least one scope out of: {known}."


class KeyLifeNotUsable(Unprocessable):
    code, template = "KEY_LIFE_NOT_USABLE", "A key can live 1 to {max_days} days."


class KeyGroupsNotUsable(Unprocessable):
    code = "KEY_GROUPS_NOT_USABLE"
    template = "A key is narrowed to one or more groups that you are in. Without groups it is not narrowed."


class KeyTooBroad(Unprocessable):
    code = "KEY_TOO_BROAD"
    template = (
        "A key narrowed to groups cannot have the scope admin: that is about the person and the installation."
    )


class KeyRunOut(Conflict):
    code, template = "KEY_RUN_OUT", "This key has run out. Create a new one instead."


class KeyReplaced(Conflict):
    code = "KEY_REPLACED"
    template = "This key has a successor already. Rotate that one, or create a new key."


class OverlapNotUsable(Unprocessable):
    code = "OVERLAP_NOT_USABLE"
    template = "The old key can live on for 0 to {max_hours} hours."


class TooManyKeys(Conflict):
    code, template = "TOO_MANY_KEYS", "You have {limit} keys. Delete one that you no longer need first."


class KeyFromElsewhere(Conflict):
    code = "KEY_FROM_ELSEWHERE"
    template = (
        "This key comes from Authentik and never ends here. Change or remove it there, among the attributes of your user: "
        "what it is here follows."
    )


class ForwardedKeyUnusable(Unauthenticated):
    code = "FORWARDED_KEY_UNUSABLE"
    template = (
        "The API key that Authentik tells is not usable: it needs {min_length} visible characters or more."
    )


class NobodyForwarded(Unauthenticated):
    """No trusted proxy said who asks."""

    code, template = "NOBODY_FORWARDED", "The way here did not say who you are. Sign in another way."


class ProviderSignInStale(Unauthenticated):
    """The answer belongs to no sign-in of this browser: begun too long ago, in another one, or used already."""

    code = "PROVIDER_SIGN_IN_STALE"
    template = "This sign-in took too long, or was begun in another window. Try again."


class PersonNotInvited(Forbidden):
    code = "PERSON_NOT_INVITED"
    template = "You have no account here yet. Ask an administrator for a link, and sign in from the page that it opens."


class AccountSuspended(Forbidden):
    """Told to somebody who has proved who they are."""

    code, template = "ACCOUNT_SUSPENDED", "Your account here is suspended. Ask an administrator."


class SetupFirst(Conflict):
    code, template = "SETUP_FIRST", "This installation has no administrator yet. Open the setup link first."


class LocalSignInOff(Forbidden):
    code = "LOCAL_SIGN_IN_OFF"
    template = "Signing in with a password is turned off here. Use the company's sign-in."
