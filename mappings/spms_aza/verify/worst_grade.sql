-- Worst grade of each analyte after the first dose, scheduled or not, and the first sample that had it.
SELECT USUBJID, TEST AS PARAMCD, GRADE AS ATOXGRN, DAY AS ADT, LBSEQ
FROM LABORATORY
WHERE DAY > FIRST_DOSE AND coalesce(DAY <= LAST_DOSE + 30, TRUE) AND GRADE IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY USUBJID, TEST ORDER BY GRADE DESC, DAY, LBSEQ) = 1
