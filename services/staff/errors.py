"""What is refused around staff, and the facts each sentence needs (`templates/errors/<code>.txt`)."""
# ruff: noqa: N818 - a refusal is named by what is the case

from core.errors import DomainError


class StaffLoginRefused(DomainError):
    """Name and password are not those of a member who may come in; which of it is wrong is told to nobody."""

    code = "staff_login_refused"


class StaffLocked(DomainError):
    """Too much was tried under this name or from this address; again in `minutes`."""

    code = "staff_locked"


class StaffBusy(DomainError):
    """More passwords are being looked at than this process has room for."""

    code = "staff_busy"


class NoSuchStaff(DomainError):
    """Nobody has this `name`."""

    code = "no_such_staff"


class StaffNameTaken(DomainError):
    """Somebody has this `name` already."""

    code = "staff_name_taken"


class StaffNameStrange(DomainError):
    """A `name` has 2 to 32 letters, digits, dots, hyphens or underscores."""

    code = "staff_name_strange"


class StaffScopeStrange(DomainError):
    """A `scope` is a word such as hospital:zhongnan."""

    code = "staff_scope_strange"


class StaffRoleUnknown(DomainError):
    """There is no such `role`; `roles` are those there are."""

    code = "staff_role_unknown"


class PasswordWeak(DomainError):
    """A password has `least` to `most` characters, more than a few different ones, and not the name in it."""

    code = "password_weak"


class PasswordSame(DomainError):
    """A new password is another one."""

    code = "password_same"


class PasswordsDiffer(DomainError):
    """A new password is typed twice, so that whoever mistypes it is not shut out."""

    code = "passwords_differ"


class OldPasswordWrong(DomainError):
    """Whoever gives themselves another password knows the one they have."""

    code = "old_password_wrong"
