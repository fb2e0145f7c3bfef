"""Rules about the files of a package: readable, named as they should be, and as define.xml and the manifest say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from validation.conformance.package_facts import PackageFacts
from validation.conformance.rule import Hit, rule

TECHNICAL_GUIDE = "FDA Study Data Technical Conformance Guide, section 3.3"
REJECTION = "FDA Technical Rejection Criteria for Study Data"
FILE_NAME = re.compile(r"[a-z][a-z0-9]{0,7}")
LARGEST = 5_000_000_000
FORMAT = re.compile(r"(DATE|DATETIME|TIME|E8601D[AT]|E8601TM|YYMMDDN?|BEST)?\d*\.\d*")
package_rule = partial(rule, standard="package")


@package_rule("file.readable", "Each file of a dataset can be read, and there is one of each dataset.", TECHNICAL_GUIDE)
def file_readable(data: PackageFacts) -> Iterator[Hit]:
    yield from (Hit(name, detail=sentence) for name, sentence in data.problems)


@package_rule("file.name", "A transport file is named after its dataset, in lower case, with at most eight letters and"
              " digits.", TECHNICAL_GUIDE)  # fmt: skip
def file_name(data: PackageFacts) -> Iterator[Hit]:
    for one in data.files:
        stem, _, suffix = one.file.rpartition("/")[2].rpartition(".")
        if suffix.lower() == "xpt" and (stem != one.name.lower() or not FILE_NAME.fullmatch(stem)):
            yield Hit(one.name, detail=f"The file is {one.file}.")


@package_rule("file.size", "A transport file has at most 5 GB, or is also given in parts in the folder split.",
              TECHNICAL_GUIDE, covers="FB2401")  # fmt: skip
def file_size(data: PackageFacts) -> Iterator[Hit]:
    large = (one for one in data.files if one.size > LARGEST and not one.parts)
    yield from (Hit(one.name, detail=f"It has {one.size:,} bytes.") for one in large)


@package_rule("file.manifest", "Each file is the one that the manifest of the package names, byte for byte.",
              "manifest.json of the package", needs=("manifest",))  # fmt: skip
def file_manifest(data: PackageFacts) -> Iterator[Hit]:
    yield from (Hit(path.rpartition("/")[2].partition(".")[0].upper(), detail=f"{path} {what}.")
                for path, what in data.changed or ())  # fmt: skip


@package_rule("text.longest", "A text variable is as long as its longest value in a transport file, no longer.",
              TECHNICAL_GUIDE + ".2 (Dataset Column Length)", "note", covers="SD1082", needs=("lengths",))  # fmt: skip
def text_longest(data: PackageFacts) -> Iterator[Hit]:
    longest: dict[str, int] = {}
    given: dict[str, list[tuple[str, int]]] = {}
    for one in data.files:
        domain = data.domains.get(one.name)
        for variable in one.variables if domain is not None and one.file.endswith(".xpt") else ():
            if variable.type == "Char" and domain is not None:
                used = max((len(text.encode()) for text in domain.column(variable.name).texts), default=0)
                longest[variable.name] = max(longest.get(variable.name, 1), used)
                given.setdefault(variable.name, []).append((one.name, variable.length))
    for name, places in given.items():
        for dataset, length in places:
            if length > longest[name] and not dataset.startswith("SUPP"):
                said = f"It has {length} bytes, the longest value of the study {longest[name]}."
                yield Hit(dataset, name, detail=said)


@package_rule("define.datasets", "Each dataset is described in define.xml, and each described dataset is there.",
              "Define-XML 2.1, section 5.3.11 (ItemGroupDef)", needs=("define",), covers="SD0061")  # fmt: skip
def define_datasets(data: PackageFacts) -> Iterator[Hit]:
    for kind, described in data.defined.items():
        names, there = {one.name for one in described}, {one.name for one in data.files if one.kind == kind}
        yield from (Hit(name, detail="It is in define.xml, and there is no file.") for name in sorted(names - there))
        yield from (Hit(name, detail="It is not in define.xml.") for name in sorted(there - names))


@package_rule("define.variables", "The variables of a dataset are those of define.xml, in the same order.",
              "Define-XML 2.1, section 5.3.11 (ItemRef)", needs=("define",), covers="SD0054, SD0059")  # fmt: skip
def define_variables(data: PackageFacts) -> Iterator[Hit]:
    for one, described in data.pairs():
        mine, theirs = ([variable.name for variable in side.variables] for side in (one, described))
        for name in [name for name in mine if name not in theirs]:
            yield Hit(one.name, name, detail="It is not in define.xml.")
        for name in [name for name in theirs if name not in mine]:
            yield Hit(one.name, name, detail="It is in define.xml, and not in the dataset.")
        if set(mine) == set(theirs) and mine != theirs:
            yield Hit(one.name, next(a for a, b in zip(mine, theirs, strict=True) if a != b), detail="It is elsewhere.")


@package_rule("define.attributes", "Labels, types and lengths of define.xml are those of the files.",
              "Define-XML 2.1, section 5.3.12 (ItemDef)", needs=("define",))  # fmt: skip
def define_attributes(data: PackageFacts) -> Iterator[Hit]:
    for one, described in data.pairs():
        if one.label and one.label != described.label:
            yield Hit(one.name, detail=f"The label is '{one.label}', in define.xml '{described.label}'.")
        theirs = {variable.name: variable for variable in described.variables}
        for mine in one.variables:
            other = theirs.get(mine.name)
            if other is None:
                continue
            if mine.label and mine.label != other.label:
                yield Hit(one.name, mine.name, detail=f"The label is '{mine.label}', in define.xml '{other.label}'.")
            if mine.type != other.type and not (mine.type == "Char" and other.type == "Num"):
                yield Hit(one.name, mine.name, detail=f"It is {mine.type}, in define.xml {other.type}.")


@package_rule("define.origin", "Each variable of define.xml has an origin.",
              "Define-XML 2.1, section 5.3.12.3 (Origin)", "warning", needs=("define",))  # fmt: skip
def define_origin(data: PackageFacts) -> Iterator[Hit]:
    for described in data.defined.values():
        for one in described:
            yield from (Hit(one.name, variable.name) for variable in one.variables if not variable.origin)


def _defects(data: PackageFacts, name: str) -> Iterator[Hit]:
    for rule_id, file, sentence in data.defects:
        if rule_id == name:
            yield Hit(file.rpartition("/")[2], detail=f"{file} {sentence}")


@package_rule("label.sound", "A label is there, has at most 40 printable ASCII characters, and closes what it opens.",
              TECHNICAL_GUIDE, needs=("transport",))  # fmt: skip
def label_sound(data: PackageFacts) -> Iterator[Hit]:
    for one in data.files:
        if one.file.endswith(".xpt"):
            for name, label in (("", one.label), *((variable.name, variable.label) for variable in one.variables)):
                if not _is_sound(label):
                    yield Hit(one.name, name, detail=f"It is '{label}'.")


def _is_sound(label: str) -> bool:
    pairs = all(label.count(left) == label.count(right) for left, right in ("()", "[]", "{}"))
    quotes = label.count('"') % 2 == 0
    return bool(label.strip()) and len(label) <= 40 and label.isascii() and label.isprintable() and pairs and quotes


@package_rule("format.allowed", "SDTM variables have no display format; those of ADaM numbers are of dates, times or of"
              " width and decimals.", TECHNICAL_GUIDE, "warning", needs=("transport",))  # fmt: skip
def format_allowed(data: PackageFacts) -> Iterator[Hit]:
    for one in data.files:
        for name, shown in one.formats:
            if shown and (one.kind == "sdtm" or not FORMAT.fullmatch(shown)):
                yield Hit(one.name, name, detail=f"It is {shown}.")


@package_rule("package.path", "Names of folders and files below m5 are small letters, digits and hyphens.",
              TECHNICAL_GUIDE + "; ICH eCTD 3.2.2, appendix 2")  # fmt: skip
def package_path(data: PackageFacts) -> Iterator[Hit]:
    yield from _defects(data, "package.path")


@package_rule("define.schema", "define.xml is valid against its schema, and every reference in it leads somewhere.",
              "Define-XML 2.1, section 5.3", needs=("define",))  # fmt: skip
def define_schema(data: PackageFacts) -> Iterator[Hit]:
    yield from _defects(data, "define.schema")


@package_rule("define.links", "Every file to which define.xml links is there, by a relative link.",
              "Define-XML 2.1, section 5.3.9 (leaf)", needs=("define",))  # fmt: skip
def define_links(data: PackageFacts) -> Iterator[Hit]:
    yield from _defects(data, "define.links")


@package_rule("define.pages", "Every page and destination to which define.xml refers is in the document.",
              "Define-XML 2.1, section 5.3.8 (PDFPageRef)", needs=("define",))  # fmt: skip
def define_pages(data: PackageFacts) -> Iterator[Hit]:
    yield from _defects(data, "define.pages")


@package_rule("pdf.sound", "A PDF file can be read, is not encrypted, runs nothing, has bookmarks and its fonts.",
              "FDA Portable Document Format Specifications", needs=("pdf",))  # fmt: skip
def pdf_sound(data: PackageFacts) -> Iterator[Hit]:
    yield from _defects(data, "pdf.sound")


@package_rule("rejection.1736", "Tabulations come with dm.xpt and define.xml, analysis datasets with adsl.xpt and"
              " define.xml.", REJECTION + ", criterion 1736", covers="1736", needs=("transport",))  # fmt: skip
def rejection_datasets(data: PackageFacts) -> Iterator[Hit]:
    for kind, needed in (("sdtm", "DM"), ("adam", "ADSL")):
        names = {one.name for one in data.files if one.kind == kind}
        simple = names == {"TS"}  # a simplified ts.xpt alone, where no standard data are required
        if names and not simple:
            if needed not in names:
                yield Hit(needed, detail="The dataset is missing.")
            if kind not in data.defined:
                yield Hit(needed, detail=f"There is no define.xml in the folder of the {kind.upper()} datasets.")


@package_rule("rejection.1735", "Datasets and define.xml have the right file tags in the study tagging file.",
              REJECTION + ", criterion 1735", covers="1735", needs=("backbone",))  # fmt: skip
def rejection_tags(data: PackageFacts) -> Iterator[Hit]:
    raise NotImplementedError("a package below m5 has no study tagging file")
    yield


@package_rule("rejection.1789", "The study has a study tagging file.", REJECTION + ", criterion 1789", covers="1789",
              needs=("backbone",))  # fmt: skip
def rejection_tagging_file(data: PackageFacts) -> Iterator[Hit]:
    raise NotImplementedError("a package below m5 has no study tagging file")
    yield
