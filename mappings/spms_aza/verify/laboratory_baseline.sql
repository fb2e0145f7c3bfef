-- Baseline of each analyte: the last result before azathioprine. Samples are not timed; those of the baseline visit (2)
-- are planned before the first dose, and count on that day.
SELECT USUBJID,
       TEST AS PARAMCD,
       LBSEQ,
       DAY AS ADT,
       LBSTRESN AS BASE,
       GRADE AS BTOXGRN
FROM LABORATORY
WHERE DAY < FIRST_DOSE OR (DAY = FIRST_DOSE AND VISITNUM = 2)
QUALIFY row_number() OVER (PARTITION BY USUBJID, TEST ORDER BY DAY DESC, VISITNUM DESC, LBSEQ DESC) = 1
