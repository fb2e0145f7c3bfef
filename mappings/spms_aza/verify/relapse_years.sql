-- Relapses and person-years of each enrolled patient: the year before treatment (told at screening), day 1 to 365 and day
-- 366 to 730. A year has 365 days. Who completed the study completed both years; PYRSOBS counts the days instead.
WITH year(APERIODC, NUMBER, OPENS, CLOSES) AS (
    VALUES ('PRE', 1, -365, -1), ('YEAR 1', 2, 0, 364), ('YEAR 2', 3, 365, 729)
),
patient AS (
    SELECT *, coalesce(END_OF_STUDY, LAST_SEEN) - FIRST_DOSE AS LAST_DAY FROM TREATMENT WHERE ENROLLED
),
told AS (SELECT USUBJID, FASTRESN FROM FA WHERE FATESTCD = 'NUMRLPS' AND FACAT = 'PRE-STUDY'),
followed AS (
    SELECT *,
           CASE WHEN LAST_DAY >= OPENS THEN (least(CLOSES, LAST_DAY) - OPENS + 1) / 365 END AS PYRSOBS,
           CASE WHEN COMPLETED OR APERIODC = 'PRE' THEN 1
                WHEN LAST_DAY >= OPENS THEN (least(CLOSES, LAST_DAY) - OPENS + 1) / 365 END AS PYRS
    FROM patient, year
),
counted AS (
    SELECT USUBJID, APERIODC, COMPLETED, PYRS, PYRSOBS,
           CASE WHEN APERIODC = 'PRE' THEN FASTRESN
                WHEN PYRS IS NOT NULL
                THEN (SELECT count(*) FROM RELAPSES R
                      WHERE R.USUBJID = followed.USUBJID AND COUNTS
                        AND ONSET - R.FIRST_DOSE BETWEEN OPENS AND CLOSES) END AS AVAL
    FROM followed
    LEFT JOIN told USING (USUBJID)
)
SELECT *, AVAL / PYRS AS ARR FROM counted
