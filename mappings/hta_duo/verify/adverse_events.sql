-- Start and treatment emergence of each adverse event (sap.md, safety): from the first dose to seven days after the last.
-- Where month or day of the start is unknown, it is the first day of treatment if what is known allows that and the event
-- had not ended before, else the first day that is possible; never after the event's end, death or the data cut-off.
WITH cutoff AS (SELECT CAST(TSVAL AS DATE) AS LAST_DATA FROM TS WHERE TSPARMCD = 'DCUTDTC'),
event AS (
    SELECT USUBJID, AESEQ, FIRST_DOSE, LAST_DOSE,
           nullif(regexp_extract(AESTDTC, '^\d{4}(-\d\d){0,2}'), '') AS STARTS,
           -- the first day of what is known, and the last: a day, a month or a year long
           TRY_CAST(STARTS || substr('0000-01-01', length(STARTS) + 1) AS DATE) AS EARLIEST,
           EARLIEST + CASE length(STARTS) WHEN 4 THEN INTERVAL 1 YEAR WHEN 7 THEN INTERVAL 1 MONTH ELSE INTERVAL 1 DAY END
               - INTERVAL 1 DAY AS LATEST,
           nullif(regexp_extract(AEENDTC, '^\d{4}(-\d\d){0,2}'), '') AS ENDS,
           TRY_CAST(ENDS || substr('0000-01-01', length(ENDS) + 1) AS DATE)
               + CASE length(ENDS) WHEN 4 THEN INTERVAL 1 YEAR WHEN 7 THEN INTERVAL 1 MONTH ELSE INTERVAL 1 DAY END
               - INTERVAL 1 DAY AS LAST_END,
           least(LAST_END, DEATH, LAST_DATA) AS NOT_AFTER
    FROM AE
    JOIN TREATMENT USING (USUBJID), cutoff
),
started AS (
    SELECT *,
           CASE WHEN length(STARTS) = 10 THEN EARLIEST
                WHEN FIRST_DOSE >= EARLIEST AND FIRST_DOSE <= LATEST AND (LAST_END IS NULL OR LAST_END >= FIRST_DOSE)
                THEN least(FIRST_DOSE, NOT_AFTER)
                ELSE least(EARLIEST, NOT_AFTER) END AS START
    FROM event
)
SELECT USUBJID, AESEQ,
       CASE WHEN START >= EARLIEST THEN START END AS ASTDT,
       CASE WHEN START >= EARLIEST THEN CASE length(STARTS) WHEN 4 THEN 'M' WHEN 7 THEN 'D' END END AS ASTDTF,
       CASE WHEN FIRST_DOSE IS NULL OR LAST_END < FIRST_DOSE THEN NULL
            WHEN START >= EARLIEST
            THEN CASE WHEN START >= FIRST_DOSE AND (LAST_DOSE IS NULL OR START <= LAST_DOSE + 7) THEN 'Y' END
            ELSE 'Y' END AS TRTEMFL
FROM started
