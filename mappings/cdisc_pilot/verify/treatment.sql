-- The first and the last day on which a patch was worn, of the drug or of placebo (sap.md, general rules).
SELECT USUBJID,
       CAST(min(EXSTDTC) AS DATE) AS FIRST_DOSE,
       CAST(max(EXENDTC) AS DATE) AS LAST_DOSE
FROM EX
WHERE EXDOSE > 0 OR EXTRT = 'PLACEBO'
GROUP BY USUBJID
