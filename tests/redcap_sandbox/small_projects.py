"""Two small projects in REDCap's export formats: a longitudinal one with everything that repeats, and a classic one."""

from pathlib import Path

TOKEN = "0123456789ABCDEF0123456789ABCDEF"
OTHER_TOKEN = "F" * 32

DICTIONARY_HEAD = (
    "field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,field_note,"
    "text_validation_type_or_show_slider_number,text_validation_min,text_validation_max,identifier,branching_logic,"
    "required_field,custom_alignment,question_number,matrix_group_name,matrix_ranking,field_annotation\n"
)
DICTIONARY = DICTIONARY_HEAD + (
    "study_id,demo,,text,Study ID,,,,,,,,,,,,,\n"
    "pname,demo,,text,Name,,,,,,y,,,,,,,\n"
    "born,demo,,text,Date of birth,,,date_dmy,,,,,y,,,,,\n"
    'cb,demo,,checkbox,Signs,"-9, Unknown, or so | Aa, Letter | 1002-5, Code",,,,,,,,,,,,\n'
    "smoker,demo,,yesno,Smoker,,,,,,,,,,,,,\n"
    "intro,demo,,descriptive,Read this,,,,,,,,,,,,,\n"
    "story,demo,,notes,Story,,,,,,,,,,,,,\n"
    "weight,vitals,,text,Weight (kg),,,number_comma_decimal,,,,,,,,,,\n"
    "twice,vitals,,calc,Twice,[weight]*2,,,,,,,,,,,,\n"
    "ae_term,ae,,text,Term,,,,,,,,,,,,,\n"
    'ae_sev,ae,,radio,Severity,"1, Mild | 2, Severe",,,,,,,,,,,,\n'
)
INFO_HEAD = (
    "project_id,project_title,is_longitudinal,has_repeating_instruments_or_events,surveys_enabled,missing_data_codes\n"
)
RECORDS_HEAD = (
    "study_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,pname,born,"
    "cb____9,cb___aa,cb___1002_5,smoker,story,demo_complete,weight,twice,vitals_complete,ae_term,ae_sev,ae_complete\n"
)
RECORDS = RECORDS_HEAD + (
    '1,scr_arm_1,,,north,"Núñez, Ana",1950-12-31,1,0,1,1,"He said ""no""\nand left",2,,,,,,\n'
    '1,m1_arm_1,,,north,,,,,,,,,"70,5",141,2,,,\n'
    "1,unsched_arm_1,,1,north,,,,,,,,,UNK,,0,,,\n"
    "1,unsched_arm_1,,2,north,,,,,,,,,71,142,1,,,\n"
    "1,logs_arm_1,ae,1,north,,,,,,,,,,,,Headache,2,2\n"
    "1,logs_arm_1,ae,2,north,,,,,,,,,,,,x]]>y,1,2\n"
    "2,scr_arm_1,,,south,Lee,,0,1,0,0,,0,,,,,,\n"
    "2,m1_arm_1,,,south,,,,,,,,,,,0,,,\n"
    "10,scr_arm_1,,,south,Poe,1948-01-01,0,0,0,ND,=1+1,1,,,,,,\n"
)
LOG = (
    "timestamp,username,action,details,record\n"
    "2001-03-05 10:00,owner,Update record 1,\"weight = '70,5'\",1\n"
    "2001-03-04 09:00,owner,Manage/Design ,Export Logging (API),\n"
    "2001-02-03 08:00,doctor,Create record 10,study_id = '10',10\n"
    "2001-02-02 08:00,doctor,Create record 2,study_id = '2',2\n"
    "2001-01-01 08:00,owner,Create record 1,study_id = '1',1\n"
)
USERS = (
    "username,email,expiration,data_access_group,data_access_group_id,design,user_rights,data_access_groups,logging,"
    "api_export,api_import,forms,forms_export\n"
    'owner,o@example.org,,,,1,1,1,1,1,1,"demo:1,vitals:1,ae:1","demo:1,vitals:1,ae:1"\n'
    'doctor,d@example.org,,south,2,0,0,0,1,1,0,"demo:1,vitals:1,ae:1","demo:1,vitals:1,ae:1"\n'
    'statistician,s@example.org,,,,1,0,0,0,1,0,"demo:2,vitals:0,ae:2","demo:2,vitals:0,ae:3"\n'
    'clerk,c@example.org,,,,0,0,0,0,0,0,"demo:1,vitals:1,ae:1","demo:1,vitals:1,ae:1"\n'
    'leaver,l@example.org,2001-06-01,,,1,1,1,1,1,1,"demo:1,vitals:1,ae:1","demo:1,vitals:1,ae:1"\n'
)
LONGITUDINAL = {
    "dictionary.csv": DICTIONARY,
    "project_info.csv": INFO_HEAD + '52,A small trial,1,1,0,"UNK, Unknown | ND, Not done"\n',
    "instruments.csv": "instrument_name,instrument_label\ndemo,Demographics\nvitals,Vital signs\nae,Adverse events\n",
    "arms.csv": "arm_num,name\n1,Arm one\n2,Never used\n",
    "events.csv": (
        "event_name,arm_num,unique_event_name,custom_event_label,event_id\n"
        "Screening,1,scr_arm_1,,141\nMonth 1,1,m1_arm_1,,142\n"
        "Unscheduled,1,unsched_arm_1,,143\nLogs,1,logs_arm_1,,144\n"
    ),
    "form_event_mapping.csv": (
        "arm_num,unique_event_name,form\n1,scr_arm_1,demo\n1,m1_arm_1,vitals\n1,unsched_arm_1,vitals\n1,logs_arm_1,ae\n"
    ),
    "repeating.csv": "event_name,form_name,custom_form_label\nunsched_arm_1,,\nlogs_arm_1,ae,[ae_term]\n",
    "dags.csv": (
        "data_access_group_name,unique_group_name,data_access_group_id\nThe North,north,1\nThe South,south,2\n"
    ),
    "users.csv": USERS,
    "log.csv": LOG,
    "records_locked.csv": RECORDS,
    "records_as_entered.csv": RECORDS.replace("Headache", "Hedache"),
}
CLASSIC = {
    "dictionary.csv": DICTIONARY_HEAD
    + "id,base,,text,Record,,,,,,y,,,,,,,\nheight,base,,text,Height,,,integer,,,,,,,,,,\n"
    + "agree,base,,truefalse,Agrees,,,,,,,,,,,,,\n",
    "project_info.csv": INFO_HEAD + "7,Classic,0,0,0,\n",
    "instruments.csv": "instrument_name,instrument_label\nbase,Baseline\n",
    "users.csv": (
        "username,expiration,data_access_group,api_export,logging,forms,forms_export\nreader,,,1,1,base:2,base:3\n"
    ),
    "records.csv": "id,height,agree,base_complete\n1,180,1,2\n2,,0,0\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write a project's files to a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    return folder


STUDY = """study: {id: SMALL, title: A small trial}
standards: {sdtmig: "3.3", sdtm_ct: 2019-09-27}
cutoff: 2001-12-31
redcap: {base_url: https://redcap.example.org/}
visits: []
"""


def write_study(folder: Path) -> Path:
    """Write a study whose own copy of its project is the longitudinal one; return its folder."""
    write(folder, {"study.yaml": STUDY})
    write(folder / "redcap", LONGITUDINAL)
    return folder
