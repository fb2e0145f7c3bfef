-- One row a person: arm assigned, first and last day on any study treatment, death. A course without an end goes on.
WITH dose AS (
    SELECT USUBJID,
           min(TRY_CAST(left(EXSTDTC, 10) AS DATE)) AS FIRST_DOSE,
           CASE WHEN count(*) = count(EXENDTC) THEN max(TRY_CAST(left(EXENDTC, 10) AS DATE)) END AS LAST_DOSE
    FROM EX
    WHERE EXDOSE > 0
    GROUP BY USUBJID
)
SELECT DM.USUBJID, ARM, FIRST_DOSE, LAST_DOSE,
       TRY_CAST(left(DTHDTC, 10) AS DATE) AS DEATH,
       EXISTS (SELECT 1 FROM DS WHERE DS.USUBJID = DM.USUBJID AND DSDECOD = 'RANDOMIZED') AS RANDOMISED
FROM DM
LEFT JOIN dose USING (USUBJID)
