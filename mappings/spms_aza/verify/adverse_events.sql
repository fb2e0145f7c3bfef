-- Start and treatment emergence of each adverse event (sap.md, adverse events).
-- A start of which month or day is unknown may be any day from EARLIEST to LATEST. It is taken as the first day of
-- azathioprine if that is one of them and the event had not certainly ended by then, else as EARLIEST; but never as a
-- day after the event's end, death or the data cut-off.
WITH known AS (
    SELECT USUBJID, AESEQ, AESTDTC, AEENDTC, FIRST_DOSE, LAST_DOSE, DEATH,
           nullif(regexp_extract(AESTDTC, '^\d{4}(-\d\d){0,2}'), '') AS STARTS,
           nullif(regexp_extract(AEENDTC, '^\d{4}(-\d\d){0,2}'), '') AS ENDS
    FROM AE
    JOIN TREATMENT USING (USUBJID)
),
bounds AS (
    SELECT *,
           CASE length(STARTS) WHEN 10 THEN TRY_CAST(STARTS AS DATE)
                               WHEN 7 THEN TRY_CAST(STARTS || '-01' AS DATE)
                               WHEN 4 THEN TRY_CAST(STARTS || '-01-01' AS DATE) END AS EARLIEST,
           CASE length(STARTS) WHEN 10 THEN TRY_CAST(STARTS AS DATE)
                               WHEN 7 THEN last_day(TRY_CAST(STARTS || '-01' AS DATE))
                               WHEN 4 THEN TRY_CAST(STARTS || '-12-31' AS DATE) END AS LATEST,
           CASE length(ENDS) WHEN 10 THEN TRY_CAST(ENDS AS DATE)
                             WHEN 7 THEN last_day(TRY_CAST(ENDS || '-01' AS DATE))
                             WHEN 4 THEN TRY_CAST(ENDS || '-12-31' AS DATE) END AS LAST_END,
           (SELECT CAST(TSVAL AS DATE) FROM TS WHERE TSPARMCD = 'DCUTDTC') AS CUTOFF
    FROM known
),
started AS (
    SELECT *,
           CASE WHEN length(STARTS) = 10 THEN EARLIEST
                WHEN FIRST_DOSE BETWEEN EARLIEST AND LATEST AND coalesce(LAST_END >= FIRST_DOSE, TRUE)
                THEN least(FIRST_DOSE, LAST_END, DEATH, CUTOFF)
                ELSE least(EARLIEST, LAST_END, DEATH, CUTOFF) END AS START
    FROM bounds
),
possible AS (SELECT *, CASE WHEN START >= EARLIEST THEN START END AS BEGAN FROM started)
SELECT USUBJID, AESEQ,
       BEGAN AS ASTDT,
       CASE WHEN BEGAN IS NOT NULL THEN CASE length(STARTS) WHEN 7 THEN 'D' WHEN 4 THEN 'M' END END AS ASTDTF,
       CASE WHEN FIRST_DOSE IS NULL THEN NULL
            WHEN LAST_END < FIRST_DOSE THEN NULL
            WHEN BEGAN IS NULL THEN 'Y'
            WHEN BEGAN >= FIRST_DOSE AND coalesce(BEGAN <= LAST_DOSE + 30, TRUE) THEN 'Y' END AS TRTEMFL
FROM possible
