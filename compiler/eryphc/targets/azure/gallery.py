"""The template that makes a gallery image version of an uploaded VHD.

Source: docs/reference/azure.md, "Images and disks".
"""

from __future__ import annotations

from typing import Any, Final

from eryphc.targets.azure.model import GalleryImage
from eryphc.targets.azure.names import PUBLISHER
from eryphc.targets.azure.template import TEMPLATE_SCHEMA
from eryphc.targets.azure.text import expression, template_bytes

VERSIONS: Final = {
    "Microsoft.Compute/galleries": "2025-03-03",
    "Microsoft.Compute/galleries/images": "2025-03-03",
    "Microsoft.Compute/galleries/images/versions": "2025-03-03",
}
_GALLERY, _IMAGE, _VERSION = VERSIONS
GALLERY: Final = "eryphc"
"""The gallery, unless its parameter says another."""
_LOCATION: Final = expression("parameters('location')")


def image_template(image: GalleryImage) -> bytes:
    """`image.json`: the gallery, the definition, the version. Its output is the version's id."""
    features = [
        {
            "name": "SecurityType",
            "value": "TrustedLaunchSupported" if image.generation == 2 else "Standard",
        }
    ]
    if image.nvme:
        features.append({"name": "DiskControllerTypes", "value": "SCSI, NVMe"})
    definition: dict[str, Any] = {
        "osType": "Windows" if image.windows else "Linux",
        "osState": "Generalized",
        "hyperVGeneration": f"V{image.generation}",
        "architecture": "x64",
        "identifier": {
            "publisher": PUBLISHER,
            "offer": image.names.offer,
            "sku": image.names.sku,
        },
        "features": features,
    }
    version = {
        "publishingProfile": {
            "excludeFromLatest": True,
            "targetRegions": [
                {
                    "name": _LOCATION,
                    "regionalReplicaCount": 1,
                    "storageAccountType": "Standard_LRS",
                }
            ],
        },
        "storageProfile": {
            "osDiskImage": {
                "hostCaching": "ReadWrite",
                "source": {
                    "storageAccountId": expression("parameters('storageAccountId')"),
                    "uri": expression("concat(parameters('blobPrefix'), {})", image.names.blob),
                },
            }
        },
    }
    names = image.names
    gallery = expression("resourceId({}, parameters('galleryName'))", _GALLERY)
    kind = expression("resourceId({}, parameters('galleryName'), {})", _IMAGE, names.definition)
    made = expression(
        "resourceId({}, parameters('galleryName'), {}, {})",
        *(_VERSION, names.definition, names.version),
    )
    return template_bytes(
        {
            "$schema": TEMPLATE_SCHEMA,
            "contentVersion": "1.0.0.0",
            "parameters": {
                "location": _parameter(
                    "The region, which is that of the storage account.",
                    defaultValue=expression("resourceGroup().location"),
                ),
                "galleryName": _parameter("The gallery of images.", defaultValue=GALLERY),
                "storageAccountId": _parameter("The account that holds the blob."),
                "blobPrefix": _parameter("The URL of its container, with a `/` at the end."),
            },
            "resources": [
                _resource(_GALLERY, expression("parameters('galleryName')"), {}),
                _resource(
                    _IMAGE,
                    expression(
                        "format('{0}/{1}', parameters('galleryName'), {})", names.definition
                    ),
                    definition,
                    gallery,
                ),
                _resource(
                    _VERSION,
                    expression(
                        "format('{0}/{1}/{2}', parameters('galleryName'), {}, {})",
                        *(names.definition, names.version),
                    ),
                    version,
                    kind,
                ),
            ],
            "outputs": {"imageId": {"type": "string", "value": made}},
        }
    )


def _parameter(description: str, **more: object) -> dict[str, object]:
    return {"type": "string", **more, "metadata": {"description": description}}


def _resource(
    kind: str, name: str, properties: dict[str, Any], *needs: object
) -> dict[str, object]:
    found: dict[str, object] = {
        "type": kind,
        "apiVersion": VERSIONS[kind],
        "name": name,
        "location": _LOCATION,
    }
    if needs:
        found["dependsOn"] = list(needs)
    return {**found, "properties": properties}
