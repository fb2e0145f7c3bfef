-- Start and treatment emergence of each adverse event (sap.md, safety): from the first dose to thirty days after the last. An
-- unknown day or month is the first possible, or the first dose where what is known allows that.
WITH event AS (
    SELECT USUBJID, AESEQ, FIRST_DOSE, LAST_DOSE, AESTDTC,
           CAST(AESTDTC || substr('0000-01-01', length(AESTDTC) + 1) AS DATE) AS EARLIEST,
           EARLIEST + CASE length(AESTDTC) WHEN 4 THEN INTERVAL 1 YEAR WHEN 7 THEN INTERVAL 1 MONTH ELSE INTERVAL 1 DAY END
               - INTERVAL 1 DAY AS LATEST,
           CAST(nullif(AEENDTC, '') AS DATE) AS ENDED
    FROM AE
    JOIN TREATMENT USING (USUBJID)
),
started AS (
    SELECT *, CASE WHEN length(AESTDTC) < 10 AND FIRST_DOSE BETWEEN EARLIEST AND LATEST THEN FIRST_DOSE ELSE EARLIEST END AS START
    FROM event
)
SELECT USUBJID, AESEQ, START AS ASTDT,
       CASE length(AESTDTC) WHEN 4 THEN 'M' WHEN 7 THEN 'D' END AS ASTDTF,
       CASE WHEN START >= FIRST_DOSE AND (ENDED IS NULL OR ENDED >= FIRST_DOSE)
                 AND (LAST_DOSE IS NULL OR START <= LAST_DOSE + 30) THEN 'Y' END AS TRTEMFL
FROM started
