"""What the browser seals the service opens, bound to what it was sealed for; what is replayed or foreign is refused."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from playwright.sync_api import Page, expect

from enrolment.station.capture_package import unpacked
from idverify.audit.events import parse
from idverify.errors import SealBroken
from idverify.ids import StationId
from idverify.protection.capture_sealing import CaptureContext
from tests.browser import ADMINISTRATION, Browsing, sign_in
from tests.deployments import Register
from tests.laptops import CLERK, STATION, Laptop, Laptops, citizen

_SEAL = """async ([to, about]) => {
  const { sealed, request } = await import("/staff/static/station/sealing.js");
  const { send } = await import("/staff/static/pages/http.js");
  const parcel = await sealed(to, about, [new Uint8Array([1, 2, 3]), new Uint8Array(100000).fill(7)]);
  const base64 = (bytes) => new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1]);
    reader.readAsDataURL(new Blob([bytes]));
  });
  return { ...parcel, sealed: await base64(parcel.sealed) };
}"""
_POST = """async ([address, to, about]) => {
  const { sealed, request } = await import("/staff/static/station/sealing.js");
  const { send } = await import("/staff/static/pages/http.js");
  const { frames } = await import("/staff/static/station/camera.js");
  const taken = await frames(document.getElementById("video"));
  try {
    return await send(address, request(await sealed(to, about, taken)));
  } catch (error) {
    return { code: error.code, status: error.status };
  }
}"""


def test_what_is_sealed_in_the_browser_opens_here_for_its_own_context_only(laptop: Laptops) -> None:
    at = laptop(*citizen(77))
    _camera_page(at, "P-77")
    to = _seal_to(at.page)
    sealed_capture = at.page.evaluate(_SEAL, [to, {"source": "camera"}])
    sealed = base64.b64decode(sealed_capture["sealed"])
    keys = at.site.engine.capture_keys
    context = CaptureContext(STATION, sealed_capture["capture"], sealed_capture["nonce"])
    opened = unpacked(keys.open(sealed_capture["key"], sealed, context))
    assert opened.about == {"source": "camera"}
    assert opened.frames == (b"\x01\x02\x03", b"\x07" * 100_000)
    with pytest.raises(SealBroken):
        keys.open(
            sealed_capture["key"],
            sealed,
            CaptureContext("maseru-2", sealed_capture["capture"], sealed_capture["nonce"]),
        )
    # Each time another ephemeral key: the same content twice shows nothing of being the same.
    again = base64.b64decode(at.page.evaluate(_SEAL, [to, {"source": "camera"}])["sealed"])
    assert again[:65] != sealed[:65]


def test_replayed_nonces_and_foreign_or_suspended_stations_are_refused_on_record(
    laptop: Laptops, browsing: Browsing, own_register: Register
) -> None:
    at = laptop(*citizen(77))
    page = at.page
    visit = _camera_page(at, "P-77")
    address, to = f"{visit}/captures", _seal_to(page)

    def post(**changed: str) -> Any:
        return page.evaluate(_POST, [address, {**to, **changed}, {"source": "camera"}])

    def reasons() -> list[str | None]:
        leaves = own_register.sql("SELECT leaf FROM audit_leaves WHERE event = 'staff.refused' ORDER BY sequence")
        return [parse(leaf).reason for (leaf,) in leaves]

    assert post(nonce="never-given-out")["code"] == "nonce_unknown"
    # Sealed for another station than the one whose key signs it.
    assert post(station="maseru-9")["code"] == "capture_broken"
    # A photograph from a file, where the gallery takes none.
    refused = page.evaluate(_POST, [address, to, {"source": "file"}])
    assert (refused["status"], refused["code"]) == (403, "files_not_allowed")
    assert post()["next"] == visit
    page.goto(visit)
    page.get_by_role("button", name="Take another one").click()
    expect(page.get_by_role("button", name="Take the photograph")).to_be_enabled()
    assert post()["code"] == "nonce_replayed"
    fresh = _seal_to(page)
    at.site.staff.stations.suspend(StationId(STATION), ADMINISTRATION)
    assert page.evaluate(_POST, [address, fresh, {"source": "camera"}])["code"] == "station_unknown"
    assert reasons()[:3] == ["nonce_unknown", "files_not_allowed", "nonce_replayed"]
    assert set(reasons()[3:]) == {"station_unknown"}  # the capture, and the next frame that the page asked about
    assert len(reasons()) <= 5
    # From a browser that never was a station there is no page to begin at, and nothing is taken.
    elsewhere = browsing.page(at.site)
    sign_in(elsewhere, CLERK)
    elsewhere.goto("/staff/station/")
    expect(elsewhere.get_by_role("heading", name="This computer is no enrolment station")).to_be_visible()
    begun = elsewhere.evaluate(
        """async () => {
          const { send } = await import("/staff/static/pages/http.js");
          return send("/staff/station/visits", { body: new URLSearchParams({ number: "P-1" }) }).catch((e) => e.code);
        }"""
    )
    assert begun == "station_unknown"
    assert reasons()[-1] == "station_unknown"
    assert own_register.sql("SELECT count(*) FROM encounters WHERE person = 'P-77'") == [(0,)]


def _camera_page(at: Laptop, number: str) -> str:
    """The address of a visit that is at the camera, in the page."""
    page = at.page
    page.goto("/staff/station/")
    page.get_by_label("Person's number").fill(number)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("The person has consented").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Take the photograph")).to_be_enabled()
    return page.url.removeprefix(at.site.url)


def _seal_to(page: Page) -> dict[str, str]:
    """What the page was given to seal to."""
    values: dict[str, str] = page.locator("#capture").evaluate("element => ({...element.dataset})")
    return {name: values[name] for name in ("deployment", "station", "key", "point", "nonce")}


# RFC 9180, A.3.1: DHKEM(P-256, HKDF-SHA256) in base mode. Its AEAD has shorter keys, so what it gives up to the shared
# secret is compared with it, and the rest is opened by another implementation, with its recipient's key.
_INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
_PLAINTEXT = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
_EPHEMERAL_SECRET = bytes.fromhex("4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb")
_EPHEMERAL_POINT = bytes.fromhex(
    "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac9"
    "8536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4"
)
_RECIPIENT_SECRET = bytes.fromhex("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2")
_RECIPIENT_POINT = bytes.fromhex(
    "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a82"
    "6a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0"
)
_SHARED_SECRET = bytes.fromhex("c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8")
# The ephemeral key is drawn by WebCrypto, and the shared secret is what one of its HMACs gives.
_SEAL_AS_IN_THE_RFC = """async ([ephemeral, recipient, info, plaintext]) => {
  const { seal } = await import("/staff/static/station/hpke.js");
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const macs = [];
  const { sign } = SubtleCrypto.prototype;
  SubtleCrypto.prototype.generateKey = async () => ({
    privateKey: await crypto.subtle.importKey("jwk", ephemeral, curve, false, ["deriveBits"]),
    publicKey: await crypto.subtle.importKey("jwk", { ...ephemeral, d: undefined }, curve, true, []),
  });
  SubtleCrypto.prototype.sign = async function (...of) {
    const mac = await sign.apply(this, of);
    macs.push([...new Uint8Array(mac)]);
    return mac;
  };
  return { sealed: [...await seal(...[recipient, info, plaintext].map((each) => new Uint8Array(each)))], macs };
}"""


def test_the_browser_encapsulates_as_the_published_vector(laptop: Laptops) -> None:
    at = laptop(*citizen(77))
    _camera_page(at, "P-77")
    x, y, d = (
        base64.urlsafe_b64encode(number).rstrip(b"=").decode()
        for number in (_EPHEMERAL_POINT[1:33], _EPHEMERAL_POINT[33:], _EPHEMERAL_SECRET)
    )
    ephemeral = {"kty": "EC", "crv": "P-256", "x": x, "y": y, "d": d}
    given = at.page.evaluate(_SEAL_AS_IN_THE_RFC, [ephemeral, *map(list, (_RECIPIENT_POINT, _INFO, _PLAINTEXT))])
    assert list(_SHARED_SECRET) in given["macs"]
    sealed = bytes(given["sealed"])
    assert sealed[:65] == _EPHEMERAL_POINT
    recipient = ec.derive_private_key(int.from_bytes(_RECIPIENT_SECRET, "big"), ec.SECP256R1())
    assert Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM).decrypt(sealed, recipient, _INFO) == _PLAINTEXT
