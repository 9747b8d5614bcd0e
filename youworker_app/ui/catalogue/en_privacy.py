"""English: one's own data, holds, receipts."""

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "data.title": "Your data",
    "data.intro": "What is kept of you here is yours: take it along, clear it, or leave for good.",
    "data.export": "Take your data along",
    "data.export.intro": (
        "A zip with all that is yours: your profile, devices, groups, "
        "conversations, documents with their originals, and what the audit trail says that you did. Nothing of others is in it."
    ),
    "data.export.begin": "Make an export",
    "data.export.working": "Your export is being made: {n} %. You may leave this page.",
    "data.export.ready": "Your export is ready ({size}).",
    "data.export.until": "It can be fetched until",
    "data.export.fetch": "Fetch the zip",
    "data.export.again": "Make a new one",
    "data.export.discard": "Delete it",
    "data.export.failed": "Your export could not be made.",
    "data.history": "Conversations",
    "data.history.intro": "Everything that you asked and were answered. Your documents stay.",
    "data.history.clear": "Clear my conversations…",
    "data.history.title": "Clear all your conversations?",
    "data.history.text": (
        "Questions, answers and their sources are deleted for good, and answers that are being written stop. "
        "The audit trail keeps that you cleared them, and how many; it holds none of the words."
    ),
    "data.history.yes": "Clear all",
    "data.history.cleared": "{n} conversations were deleted.",
    "data.erase": "Erase my account",
    "data.erase.intro": "You go, and what is yours is destroyed with its keys. Nobody can bring it back.",
    "data.erase.begin": "Erase my account…",
    "data.erase.goes": "Your conversations, private documents, sessions and API keys are destroyed.",
    "data.erase.groups": "Documents that you shared with a group stay its work: an admin of the group becomes their owner.",
    "data.erase.alone": "A group that has nobody but you is removed. What others left in it goes back to them.",
    "data.erase.stays": "The audit trail stays, without your name. You get a receipt of what was destroyed.",
    "data.erase.confirm": "Type your user name ({name}) to confirm",
    "data.erase.password": "Your password",
    "data.erase.fresh": "You have no password here: sign out and in again just before, so that it is surely you.",
    "data.erase.submit": "Erase everything for good",
    "erased.title": "You are erased",
    "erased.running": "You are being erased",
    "erased.unknown": "There is no such receipt.",
    "erased.text": "This is your receipt. It names nobody. Keep it: this page's address is the only way back to it.",
    "erased.wait": "Nothing opens in your name any more; the rest is being destroyed. Reload this page in a moment.",
    "erased.number": "Number",
    "erased.begun": "Begun",
    "erased.rows": "Rows and keys destroyed",
    "erased.bytes": "Files and index destroyed",
    "erased.soon": "with the next start of the server; unreadable already",
    "erased.keys": "Data keys destroyed",
    "erased.as_text": "Save as text",
    "erased.as_json": "Save as JSON",
    "users.held": "On hold",
    "users.hold": "Put on hold: conversations must stay",
    "users.release": "End the hold",
    "trail.event.account.erasure_begun": "Own account erased",
    "trail.event.account.exported": "Own data exported",
    "trail.event.account.export_begun": "Export of own data begun",
    "trail.event.chat.history_cleared": "Own conversations cleared",
    "trail.event.user.held": "Person put on hold",
    "trail.event.user.released": "Hold on a person ended",
}
