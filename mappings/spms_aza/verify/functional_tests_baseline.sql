-- 9-hole peg test (seconds: mean of the trials of each hand, then of both hands) and cognition (mean of six z scores, if four are
-- there) on the last day before azathioprine. The norms are invented with the patients.
WITH norm(TEST, SPEED, MEAN, SD) AS (
    VALUES ('SRTLTS', NULL, 46, 10.5),
           ('SRTCLTR', NULL, 38, 11.5),
           ('SPARTIR', NULL, 20.5, 4.6),
           ('SDMT0101', NULL, 53, 9.5),
           ('PASAT101', '3 SECONDS', 46, 9),
           ('WLGTOT', NULL, 26, 5.5)
),
trial AS (
    SELECT FT.*, TRY_CAST(left(FTDTC, 10) AS DATE) AS ADT
    FROM FT
    JOIN TREATMENT USING (USUBJID)
    WHERE FTSTRESN IS NOT NULL AND (ADT < FIRST_DOSE OR (ADT = FIRST_DOSE AND VISITNUM = 2))
),
hand AS (
    SELECT USUBJID, ADT, VISITNUM, FTSCAT, avg(FTSTRESN) AS SECONDS
    FROM trial
    WHERE FTTESTCD = 'NHPT0101'
    GROUP BY ALL
),
measure AS (
    SELECT USUBJID, 'NHPTM' AS PARAMCD, ADT, VISITNUM, avg(SECONDS) AS BASE FROM hand GROUP BY ALL HAVING count(*) = 2
    UNION ALL
    SELECT USUBJID, 'COGCOMP', ADT, VISITNUM, avg((FTSTRESN - MEAN) / SD)
    FROM trial
    JOIN norm ON FTTESTCD = TEST AND (SPEED IS NULL OR FTSCAT = SPEED)
    GROUP BY ALL
    HAVING count(*) >= 4
)
SELECT USUBJID, PARAMCD, ADT, BASE
FROM measure
QUALIFY row_number() OVER (PARTITION BY USUBJID, PARAMCD ORDER BY ADT DESC, VISITNUM DESC) = 1
