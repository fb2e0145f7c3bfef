"""A study's own derivation in Python: a copied study, each wrong shape, and what does not get out."""

import shutil
from pathlib import Path

import pytest

from adam.build.declaration_check import check_analyses
from adam.derivations.study_code import StudyDerivation, functions_in
from metadata.errors import StudyError
from metadata.study import Study
from publish.manifest import Inputs, describe, package_id
from tests.adam.trial import dataset, derived, numbers, study_in, texts

YAML = """
dataset: ADVS
label: Vital Signs
guide: BDS
structure: One record per subject per reading
source: {dataset: VS}
keys: [USUBJID, VSSEQ]
derivations:
  - constant: {to: PARAMCD, text: MAP}
  - constant: {to: PARAM, text: Mean Arterial Pressure (mmHg)}
  - flag: {to: HIGHFL, condition: {AVAL: {above: 100}}}
  - study_derivation:
      call: pressure
      inputs: [SYSBP, DIABP]
      outputs:
        AVAL: {type: Num, method: "DIABP + weight * (SYSBP - DIABP)"}
        AVALC: {type: Char, method: Words for AVAL}
      arguments: {weight: 0.5}
variables:
  STUDYID:
  USUBJID:
  VSSEQ:
  PARAMCD:
  PARAM:
  AVAL:
  AVALC:
  HIGHFL: {label: Pressure above 100}
"""
CODE = '''
"""Mean arterial pressure as this study wants it."""


def pressure(table, weight):
    mean = table["DIABP"] + weight * (table["SYSBP"] - table["DIABP"])
    return {"AVAL": mean, "AVALC": mean.gt(100).map({True: "high", False: "not high"}).where(mean.notna(), "")}


def _hidden(table):
    return {}
'''
READINGS = dataset(
    "VS",
    ("USUBJID", "VSSEQ"),
    STUDYID=["S"] * 3,
    USUBJID=["A", "B", "C"],
    VSSEQ=[1.0, 1, 1],
    SYSBP=[120.0, 160, None],
    DIABP=[80.0, 90, 70],
)
LINE = "demo/adam/dataset.yaml, line 12, key 'study_derivation': "


def built(folder, code=CODE, yaml=YAML):
    if code is not None:
        (folder / "derivations.py").write_text(code, encoding="utf-8")
    return derived(folder, yaml, READINGS)


def test_a_function_of_the_study_is_a_word_like_others(tmp_path):
    made = built(tmp_path)
    assert numbers(made.frame["AVAL"]) == [100, 125, None]
    assert texts(made.frame["AVALC"]) == ["not high", "high", ""]
    assert texts(made.frame["HIGHFL"]) == ["", "Y", ""]  # written before, done after: the order is computed
    assert made.metadata.variable("AVAL").method == "DIABP + weight * (SYSBP - DIABP)."
    assert not list(tmp_path.rglob("__pycache__"))


