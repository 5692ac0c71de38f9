"""The errors of the whole library, one class for each kind, with stable codes that callers may rely on.

An error says what was expected, what was seen and what to do next; it must not hold pixels, embeddings, scores or keys.
A *refusal* (we chose not to process a photograph) is a result, not an error: see `idverify.reasons`. The base classes
are those of `idverify_receipts`, so that what the check of a receipt raises is one of these errors, too.
"""

from idverify_receipts.errors import IdverifyError as IdverifyError
from idverify_receipts.errors import InvalidInput as InvalidInput


class ImageRejected(InvalidInput):
    """The bytes are not a photograph that we accept; `idverify.vision.image` numbers what is checked."""

    code = "image_rejected"


class ImageTooLarge(ImageRejected):
    """More bytes, pixels or side length than the limit."""

    code = "image_too_large"


class ImageTooSmall(ImageRejected):
    """A side is shorter than the limit."""

    code = "image_too_small"


class ImageFormatUnsupported(ImageRejected):
    """Neither JPEG nor PNG by magic bytes, or a variant of them that we do not take."""

    code = "image_format_unsupported"


class ImageCorrupt(ImageRejected):
    """Truncated, inconsistent or undecodable, or bytes after the end marker."""

    code = "image_corrupt"


class NotFound(IdverifyError):
    """The named object does not exist, or the caller may not know that it does."""

    code = "not_found"


class PersonNotFound(NotFound):
    code = "person_not_found"


class GalleryNotFound(NotFound):
    code = "gallery_not_found"


class ClientNotFound(NotFound):
    code = "client_not_found"


class Conflict(IdverifyError):
    """The object exists already or is in a state that forbids the change."""

    code = "conflict"


class NotPermitted(IdverifyError):
    """The caller is known and may not do this."""

    code = "not_permitted"


class CredentialInvalid(IdverifyError):
    """No credential, or one that is not (or no longer) valid."""

    code = "credential_invalid"


class QuotaExceeded(IdverifyError):
    """A cap was reached; `retry_after_s` says when to try again."""

    code = "quota_exceeded"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ChannelLocked(IdverifyError):
    """Too many failures in a row or close calls: this number is not verified until an administrator releases it."""

    code = "channel_locked"


class GalleryLoading(IdverifyError):
    """The gallery is still being rebuilt from the store; try again."""

    code = "gallery_loading"


class EmbedderMismatch(IdverifyError):
    """An embedding or template of another embedder was offered."""

    code = "embedder_mismatch"


class OperatingPointMissing(IdverifyError):
    """No calibrated threshold for this embedder and population."""

    code = "operating_point_missing"


class ConfigurationInvalid(IdverifyError):
    """Settings, environment or files that the service must not start with."""

    code = "configuration_invalid"


class DemonstrationOnly(ConfigurationInvalid):
    """A model set that knows rendered citizens only was asked to serve real people."""

    code = "demonstration_only"


class ModelMissing(ConfigurationInvalid):
    """A model file is nowhere in the lookup order."""

    code = "model_missing"


class ModelAltered(ConfigurationInvalid):
    """A model file's sha256 is not the manifest's."""

    code = "model_altered"


class ModelDownloadFailed(IdverifyError):
    """The pinned source could not be reached or gave another file."""

    code = "model_download_failed"


class KeyUnavailable(ConfigurationInvalid):
    """A root or wrapping key is missing, destroyed or in a file that others can read."""

    code = "key_unavailable"


class SchemaOutdated(ConfigurationInvalid):
    """The database is not at the schema of this version."""

    code = "schema_outdated"


class SealBroken(IdverifyError):
    """A sealed value does not open for this context: altered, moved, swapped or sealed under another key."""

    code = "seal_broken"


class RecordRolledBack(IdverifyError):
    """Stored records are not in the state that the audit log says they were last written in."""

    code = "record_rolled_back"


class AuditBroken(IdverifyError):
    """The audit log does not verify; subclasses say how, and name the leaf."""

    code = "audit_broken"


class LeafBroken(AuditBroken):
    """One place in the audit log is not what was written; `sequence` names it. Subclasses say how."""

    def __init__(self, message: str, *, sequence: int) -> None:
        super().__init__(message)
        self.sequence = sequence


class LeafAltered(LeafBroken):
    """A leaf, or what is stored beside it, is not what was appended."""

    code = "audit_leaf_altered"


class LeafMissing(LeafBroken):
    """A leaf that the log counts is not there."""

    code = "audit_leaf_missing"


class LeafReordered(LeafBroken):
    """A genuine leaf stands in another leaf's place."""

    code = "audit_leaf_reordered"


class LogForked(LeafBroken):
    """The log agrees with itself but not with a checkpoint that was signed; `sequence` is the first leaf in doubt."""

    code = "audit_log_forked"


class CheckpointInvalid(AuditBroken):
    """A checkpoint is malformed or not signed by this service's audit key."""

    code = "audit_checkpoint_invalid"


class StorageUnavailable(IdverifyError):
    """The database could not be reached, or stayed locked for longer than the time allowed."""

    code = "storage_unavailable"


class DecoderUnavailable(IdverifyError):
    """No process could be had to decode a photograph in; the photograph was not looked at."""

    code = "decoder_unavailable"


class ErasureUnscrubbed(StorageUnavailable):
    """The person is erased, but bytes of theirs stay in the database's files until they are scrubbed."""

    code = "erasure_unscrubbed"
