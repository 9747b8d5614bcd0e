"""What can go wrong with groups."""

from youworker_app.core.errors import Conflict, Forbidden, NotFound, Unprocessable


class GroupNameTaken(Conflict):
    code, template = "GROUP_NAME_TAKEN", "There is a group of this name already. Choose another name."


class GroupNameNotUsable(Unprocessable):
    code = "GROUP_NAME_NOT_USABLE"
    template = "A group's name has 1 to {max_length} visible characters, and at least one letter or digit."


class GroupDescriptionNotUsable(Unprocessable):
    code, template = (
        "GROUP_DESCRIPTION_NOT_USABLE",
        "A group's description can have at most {max_length} characters.",
    )


class RoleUnknown(Unprocessable):
    code, template = "ROLE_UNKNOWN", "A member is either member or admin."


class GroupAdminOnly(Forbidden):
    code, template = "GROUP_ADMIN_ONLY", "Only an admin of this group can do this."


class UserNotFound(NotFound):
    code, template = "USER_NOT_FOUND", "There is nobody of this user name."


class AlreadyMember(Conflict):
    code, template = "ALREADY_MEMBER", "This person is in the group already."


class GroupBusy(Conflict):
    code = "GROUP_BUSY"
    template = "Documents keep arriving in this group, so it could not be deleted. Try again in a moment."


class LastAdmin(Conflict):
    code = "LAST_ADMIN"
    template = "The group would be left without an admin. Make somebody else an admin first."