def test_its_hash_is_part_of_the_package(tmp_path):
    study = study_in(tmp_path)
    before = package_id(Inputs(study, "snapshot", "2001-12-31"))
    (tmp_path / "derivations.py").write_text(CODE, encoding="utf-8")
    inputs = Inputs(study, "snapshot", "2001-12-31")
    assert describe(inputs)["study_code"] == ["derivations.py"]
    assert before != package_id(inputs)
    changed = package_id(inputs)
    (tmp_path / "derivations.py").write_text(CODE.replace("gt(100)", "gt(99)"), encoding="utf-8")
    assert changed != package_id(inputs)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return t.VSSEQ", "failed: AttributeError in line 2"),
        ("return 1 / int(t['SYSBP'].iloc[0] - 120)", "failed: ZeroDivisionError in line 2"),
        ("raise ValueError(t['SYSBP'].iloc[1])", "failed: ValueError in line 2"),
        ("return {}[str(t['SYSBP'].iloc[1])]", "failed: KeyError in line 2"),
        ("return t['VSSEQ']", "looks at VSSEQ, which its 'inputs' do not name"),
        ("return 7", "returns neither a table nor a mapping of variables"),
        ("return {'AVAL': t.SYSBP}", "does not return AVALC, which its 'outputs' name"),
        ("return t.assign(AVAL=1.0, AVALC='')", "returns SYSBP, which its 'outputs' do not name"),
        ("return {'AVAL': [1.0], 'AVALC': ['']}", "does not return one value a record for AVAL"),
        ("return {'AVAL': 1.0, 'AVALC': ['']}", "does not return one value a record for AVAL"),
        ("return {'AVAL': ['x'] * 3, 'AVALC': [''] * 3}", "returns texts for AVAL, which is declared Num"),
        (
            "return {'AVAL': [1] * 3, 'AVALC': [160, 2, 3]}",
            "returns values other than texts for AVALC, which is declared",
        ),
        ("return {'AVAL': t.SYSBP / 0, 'AVALC': [''] * 3}", "returns infinite numbers for AVAL"),
    ],
)
def test_each_wrong_shape_is_said_in_one_sentence(tmp_path, body, message):
    with pytest.raises(StudyError) as raised:
        built(tmp_path, f"def pressure(t, weight):\n    {body}\n")
    assert str(raised.value).startswith(f"{LINE}'pressure' {message}")
    assert "160" not in str(raised.value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "the study has no file derivations.py; its own derivations are functions of that file"),
        ("def presure(t, weight): ...", "derivations.py has no function 'pressure' (did you mean 'presure'?)"),
        (
            "import nothing_of_this_name\ndef pressure(t, weight): ...",
            "derivations.py cannot be loaded: ModuleNotFoundError in line 1",
        ),
        ("def pressure(t): ...", "'pressure' failed: TypeError"),
    ],
)
def test_a_function_that_cannot_be_called(tmp_path, code, message):
    with pytest.raises(StudyError) as raised:
        built(tmp_path, code)
    assert str(raised.value) == LINE + message


def test_code_that_is_not_python(tmp_path):
    with pytest.raises(StudyError, match=r"derivations.py, line 1: not valid Python"):
        built(tmp_path, "def pressure(:\n")
    with pytest.raises(StudyError, match=r"derivations.py, line 1: not valid Python"):
        functions_in(Study(tmp_path))


def test_only_a_file_of_the_study_is_run(tmp_path):
    (tmp_path / "elsewhere.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "derivations.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(StudyError, match="leads out of the study's folder"):
        built(tmp_path / "study", None)


def test_a_hidden_function_is_none_and_outputs_are_needed(tmp_path):
    with pytest.raises(StudyError, match="has no function '_hidden'"):
        built(tmp_path, yaml=YAML.replace("call: pressure", "call: _hidden"))
    with pytest.raises(StudyError, match="'outputs' names the variables that the function makes"):
        StudyDerivation(call="pressure", inputs=("SYSBP",), outputs={}).check()


def test_a_copied_study_with_a_function_of_its_own(tmp_path):
    """check finds a missing function without running the file, and nothing once it is there."""
    folder = tmp_path / "copy"
    shutil.copytree(Path(__file__).resolve().parents[3] / "mappings" / "hta_duo", folder)
    path = folder / "adam" / "adsl.yaml"
    step = (
        "derivations:\n  - study_derivation: {call: decade, inputs: [AGE],"
        " outputs: {DECADE: {type: Num, method: AGE in tens of years}}}\n"
    )
    text = path.read_text(encoding="utf-8").replace("derivations:\n", step, 1)
    path.write_text(text + "  DECADE: {label: Decade of Age}\n", encoding="utf-8")
    assert ["derivations.py" in str(error) for error in check_analyses(Study.open(folder))] == [True]
    (folder / "derivations.py").write_text(
        "raise SystemExit('is not run')\ndef decade(table):\n    return {}\n", "utf-8"
    )
    assert check_analyses(Study.open(folder)) == []
