"""Passkeys (WebAuthn level 3) through py_webauthn: options for the browser, and the checks of what it answers."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from idverify.errors import InvalidInput
from idverify.ids import StaffId
from staff.accounts.refusals import SignInRefused

_SERVICE = "idverify"


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """`credential` is its id in base64url; `public_key` is in COSE form."""

    credential: str
    public_key: bytes
    uses: int


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """This service as passkeys know it: the origin that the browser must have been at."""

    origin: str

    @property
    def domain(self) -> str:
        return urlsplit(self.origin).hostname or ""

    def registration_options(
        self, staff: StaffId, display_name: str, challenge: str, held: Iterable[str]
    ) -> dict[str, object]:
        """For `navigator.credentials.create`: a passkey that verifies its user; none of those `held` once more."""
        options = generate_registration_options(
            rp_id=self.domain,
            rp_name=_SERVICE,
            user_id=hashlib.sha256(f"idverify staff {staff}".encode()).digest(),
            user_name=staff,
            user_display_name=display_name,
            challenge=challenge.encode(),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(name)) for name in held],
        )
        return _plain(options_to_json(options))

    def authentication_options(self, challenge: str) -> dict[str, object]:
        """For `navigator.credentials.get`: any passkey of this service; nobody is named, so no name is given away."""
        options = generate_authentication_options(
            rp_id=self.domain,
            challenge=challenge.encode(),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return _plain(options_to_json(options))

    def registered(self, answer: dict[str, object], challenge: str) -> NewPasskey:
        """The passkey that the browser made for `challenge`. Raises InvalidInput."""
        try:
            verified = verify_registration_response(
                credential=answer,
                expected_challenge=challenge.encode(),
                expected_rp_id=self.domain,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise InvalidInput("passkey: the browser's answer does not verify; try again") from None
        name = bytes_to_base64url(verified.credential_id)
        return NewPasskey(name, verified.credential_public_key, verified.sign_count)

    def signed(self, answer: dict[str, object], challenge: str, public_key: bytes, uses: int) -> int:
        """How often the passkey was used now that it signed `challenge`, its user verified. Raises SignInRefused."""
        try:
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge.encode(),
                expected_rp_id=self.domain,
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=uses,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise SignInRefused("the passkey does not fit") from None
        return verified.new_sign_count


def _plain(text: str) -> dict[str, object]:
    plain: dict[str, object] = json.loads(text)
    return plain
