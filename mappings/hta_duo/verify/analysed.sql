-- The reading that is analysed at each planned visit (day 29, 57, 85): after the first dose a reading belongs to the nearest
-- planned day (midway: the later), and of several the nearest counts (equally near: the later).
WITH planned(AVISIT, TARGET) AS (VALUES ('Week 4', 29), ('Week 8', 57), ('Week 12', 85)),
placed AS (
    SELECT V.*, AVISIT, abs(ADT - FIRST_DOSE + 1 - TARGET) AS FAR
    FROM VITAL_SIGNS V, planned
    WHERE ADT > FIRST_DOSE
    QUALIFY row_number() OVER (PARTITION BY USUBJID, VSSEQ ORDER BY FAR, TARGET DESC) = 1
)
SELECT USUBJID, PARAMCD, AVISIT, VSSEQ, ADT, AVAL, BASE,
       AVAL - BASE AS CHG,
       CASE WHEN PARAMCD = 'SYSBP' THEN CASE WHEN AVAL < 140 THEN 'Y' ELSE 'N' END END AS CRIT1FL
FROM placed
QUALIFY row_number() OVER (PARTITION BY USUBJID, PARAMCD, AVISIT ORDER BY FAR, ADT DESC, VSSEQ DESC) = 1
