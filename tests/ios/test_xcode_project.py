"""The project, its settings, catalogues and texts are well-formed, complete and consistent."""

import json
import plistlib
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from openstep_parser import OpenStepDecoder
from PIL import Image
from swift_source import localized_keys

ROOT = Path(__file__).resolve().parents[2]
IOS = ROOT / "ios_demo"
APP = IOS / "DamageDemo"
RESOURCES = APP / "Resources"
ID = re.compile(r"[0-9A-F]{24}")
# isa → the attributes that hold ids of other objects.
REFERENCES = {
    "PBXBuildFile": ("productRef", "fileRef"),
    "PBXFrameworksBuildPhase": ("files",),
    "PBXGroup": ("children",),
    "PBXNativeTarget": (
        "buildConfigurationList buildPhases dependencies fileSystemSynchronizedGroups "
        "packageProductDependencies productReference".split()
    ),
    "PBXProject": (
        "buildConfigurationList mainGroup packageReferences productRefGroup targets".split()
    ),
    "XCBuildConfiguration": ("baseConfigurationReference",),
    "XCConfigurationList": ("buildConfigurations",),
    "XCSwiftPackageProductDependency": ("package",),
}
LANGUAGES = ("en", "ko")


@pytest.fixture(scope="module")
def project():
    text = (IOS / "DamageDemo.xcodeproj" / "project.pbxproj").read_text(encoding="utf-8")
    return OpenStepDecoder.ParseFromString(text)


@pytest.fixture(scope="module")
def settings():
    return read_settings(IOS / "Config" / "Base.xcconfig")


def read_settings(path):
    lines = [line for line in path.read_text().splitlines() if not line.startswith("//")]
    return dict(line.split(" = ", 1) for line in lines if " = " in line)


def referenced(thing):
    for attribute in REFERENCES.get(thing["isa"], ()):
        value = thing.get(attribute, [])
        yield from [value] if isinstance(value, str) else value


def of_kind(project, isa):
    return [thing for thing in project["objects"].values() if thing["isa"] == isa]


def test_ids_are_well_formed_and_every_one_that_is_used_exists(project):
    objects = project["objects"]
    assert all(ID.fullmatch(key) for key in objects)
    used = {project["rootObject"]}
    for thing in objects.values():
        used |= set(referenced(thing))
    assert used == set(objects), "an id leads nowhere, or nothing leads to an object"
    text = (IOS / "DamageDemo.xcodeproj" / "project.pbxproj").read_text()
    assert set(ID.findall(text)) == set(objects)
    assert len(re.findall(r"^\t\t[0-9A-F]{24}.* = \{", text, re.MULTILINE)) == len(objects)


def paths_below(project, group, folder):
    for key in project["objects"][group]["children"]:
        thing = project["objects"][key]
        if thing["sourceTree"] == "BUILT_PRODUCTS_DIR":
            continue
        assert thing["sourceTree"] == "<group>"
        path = folder / thing["path"] if "path" in thing else folder
        yield path
        if thing["isa"] == "PBXGroup":
            yield from paths_below(project, key, path)


def test_every_path_exists(project):
    root = project["objects"][project["rootObject"]]
    paths = list(paths_below(project, root["mainGroup"], IOS))
    assert APP in paths
    assert [path for path in paths if not path.exists()] == []
    for package in of_kind(project, "XCLocalSwiftPackageReference"):
        assert (IOS / package["relativePath"] / "Package.swift").is_file()


def test_the_project_is_of_the_kind_that_needs_no_upkeep(project):
    assert project["objectVersion"] == "77"
    for target in of_kind(project, "PBXNativeTarget"):
        assert len(target["fileSystemSynchronizedGroups"]) == 1
    assert all(phase["files"] == [] for phase in of_kind(project, "PBXSourcesBuildPhase"))
    assert {"en", "ko"} <= set(of_kind(project, "PBXProject")[0]["knownRegions"])


