"""The blob store that the settings name."""

from weft_kit.blobs import BlobStore
from weft_kit.blobs.folder import FolderBlobs
from weft_kit.blobs.sealing import Sealing
from weft_kit.identity.secrets import MasterKey
from weft_kit.settings import CoreSettings


def blobs_of(settings: CoreSettings) -> BlobStore:
    """`settings`: with secrets. Raises VALIDATION_ERROR for a store that there is no adapter for."""
    sealing = Sealing(MasterKey(settings.master_key, settings.master_key_previous))
    if settings.blob_url.startswith("s3://"):
        from weft_kit.blobs.s3 import s3_of

        return s3_of(settings, sealing)
    return FolderBlobs(settings.blob_folder, sealing)
