"""Errors by which a member of staff is refused; the code of each is the reason in the audit log."""

from idverify.errors import CredentialInvalid, InvalidInput, NotPermitted


class NotSignedIn(CredentialInvalid):
    """No session at all."""

    code = "not_signed_in"


class SessionEnded(CredentialInvalid):
    """The cookie of a session that was signed out, has expired, or whose account was suspended.

    `clerk`: whose it was.
    """

    code = "session_ended"

    def __init__(self, message: str, *, clerk: str) -> None:
        super().__init__(message)
        self.clerk = clerk


class SessionLocked(CredentialInvalid):
    """The session waits for the same person to unlock it."""

    code = "session_locked"


class CredentialMissing(NotPermitted):
    """Signed in with a one-time code: a password or a passkey must be set before anything else."""

    code = "credential_missing"


class SignInRefused(CredentialInvalid):
    """Name, password, code or passkey do not go together; which of them is wrong is not said."""

    code = "sign_in_refused"


class PasswordRefused(InvalidInput):
    """A password that must not be set; `rule` is the rule that it breaks: "short", "name", "common" or "long"."""

    code = "password_refused"

    def __init__(self, rule: str) -> None:
        super().__init__(f"password refused: {rule}")
        self.rule = rule


class RequestForged(NotPermitted):
    """The request is from another site, or lacks the session's CSRF token."""

    code = "request_forged"


class RoleMissing(NotPermitted):
    code = "role_missing"


class GalleryForeign(NotPermitted):
    """The account may not work in that gallery."""

    code = "gallery_foreign"


class StationUnknown(NotPermitted):
    """The session is bound to no active station, or something was not signed by the station's key."""

    code = "station_unknown"


class ActivationRefused(NotPermitted):
    """The activation code is wrong, used or expired."""

    code = "activation_refused"


class NonceUnknown(NotPermitted):
    """Never issued, expired, or issued for something else."""

    code = "nonce_unknown"


class NonceReplayed(NotPermitted):
    code = "nonce_replayed"


class NonceForeign(NotPermitted):
    """Issued to another session or station."""

    code = "nonce_foreign"