def test_the_app_links_the_package(project):
    products = [p["productName"] for p in of_kind(project, "XCSwiftPackageProductDependency")]
    assert products == ["DamageKit"]
    manifest = (IOS / "DamageKit" / "Package.swift").read_text()
    assert '.library(name: "DamageKit"' in manifest


def test_the_scheme_builds_the_target(project):
    scheme = IOS / "DamageDemo.xcodeproj/xcshareddata/xcschemes/DamageDemo.xcscheme"
    references = ET.parse(scheme).getroot().iter("BuildableReference")
    apps = [r.attrib for r in references if r.attrib["BuildableName"].endswith(".app")]
    assert apps
    for reference in apps:
        target = project["objects"][reference["BlueprintIdentifier"]]
        assert target["name"] == reference["BlueprintName"]
        assert reference["ReferencedContainer"] == "container:DamageDemo.xcodeproj"


def test_the_settings_that_matter(settings):
    assert settings["COREML_CODEGEN_LANGUAGE"] == "None"
    assert settings["IPHONEOS_DEPLOYMENT_TARGET"] == "16.0"
    assert settings["SWIFT_VERSION"] == "6.0"
    assert settings["COMPRESS_PNG_FILES"] == "NO"
    assert settings["GENERATE_INFOPLIST_FILE"] == "YES"
    assert (IOS / settings["INFOPLIST_FILE"]).is_file()
    for usage in ("NSCamera", "NSPhotoLibrary", "NSPhotoLibraryAdd"):
        assert len(settings[f"INFOPLIST_KEY_{usage}UsageDescription"]) > 20


def test_signing_stays_out_of_git(settings):
    base = (IOS / "Config" / "Base.xcconfig").read_text()
    assert base.rstrip().endswith('#include? "Signing.xcconfig"'), "what is read last wins"
    ignored = (IOS / ".gitignore").read_text().splitlines()
    assert {
        "Config/Signing.xcconfig",
        "DamageDemo/Models/*",
        "!DamageDemo/Models/README.md",
    } <= set(ignored)
    example = read_settings(IOS / "Config" / "Signing.example.xcconfig")
    assert set(example) == {"DEVELOPMENT_TEAM", "PRODUCT_BUNDLE_IDENTIFIER"}
    assert "DEVELOPMENT_TEAM" not in settings


def test_the_property_list_declares_the_model_types_that_the_importer_offers():
    with (IOS / "Config" / "Info.plist").open("rb") as file:
        types = plistlib.load(file)["UTImportedTypeDeclarations"]
    endings = {t["UTTypeTagSpecification"]["public.filename-extension"][0]: t for t in types}
    assert set(endings) == {"mlmodel", "mlpackage"}
    assert endings["mlpackage"]["UTTypeConformsTo"] == ["com.apple.package"]
    # Files offers what the importer names: types by these identifiers, as files or as folders.
    kinds = {"public.data": "data", "com.apple.package": "package"}
    declared = {(t["UTTypeIdentifier"], kinds[t["UTTypeConformsTo"][0]]) for t in types}
    importer = (APP / "Screens" / "ModelMenu.swift").read_text()
    used = re.findall(r'UTType\(importedAs: "([\w.]+)", conformingTo: \.(\w+)\)', importer)
    assert set(used) == declared
    assert "filenameExtension" not in importer, "it makes the type of a file, not of a package"


def strings_of(name):
    catalogue = json.loads((RESOURCES / f"{name}.xcstrings").read_text(encoding="utf-8"))
    assert catalogue["sourceLanguage"] == "en" and catalogue["version"] == "1.0"
    return catalogue["strings"]


def placeholders(text):
    """The arguments that a text takes: `%@`, or `%1$@` and so on."""
    found = re.findall(r"%(?:(\d+)\$)?@", text)
    assert not re.search(r"%(?!(?:\d+\$)?@)", text), f"{text!r} has another placeholder"
    return sorted(int(number or index + 1) for index, number in enumerate(found))


