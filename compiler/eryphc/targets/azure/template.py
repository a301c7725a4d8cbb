"""The ARM template of the machine, from the plan.

Texts of the catlet are values, which are escaped. An expression is made of our own words, and of
names that hold nothing but letters, digits, hyphens and periods.
Source: docs/reference/azure.md, "The template", "Text in templates".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eryphc.artifacts.manifest import gene_entry
from eryphc.targets.azure.model import AzurePlan, DataDisk, Interface
from eryphc.targets.azure.text import Expression, expression, template_bytes

_SCHEMAS: Final = "https://schema.management.azure.com/schemas/2019-04-01/"
TEMPLATE_SCHEMA: Final = _SCHEMAS + "deploymentTemplate.json#"
PARAMETERS_SCHEMA: Final = _SCHEMAS + "deploymentParameters.json#"
VERSIONS: Final = {
    "Microsoft.Compute/virtualMachines": "2025-11-01",
    "Microsoft.Compute/disks": "2025-01-02",
    "Microsoft.Network/networkInterfaces": "2025-05-01",
    "Microsoft.Network/networkSecurityGroups": "2025-05-01",
    "Microsoft.Network/virtualNetworks": "2025-05-01",
    "Microsoft.Network/publicIPAddresses": "2025-05-01",
    "Microsoft.Network/natGateways": "2025-05-01",
}
"""The version of the API that each resource is written for. Each type has its own series."""

_VM: Final = "Microsoft.Compute/virtualMachines"
_DISK: Final = "Microsoft.Compute/disks"
_NIC: Final = "Microsoft.Network/networkInterfaces"
_NSG: Final = "Microsoft.Network/networkSecurityGroups"
_VNET: Final = "Microsoft.Network/virtualNetworks"
_SUBNET: Final = "Microsoft.Network/virtualNetworks/subnets"
_IP: Final = "Microsoft.Network/publicIPAddresses"
_NAT: Final = "Microsoft.Network/natGateways"

_NO_SUBNETS: Final = expression("empty(parameters('subnetIds'))")
_WITH_NAT: Final = expression("and({}, equals(parameters('outbound'), 'natGateway'))", _NO_SUBNETS)
_PUBLIC: Final = expression("parameters('publicIp')")
_ZONES: Final = expression("if(empty(parameters('zone')), null(), createArray(parameters('zone')))")
_LOCATION: Final = expression("parameters('location')")
_TAGS: Final = expression("union(parameters('tags'), variables('ownTags'))")
_MACHINE_TAGS: Final = expression("union(parameters('tags'), variables('machineTags'))")
_DISK_TYPE: Final = expression("parameters('osDiskType')")

_ACCELERATED: Final = "enableAcceleratedNetworking"

Json = dict[str, Any]


def main_template(plan: AzurePlan) -> bytes:
    """`main.json`: the same bytes whatever the secrets are."""
    return template_bytes(
        {
            "$schema": TEMPLATE_SCHEMA,
            "contentVersion": "1.0.0.0",
            "metadata": {
                "eryphc": {"tool": plan.tool, "genes": [gene_entry(gene) for gene in plan.genes]}
            },
            "parameters": _parameters(plan),
            "variables": _variables(plan),
            "resources": list(_resources(plan)),
            "outputs": {
                "machineId": {"type": "string", "value": _id(_VM, plan.names.machine)},
            },
        }
    )


def _parameters(plan: AzurePlan) -> Json:
    defaults = plan.defaults
    location: str | Expression = defaults.location or expression("resourceGroup().location")
    found: Json = {
        "location": _parameter("string", "The region.", location),
        "vmSize": _parameter("string", "The size of the machine.", plan.size),
    }
    if plan.image is None:
        found["imageId"] = _parameter("string", "The id of the gallery image version to boot.")
    found["adminUsername"] = _parameter("string", "The administrator that Azure makes.")
    if plan.windows:
        found["adminPassword"] = _parameter("securestring", "The administrator's password.")
    else:
        found["adminPublicKey"] = _parameter("string", "The administrator's SSH public key.")
    if plan.custom_data is not None:
        found["customData"] = _parameter("securestring", "What the guest reads, in base64.")
    found["osDiskType"] = _parameter(
        "string",
        "The storage of all disks.",
        defaults.os_disk_type,
        allowed=("StandardSSD_LRS", "Premium_LRS", "Standard_LRS"),
    )
    found["zone"] = _parameter("string", "One zone for everything, or none.", defaults.zone)
    found["adminSources"] = _parameter(
        "array", "Address ranges that may reach the machine.", list(defaults.admin_sources)
    )
    found["publicIp"] = _parameter("bool", "Whether it gets a public address.", default=False)
    found["outbound"] = _parameter(
        "string",
        "How the machine reaches the internet.",
        defaults.outbound,
        allowed=("default", "natGateway", "none"),
    )
    found["subnetIds"] = _parameter(
        "object", "Existing subnets, by network; then no network is made.", {}
    )
    if plan.blobs:
        found["storageAccountId"] = _parameter("string", "The account that holds the blobs.")
        found["blobPrefix"] = _parameter("string", "The URL of their container, with a `/`.")
    found["tags"] = _parameter("object", "Tags of your own.", dict(defaults.tags))
    return found


_NONE: Final = object()


def _parameter(
    kind: str, description: str, default: object = _NONE, allowed: Sequence[str] = ()
) -> Json:
    found: Json = {"type": kind}
    if default is not _NONE:
        found["defaultValue"] = default
    if allowed:
        found["allowedValues"] = list(allowed)
    return {**found, "metadata": {"description": description}}


def _variables(plan: AzurePlan) -> Json:
    return {"ownTags": dict(plan.tags), "machineTags": {**plan.tags, **plan.machine_tags}}


def _resources(plan: AzurePlan) -> list[Json]:
    found = [_security_group(plan), _virtual_network(plan), *_gateway(plan), _public_address(plan)]
    found += [_interface(each, plan) for each in plan.interfaces]
    found += [_disk(each) for each in plan.disks]
    return [*found, _machine(plan)]


def _resource(
    kind: str,
    name: str,
    properties: Json,
    *,
    condition: Expression | None = None,
    zones: bool = False,
    sku: str | Expression | None = None,
    needs: Sequence[Expression] = (),
    tags: Expression = _TAGS,
) -> Json:
    found: Json = {} if condition is None else {"condition": condition}
    found |= {
        "type": kind,
        "apiVersion": VERSIONS[kind],
        "name": name,
        "location": _LOCATION,
    }
    if zones:
        found["zones"] = _ZONES
    if sku is not None:
        found["sku"] = {"name": sku}
    found["tags"] = tags
    if needs:
        found["dependsOn"] = list(needs)
    return {**found, "properties": properties}


def _id(kind: str, name: str) -> Expression:
    return expression("resourceId({}, {})", kind, name)


def _reference(kind: str, name: str, condition: Expression) -> Expression:
    """`{"id": ...}` of a resource, or nothing where it is not made."""
    return expression("if({}, createObject('id', {}), null())", condition, _id(kind, name))


def _security_group(plan: AzurePlan) -> Json:
    rule = expression(
        "createObject('name', 'administration', 'properties', createObject("
        "'priority', 1000, 'direction', 'Inbound', 'access', 'Allow', 'protocol', 'Tcp', "
        "'sourceAddressPrefixes', parameters('adminSources'), 'sourcePortRange', '*', "
        "'destinationAddressPrefix', '*', 'destinationPortRange', {}))",
        "3389" if plan.windows else "22",
    )
    rules = expression(
        "if(empty(parameters('adminSources')), createArray(), createArray({}))", rule
    )
    return _resource(_NSG, plan.names.security_group, {"securityRules": rules})


def _virtual_network(plan: AzurePlan) -> Json:
    subnets = [
        {
            "name": name,
            "properties": {
                "addressPrefix": f"10.0.{number}.0/24",
                "defaultOutboundAccess": expression("equals(parameters('outbound'), 'default')"),
                "natGateway": _reference(_NAT, plan.names.nat_gateway, _WITH_NAT),
            },
        }
        for number, name in enumerate(plan.names.subnets.values())
    ]
    return _resource(
        _VNET,
        plan.names.network,
        {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets},
        condition=_NO_SUBNETS,
        needs=(_id(_NAT, plan.names.nat_gateway),),
    )


def _gateway(plan: AzurePlan) -> list[Json]:
    return [
        _resource(
            _IP,
            plan.names.nat_address,
            {"publicIPAllocationMethod": "Static"},
            condition=_WITH_NAT,
            zones=True,
            sku="Standard",
        ),
        _resource(
            _NAT,
            plan.names.nat_gateway,
            {"publicIpAddresses": [{"id": _id(_IP, plan.names.nat_address)}]},
            condition=_WITH_NAT,
            zones=True,
            sku="Standard",
            needs=(_id(_IP, plan.names.nat_address),),
        ),
    ]


def _public_address(plan: AzurePlan) -> Json:
    return _resource(
        _IP,
        plan.names.address,
        {"publicIPAllocationMethod": "Static"},
        condition=_PUBLIC,
        zones=True,
        sku="Standard",
    )


def _interface(interface: Interface, plan: AzurePlan) -> Json:
    subnet = tuple(plan.names.subnets.values())[interface.network]
    own = expression("resourceId({}, {}, {})", _SUBNET, plan.names.network, subnet)
    given = expression("parameters('subnetIds')[{}]", subnet)
    address: Json = {
        "primary": True,
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": expression("if({}, {}, {})", _NO_SUBNETS, own, given)},
    }
    needs = [_id(_NSG, plan.names.security_group), _id(_VNET, plan.names.network)]
    if interface.primary:
        address["publicIPAddress"] = _reference(_IP, plan.names.address, _PUBLIC)
        needs.append(_id(_IP, plan.names.address))
    return _resource(
        _NIC,
        interface.name,
        {
            **({} if plan.accelerated is None else {_ACCELERATED: plan.accelerated}),
            "networkSecurityGroup": {"id": _id(_NSG, plan.names.security_group)},
            "ipConfigurations": [{"name": "primary", "properties": address}],
        },
        needs=needs,
    )


def _disk(disk: DataDisk) -> Json:
    creation: Json = {"createOption": "Empty"}
    if disk.blob is not None:
        creation = {
            "createOption": "Import",
            "sourceUri": expression("concat(parameters('blobPrefix'), {})", disk.blob),
            "storageAccountId": expression("parameters('storageAccountId')"),
        }
    properties: Json = {"creationData": creation}
    if disk.size_gib is not None:
        properties["diskSizeGB"] = disk.size_gib
    return _resource(_DISK, disk.name, properties, zones=True, sku=_DISK_TYPE)


def _machine(plan: AzurePlan) -> Json:
    properties: Json = {
        "hardwareProfile": {"vmSize": expression("parameters('vmSize')")},
        "securityProfile": _security(plan),
        "storageProfile": _storage(plan),
        "osProfile": _system(plan),
        "networkProfile": {
            "networkInterfaces": [
                {
                    "id": _id(_NIC, each.name),
                    "properties": {"primary": each.primary, "deleteOption": "Delete"},
                }
                for each in plan.interfaces
            ]
        },
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
    }
    needs = [_id(_NIC, each.name) for each in plan.interfaces]
    needs += [_id(_DISK, each.name) for each in plan.disks]
    return _resource(
        _VM, plan.names.machine, properties, zones=True, needs=needs, tags=_MACHINE_TAGS
    )


def _security(plan: AzurePlan) -> Json:
    if not plan.trusted_launch:
        return {"securityType": "Standard"}
    return {
        "securityType": "TrustedLaunch",
        "uefiSettings": {"secureBootEnabled": plan.secure_boot, "vTpmEnabled": plan.tpm},
    }


def _storage(plan: AzurePlan) -> Json:
    image = plan.image
    system: Json = {
        "name": plan.names.os_disk,
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "deleteOption": "Delete",
        "managedDisk": {"storageAccountType": _DISK_TYPE},
    }
    if plan.os_disk_gib is not None:
        system["diskSizeGB"] = plan.os_disk_gib
    found: Json = {
        "imageReference": {"id": expression("parameters('imageId')")}
        if image is None
        else {
            "publisher": image.publisher,
            "offer": image.offer,
            "sku": image.sku,
            "version": image.version,
        }
    }
    if plan.nvme:
        found["diskControllerType"] = "NVMe"
    found["osDisk"] = system
    if plan.disks:
        found["dataDisks"] = [
            {
                "lun": each.lun,
                "createOption": "Attach",
                "caching": "None",
                "deleteOption": "Detach",
                "managedDisk": {"id": _id(_DISK, each.name)},
            }
            for each in plan.disks
        ]
    return found


def _system(plan: AzurePlan) -> Json:
    found: Json = {
        "computerName": plan.computer_name,
        "adminUsername": expression("parameters('adminUsername')"),
    }
    if plan.windows:
        found["adminPassword"] = expression("parameters('adminPassword')")
        found["windowsConfiguration"] = {
            "provisionVMAgent": True,
            "enableAutomaticUpdates": False,
        }
    else:
        home = expression("concat('/home/', parameters('adminUsername'), '/.ssh/authorized_keys')")
        key = {"path": home, "keyData": expression("parameters('adminPublicKey')")}
        found["linuxConfiguration"] = {
            "disablePasswordAuthentication": True,
            "provisionVMAgent": True,
            "ssh": {"publicKeys": [key]},
        }
    if plan.custom_data is not None:
        found["customData"] = expression("parameters('customData')")
    return found


def parameters_document(values: Mapping[str, object]) -> Json:
    """A file of parameters. Its texts are no expressions, so nothing in it is escaped."""
    return {
        "$schema": PARAMETERS_SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {name: {"value": value} for name, value in values.items()},
    }
