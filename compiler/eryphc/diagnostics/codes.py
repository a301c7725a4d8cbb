"""Every kind of finding: its number, its name, and who may change its level.

The catalogue modules hold the wording; this table knows all of them without importing one. It is
imported only where somebody names a kind: in an option, a setting, a comment, or to `explain`.
"""

from __future__ import annotations

from collections.abc import Iterator

from eryphc.diagnostics.model import Level, level_of
from eryphc.frozen import NamedTuple

_LONGEST_WORD = 60


class Kind(NamedTuple):
    """One kind of finding, with one number and one name for ever.

    `aliases` are numbers that the kind had beside its own. `soft`: an error in spite of which an
    artifact can be made, so that it may be lowered. `varies`: the rule decides the level of each
    finding (what breaks E02xx in a packed gene is a warning). `security`: no comment of a foreign
    gene silences it. `reaches`: it speaks of more than the text it points at, such as what
    earlier fodder entries set.
    """

    number: str
    name: str
    aliases: tuple[str, ...] = ()
    soft: bool = False
    varies: bool = False
    security: bool = False
    reaches: bool = False

    @property
    def level(self) -> Level:
        """The default, which the letter says."""
        return level_of(self.number)

    @property
    def hard(self) -> bool:
        """Whether an error of this kind always stays an error."""
        return self.level is Level.ERROR and not self.soft

    @property
    def silenceable(self) -> bool:
        """Whether some finding of this kind may be lowered."""
        return self.varies or not self.hard


