-- One row an EDSS with its day, in the patients' order of time, and the last EDSS before azathioprine (examinations of the
-- baseline visit, 2, precede the first dose).
WITH examination AS (
    SELECT USUBJID, QSSEQ, VISITNUM, TRY_CAST(left(QSDTC, 10) AS DATE) AS DAY, QSSTRESN AS SCORE, FIRST_DOSE
    FROM QS
    JOIN TREATMENT USING (USUBJID)
    WHERE QSTESTCD = 'EDSS0101' AND QSSTRESN IS NOT NULL
)
SELECT *,
       max_by(SCORE, (DAY, VISITNUM, QSSEQ)) FILTER (DAY < FIRST_DOSE OR (DAY = FIRST_DOSE AND VISITNUM = 2))
           OVER (PARTITION BY USUBJID) AS BASELINE,
       max_by(QSSEQ, (DAY, VISITNUM, QSSEQ)) FILTER (DAY < FIRST_DOSE OR (DAY = FIRST_DOSE AND VISITNUM = 2))
           OVER (PARTITION BY USUBJID) AS BASELINE_SEQ
FROM examination