@pytest.mark.parametrize("name", ["Localizable", "InfoPlist", "ClassNames"])
def test_every_text_is_there_in_every_language(name):
    for key, entry in strings_of(name).items():
        assert set(entry["localizations"]) == set(LANGUAGES), key
        for language in LANGUAGES:
            unit = entry["localizations"][language]["stringUnit"]
            assert unit["state"] == "translated" and unit["value"].strip(), key
            assert placeholders(unit["value"]) == placeholders(key), (key, language)
            if len(placeholders(key)) > 1:
                assert "%1$@" in unit["value"], f"{key!r} must number its arguments"


def test_the_catalogue_has_the_texts_of_the_app_and_no_others():
    used = set().union(*(localized_keys(path) for path in APP.rglob("*.swift")))
    assert used == set(strings_of("Localizable"))


def test_class_names_are_found_by_their_labels_in_lower_case():
    names = strings_of("ClassNames")
    assert {"background", "foreground"} < set(names)
    assert all(key == key.lower() for key in names)
    # Xcode drops what it does not find in the code, unless it is told that a person wrote it.
    assert all(entry["extractionState"] == "manual" for entry in names.values())
    assert 'table: "ClassNames"' in (APP / "App" / "Wording.swift").read_text()


def test_korean_is_korean():
    names = {"PyTorch", "%@ ms"}
    for key, entry in (strings_of("Localizable") | strings_of("ClassNames")).items():
        korean = entry["localizations"]["ko"]["stringUnit"]["value"]
        assert key in names or re.search("[가-힣]", korean), key


def test_the_property_lists_texts_are_those_of_the_settings(settings):
    texts = strings_of("InfoPlist")
    shown = {
        key.removeprefix("INFOPLIST_KEY_"): text
        for key, text in settings.items()
        if key.startswith(("INFOPLIST_KEY_NS", "INFOPLIST_KEY_CFBundleDisplayName"))
    }
    english = {k: e["localizations"]["en"]["stringUnit"]["value"] for k, e in texts.items()}
    assert english == shown


def test_the_asset_catalogue_is_complete():
    catalogue = RESOURCES / "Assets.xcassets"
    for folder in [catalogue, *(path for path in catalogue.iterdir() if path.is_dir())]:
        contents = json.loads((folder / "Contents.json").read_text())
        assert contents["info"] == {"author": "xcode", "version": 1}
        files = {image["filename"] for image in contents.get("images", ())}
        there = {path.name for path in folder.iterdir() if path.is_file()}
        assert there == files | {"Contents.json"}
    settings = read_settings(IOS / "Config" / "Base.xcconfig")
    assert (catalogue / f"{settings['ASSETCATALOG_COMPILER_APPICON_NAME']}.appiconset").is_dir()
    accent = catalogue / f"{settings['ASSETCATALOG_COMPILER_GLOBAL_ACCENT_COLOR_NAME']}.colorset"
    colours = json.loads((accent / "Contents.json").read_text())["colors"]
    assert any("appearances" in colour for colour in colours), "there is none for dark mode"


def test_the_icon_is_opaque_and_large_enough():
    with Image.open(RESOURCES / "Assets.xcassets/AppIcon.appiconset/AppIcon.png") as icon:
        assert icon.size == (1024, 1024)
        assert icon.mode == "RGB"


def test_no_two_resources_have_one_name():
    """Xcode puts all resources of a synchronized folder into one folder of the app."""
    resources = [p for p in APP.rglob("*") if p.is_file() and p.suffix not in (".swift", ".json")]
    resources = [p for p in resources if ".xcassets" not in str(p) and "Models" not in p.parts]
    names = [path.name for path in resources]
    assert len(names) == len(set(names))


def test_the_sample_pictures_are_the_projects_own():
    pictures = sorted((APP / "Samples").iterdir())
    assert len(pictures) >= 3
    for picture in pictures:
        assert picture.read_bytes() == (ROOT / "samples" / picture.name).read_bytes()