KINDS = (
    Kind("E0101", "not-yaml"),
    Kind("E0102", "character-refused"),
    Kind("E0103", "tab-refused"),
    Kind("E0104", "second-document"),
    Kind("E0105", "alias-unknown"),
    Kind("E0106", "document-too-large"),
    Kind("E0107", "too-deep"),
    Kind("E0108", "too-many-entries"),
    Kind("E0109", "too-many-aliases"),
    Kind("E0110", "not-json"),
    Kind("E0111", "empty-document"),
    Kind("E0112", "wrong-kind"),
    Kind("E0113", "unknown-key"),
    Kind("E0114", "key-not-text"),
    Kind("E0115", "not-a-number"),
    Kind("E0116", "not-a-flag"),
    Kind("E0117", "unknown-word"),
    Kind("E0118", "flow-content"),
    Kind("E0119", "content-decorated"),
    Kind("E0120", "tag-refused"),
    Kind("E0121", "alias-refused"),
    Kind("E0122", "null-entry"),
    Kind("E0123", "shorthand-empty"),
    Kind("E0124", "expanded-too-large"),
    Kind("E0125", "not-text"),
    Kind("E0126", "too-many-directives"),
    Kind("E0127", "not-a-catlet"),
    Kind("W0101", "duplicate-key"),
    Kind("W0102", "comment-in-content"),
    Kind("W0103", "comment-lost"),
    Kind("N0101", "blank-lines-changed"),
    Kind("N0102", "findings-not-listed"),
    Kind("E0201", "bad-name", varies=True),
    Kind("E0202", "required", varies=True),
    Kind("E0203", "not-unique", varies=True),
    Kind("E0204", "too-many", varies=True),
    Kind("E0205", "out-of-range", varies=True),
    Kind("E0206", "memory-relation", varies=True),
    Kind("E0207", "bad-gene-set", varies=True),
    Kind("E0208", "bad-gene", varies=True),
    Kind("E0209", "bad-path", varies=True),
    Kind("E0210", "gene-needs-vhd", varies=True),
    Kind("E0211", "bad-mac-address", varies=True),
    Kind("E0212", "fodder-names-nothing", varies=True),
    Kind("E0213", "not-on-a-removal", varies=True),
    Kind("E0214", "not-on-a-reference", varies=True),
    Kind("E0215", "unknown-fodder-type", varies=True),
    Kind("E0216", "bad-file-name", varies=True),
    Kind("E0217", "no-content", varies=True),
    Kind("E0218", "two-tags", aliases=("E0405",), varies=True),
    Kind("E0219", "reserved-variable", varies=True),
    Kind("E0220", "value-does-not-fit", varies=True),
    Kind("E0221", "catlet-source-unnamed", varies=True),
    Kind("E0222", "source-inside-a-gene", varies=True),
    Kind("E0223", "variables-inside-a-gene", varies=True),
    Kind("E0224", "gene-without-food", varies=True),
    Kind("E0225", "reserved-gene-name", varies=True),
    Kind("W0201", "line-feed-tolerated"),
    Kind("W0202", "remove-inside-a-gene"),
    Kind("W0203", "catlet-unnamed"),
    Kind("E0301", "gene-not-found"),
    Kind("E0302", "gene-set-not-found"),
    Kind("E0303", "identifier-malformed"),
    Kind("E0304", "reference-loop"),
    Kind("E0305", "references-too-many"),
    Kind("E0306", "gene-not-for-hypervisor"),
    Kind("E0307", "gene-not-for-processor"),
    Kind("E0308", "manifest-invalid"),
    Kind("E0309", "manifest-misplaced"),
    Kind("E0310", "gene-incomplete"),
    Kind("E0311", "gene-damaged"),
    Kind("E0312", "outside-pool"),
    Kind("E0313", "pool-file-unreadable"),
    Kind("E0314", "gene-too-large"),
    Kind("E0316", "source-unclear"),
    Kind("E0317", "volume-descriptor-invalid"),
    Kind("E0319", "catlet-gene-missing"),
    Kind("W0315", "gene-not-utf8"),
    Kind("W0318", "gene-twice"),
    Kind("W0320", "volume-descriptor-key"),
    Kind("W0321", "manifest-says-other", security=True),
    Kind("E0401", "pedigree-circle"),
    Kind("E0402", "pedigree-too-long"),
    Kind("E0403", "name-twice"),
    Kind("E0404", "name-missing"),
    Kind("E0406", "gene-drive-type"),
    Kind("E0407", "adapter-clash"),
    Kind("E0408", "subnet-unnamed"),
    Kind("E0409", "food-not-found"),
    Kind("E0410", "binding-unknown"),
    Kind("E0411", "variable-unknown"),
    Kind("E0412", "reference-invalid"),
    Kind("E0413", "value-missing"),
    Kind("E0414", "value-unfit"),
    Kind("E0415", "given-unknown"),
    Kind("E0416", "given-twice"),
    Kind("E0417", "given-system"),
    Kind("E0418", "given-unfit"),
    Kind("E0419", "food-unnamed"),
    Kind("E0422", "substituted-too-large"),
    Kind("W0421", "removal-inherited", reaches=True),
    Kind("W0422", "value-changes-type", reaches=True),
    Kind("W0423", "value-breaks-quoting", security=True, reaches=True),
    Kind("W0428", "value-not-held", security=True),
    Kind("W0426", "removal-without-effect", reaches=True),
    Kind("N0427", "bindings-dropped", reaches=True),
    Kind("N0424", "value-stood-in"),
    Kind("W0425", "reference-not-replaced"),
    Kind("N0420", "removal-applied", reaches=True),
    Kind("E0501", "cloud-config-unreadable", aliases=("W0501",), varies=True),
    Kind("E0502", "cloud-config-not-a-map", aliases=("W0502",), varies=True),
    Kind("E0503", "cloud-config-value-unreadable", aliases=("W0503",), varies=True),
    Kind("E0504", "cloud-config-expands-too-far", aliases=("W0504",), varies=True),
    Kind("E0507", "kinds-clash"),
    Kind("E0508", "merge-how-malformed", aliases=("W0508",), varies=True),
    Kind("E0530", "command-not-runnable", aliases=("W0530",), soft=True, varies=True, reaches=True),
    Kind("E0550", "text-not-unicode"),
    Kind("E0551", "script-without-interpreter"),
    Kind("E0552", "upstart-job-removed"),
    Kind("E0553", "type-contradicts-text"),
    Kind("E0554", "archive-broken"),
    Kind("E0555", "archive-entry-dropped"),
    Kind("E0556", "template-shares-value", soft=True, reaches=True),
    Kind("E0557", "template-not-possible"),
    Kind("E0558", "network-config-invalid"),
    Kind("E0559", "network-address-twice"),
    Kind("E0560", "network-address-not-text"),
    Kind("E0561", "linux-gets-windows-script"),
    Kind("E0562", "text-encoded"),
    Kind("E0575", "value-breaks-out", soft=True, security=True, reaches=True),
    Kind("N0576", "secret-not-declared", reaches=True),
    Kind("E0590", "template-broken"),
    Kind("W0505", "cloud-config-duplicate-key"),
    Kind("W0506", "cloud-config-empty"),
    Kind("W0509", "value-overridden", aliases=("N0509",), varies=True, reaches=True),
    Kind("W0510", "file-replaced", aliases=("N0510",), varies=True, reaches=True),
    Kind("W0511", "list-replaced", aliases=("N0511",), varies=True, reaches=True),
    Kind("W0512", "definition-extended", aliases=("N0512",), varies=True, reaches=True),
    Kind("W0520", "dropped-in-guest", reaches=True),
    Kind("W0522", "key-unknown"),
    Kind("W0523", "value-invalid"),
    Kind("W0524", "deprecated"),
    Kind("W0532", "owner-not-yet-there"),
    Kind("W0533", "home-not-yet-there"),
    Kind("W0534", "file-in-tmp", security=True),
    Kind("W0535", "permissions-not-octal", security=True),
    Kind("W0537", "network-ignored"),
    Kind("W0538", "password-locked"),
    Kind("W0540", "default-user-missing", reaches=True, varies=True),
    Kind("W0541", "start-waits-for-boot"),
    Kind("W0542", "command-leaks", aliases=("N0542",), varies=True, reaches=True),
    Kind("W0543", "user-twice", reaches=True),
    Kind("W0544", "snap-before-seed"),
    Kind("W0545", "password-twice"),
    Kind("W0550", "guest-drops-part"),
    Kind("W0551", "include-unpinned", security=True),
    Kind("W0552", "script-between-commands", reaches=True),
    Kind("W0553", "script-read-as-other"),
    Kind("W0554", "food-empty"),
    Kind("W0555", "hostname-malformed"),
    Kind("W0556", "hostname-is-address"),
    Kind("W0557", "hostname-too-long"),
    Kind("W0558", "hostname-of-digits"),
    Kind("W0559", "templates-share-value", reaches=True),
    Kind("W0560", "adapters-without-address"),
    Kind("W0562", "network-entry-doubtful"),
    Kind("W0563", "network-not-read-by-windows"),
    Kind("W0570", "windows-ignores-part"),
    Kind("W0571", "windows-ignores-key"),
    Kind("W0572", "windows-password-hash", security=True),
    Kind("W0573", "windows-script-not-run"),
    Kind("W0574", "windows-script-needs-shell"),
    Kind("W0575", "windows-renames-twice", reaches=True),
    Kind("W0576", "windows-script-ends-run", reaches=True),
    Kind("W0577", "windows-script-restarts", reaches=True),
    Kind("W0578", "windows-path-expected"),
    Kind("W0579", "windows-device-name"),
    Kind("W0580", "windows-32-bit-ignored"),
    Kind("W0586", "linux-gets-windows-key"),
    Kind("W0587", "linux-password-plain", security=True),
    Kind("W0588", "linux-path-expected"),
    Kind("N0513", "key-unset", reaches=True),
    Kind("N0514", "unknown-list-joined", reaches=True),
    Kind("N0515", "empty-list-left-out"),
    Kind("N0516", "dropped-by-merge-how", reaches=True),
    Kind("N0517", "key-respelled"),
    Kind("N0531", "command-is-null", reaches=True),
    Kind("N0536", "permissions-special", security=True),
    Kind("N0550", "guest-counts-as-linux"),
    Kind("N0551", "guest-assumed-linux", varies=True),
    Kind("N0552", "windows-runs-again", reaches=True),
    Kind("N0553", "template-comes-later", reaches=True),
    Kind("E0601", "epoch-malformed"),
    Kind("E0602", "epoch-out-of-range"),
    Kind("E0603", "output-not-ours"),
    Kind("E0604", "output-no-folder"),
    Kind("E0605", "output-twice"),
    Kind("E0606", "output-failed"),
    Kind("E0607", "artifact-name-refused"),
    Kind("E0608", "image-differs"),
    Kind("E0609", "image-refused"),
    Kind("N0610", "vm-id-is-catlet-id"),
    Kind("E0611", "companion-not-ours"),
    Kind("E0701", "hyperv-memory-bounds"),
    Kind("E0702", "hyperv-pass-through-disk"),
    Kind("E0703", "hyperv-shared-disk-needs-share"),
    Kind("E0704", "hyperv-linux-secure-boot", soft=True, security=True),
    Kind("E0705", "hyperv-slot-unknown"),
    Kind("E0706", "hyperv-slot-typed"),
    Kind("E0707", "hyperv-slot-too-short"),
    Kind("E0708", "hyperv-slot-unquoted"),
    Kind("E0711", "hyperv-duplicate-mac"),
    Kind("E0712", "hyperv-dynamic-memory-too-large"),
    Kind("E0713", "hyperv-multicast-mac"),
    Kind("E0714", "hyperv-volume-unknown-drive"),
    Kind("E0715", "hyperv-bad-setting"),
    Kind("E0716", "hyperv-volume-file"),
    Kind("E0717", "hyperv-slot-encoded"),
    Kind("E0718", "hyperv-host-path"),
    Kind("E0719", "hyperv-reserved-name"),
    Kind("E0720", "hyperv-drive-too-small"),
    Kind("E0721", "hyperv-slot-twice"),
    Kind("E0722", "hyperv-slot-has-value"),
    Kind("W0701", "hyperv-nested-dynamic-memory"),
    Kind("W0702", "hyperv-unknown-template", security=True),
    Kind("W0703", "hyperv-unknown-capability"),
    Kind("W0704", "hyperv-no-boot-drive"),
    Kind("W0705", "hyperv-old-host-limit"),
    Kind("W0706", "hyperv-subnet-ignored"),
    Kind("W0707", "hyperv-location-ignored"),
    Kind("W0708", "hyperv-nested-small"),
    Kind("W0709", "hyperv-without-effect"),
    Kind("W0710", "hyperv-unknown-detail"),
    Kind("W0711", "hyperv-mac-of-host-pool"),
    Kind("W0712", "hyperv-setting-unknown"),
    Kind("W0713", "hyperv-slot-unused"),
    Kind("N0701", "hyperv-volume-format"),
    Kind("N0702", "hyperv-volume-asked"),
    Kind("N0703", "hyperv-adapter-disconnected"),
    Kind("N0704", "hyperv-setting-elsewhere"),
    Kind("N0705", "hyperv-share-remote"),
    Kind("N0706", "hyperv-network-always"),
    Kind("E0801", "volume-digest-differs"),
    Kind("E0802", "volume-download-failed"),
    Kind("E0803", "volume-address-refused"),
    Kind("E0804", "volume-too-large"),
    Kind("E0805", "volume-checksum-list"),
    Kind("E0806", "volume-no-source"),
    Kind("E0807", "qemu-img-missing"),
    Kind("E0808", "qemu-img-failed"),
    Kind("E0809", "volume-not-self-contained"),
    Kind("E0810", "volume-unreadable"),
    Kind("E0811", "volume-damaged"),
    Kind("E0812", "volume-place-taken"),
    Kind("E0813", "volume-other-pool"),
    Kind("E0814", "volume-conversion-differs"),
    Kind("E0815", "volume-moved-on"),
    Kind("N0801", "volume-nothing-to-fetch"),
    Kind("N0802", "volume-not-checked", security=True),
    Kind("N0803", "volume-dated"),
    Kind("E0901", "usage"),
    Kind("E0902", "file-not-found"),
    Kind("E0903", "file-unreadable"),
    Kind("E0904", "bad-option-value"),
    Kind("E0905", "pool-not-found"),
    Kind("E0906", "specs-of-one-name"),
    Kind("E0907", "unknown-code"),
    Kind("E0908", "project-value"),
    Kind("E0909", "pool-type-unsupported"),
    Kind("E0910", "variable-source"),
    Kind("E0911", "file-exists"),
    Kind("E0912", "gene-unknown"),
    Kind("E0913", "pool-needs"),
    Kind("E0914", "file-unwritable"),
    Kind("E0915", "unknown-schema"),
    Kind("E0916", "outside-failed"),
    Kind("E0917", "internal-fault"),
    Kind("W0918", "project-without-effect"),
    Kind("W0919", "value-ends-with-cr"),
    Kind("W0920", "allowance-malformed"),
    Kind("W0921", "allowance-unused"),
    Kind("E1001", "registry-unreachable"),
    Kind("E1002", "registry-too-slow"),
    Kind("E1003", "not-signed-in"),
    Kind("E1004", "no-access"),
    Kind("E1005", "repository-missing"),
    Kind("E1007", "form-refused"),
    Kind("E1008", "tag-immutable"),
    Kind("E1009", "tag-taken"),
    Kind("E1010", "overtaken"),
    Kind("E1011", "rate-limited"),
    Kind("E1012", "registry-policy"),
    Kind("E1013", "too-large"),
    Kind("E1014", "not-a-registry"),
    Kind("E1015", "digest-mismatch"),
    Kind("E1016", "not-a-gene-set"),
    Kind("E1017", "wrong-gene-set"),
    Kind("E1018", "format-too-new"),
    Kind("E1019", "malformed-artifact"),
    Kind("E1020", "redirect-refused"),
    Kind("W1021", "credentials-unreadable"),
    Kind("E1022", "signature-missing"),
    Kind("E1023", "signature-wrong"),
    Kind("E1024", "no-ssh-keygen"),
    Kind("E1025", "offline"),
    Kind("E1026", "name-not-expressible"),
    Kind("E1027", "interface-broken"),
    Kind("E1028", "moving-tag-content"),
    Kind("W1029", "gene-set-deprecated"),
    Kind("W1030", "index-not-updated"),
    Kind("E1032", "signing-key-too-open"),
    Kind("N1031", "without-embedded-copies"),
    Kind("E1033", "gene-set-not-publishable"),
    Kind("W1034", "reserved-file-name"),
    Kind("W1035", "gene-variable-unused"),
    Kind("W1036", "gene-file-passed-over"),
    Kind("N1037", "registry-notice"),
    Kind("E1101", "lock-missing"),
    Kind("E1102", "lock-incomplete"),
    Kind("E1104", "lock-newer"),
    Kind("E1105", "lock-malformed"),
    Kind("E1106", "locked-content-gone"),
    Kind("E1107", "lock-guard"),
    Kind("E1108", "two-pools"),
    Kind("E1109", "changed-under-lock", varies=True),
    Kind("W1110", "resolved-for-this-build"),
    Kind("E1111", "lock-unused"),
    Kind("E1201", "store-foreign"),
    Kind("E1202", "disk-full"),
    Kind("W1203", "store-damaged"),
    Kind("N1204", "outputs-not-trusted"),
    Kind("E1205", "not-reproducible"),
    Kind("N1206", "no-output-cache"),
    Kind("E1401", "azure-name"),
    Kind("E1402", "azure-drive-kind"),
    Kind("E1403", "azure-generation"),
    Kind("E1404", "azure-size"),
    Kind("W1405", "azure-size-unknown"),
    Kind("W1406", "azure-device-name"),
    Kind("W1407", "azure-no-outbound", reaches=True),
    Kind("E1408", "azure-disk"),
    Kind("N1409", "azure-image-missing", varies=True),
    Kind("N1410", "azure-image-moves"),
    Kind("W1411", "azure-base-for-kvm"),
    Kind("W1412", "azure-agent-contends"),
    Kind("E1413", "azure-image-unknown"),
    Kind("E1414", "azure-volume-unknown-drive"),
    Kind("W1415", "azure-volume-unused"),
    Kind("E1501", "user-data-budget", soft=True, varies=True, reaches=True),
    Kind("W1502", "target-loss", varies=True),
    Kind("W1503", "secret-in-user-data", security=True),
    Kind("E1504", "external-request"),
    Kind("E1505", "external-secret"),
    Kind("E1506", "agent-ignores-user-data"),
    Kind("E1507", "agent-of-another-guest"),
    Kind("E1601", "verify-no-build"),
    Kind("E1602", "artifact-differs"),
    Kind("E1603", "artifact-unlisted"),
    Kind("E1604", "artifact-secret"),
    Kind("E1605", "gene-differs"),
    Kind("E1606", "statement-malformed"),
    Kind("E1607", "statement-differs"),
    Kind("E1608", "statement-unsigned"),
    Kind("N1609", "signature-not-checked", security=True),
    Kind("W1610", "statement-without-subject"),
    Kind("E1611", "signing-failed"),
)


def _words() -> Iterator[tuple[str, Kind]]:
    for kind in KINDS:
        for word in (kind.number, *kind.aliases, kind.name):
            yield word.lower(), kind


_BY_WORD = dict(_words())


def kind_of(word: str) -> Kind | None:
    """The kind that `word` means: its number, a number it had, or its name, in any case."""
    return _BY_WORD.get(word.lower())


def known_words() -> tuple[str, ...]:
    """All numbers, then all names, as they are written."""
    return (*(kind.number for kind in KINDS), *(kind.name for kind in KINDS))


class Refused(NamedTuple):
    """Why no level can be chosen for a word."""

    message: str
    help: str | None = None


UNKNOWN_WORD = "`{}` is neither the code nor the name of a diagnostic"


def unknown_word(word: str, *, suggest: bool = True) -> Refused:
    """Why no level can be chosen for a word that is no kind of finding."""
    from eryphc.diagnostics.words import clipped

    meant = None
    if suggest and len(word) <= _LONGEST_WORD:
        from eryphc.diagnostics.words import did_you_mean

        meant = did_you_mean(word, known_words())
    return Refused(UNKNOWN_WORD.format(clipped(word)), meant or "`eryphc explain` lists them")
