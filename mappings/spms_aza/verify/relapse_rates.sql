-- Annualised rates: the sum of relapses over the sum of person-years. Completers by years (T14.2.1); all patients by days of
-- observation (T14.2.1.1). Beside each, the mean of the patients' own rates.
WITH included AS (
    SELECT 'T14.2.1' AS output, APERIODC AS level, AVAL, PYRS AS YEARS FROM RELAPSE_YEARS WHERE COMPLETED
    UNION ALL
    SELECT 'T14.2.1.1', APERIODC, AVAL, PYRSOBS FROM RELAPSE_YEARS
),
-- A year in which nobody has been followed has no rate, and is counted as nobody.
place AS (
    SELECT output, level
    FROM (VALUES ('T14.2.1'), ('T14.2.1.1')) AS outputs(output), (VALUES ('PRE'), ('YEAR 1'), ('YEAR 2')) AS levels(level)
),
known AS (SELECT * FROM included WHERE AVAL IS NOT NULL AND YEARS IS NOT NULL),
rate AS (
    SELECT output, level,
           CAST(count(YEARS) AS DOUBLE) AS n,
           CAST(coalesce(sum(AVAL), 0) AS DOUBLE) AS events,
           coalesce(sum(YEARS), 0) AS person_time,
           sum(AVAL) / sum(YEARS) AS estimate,
           avg(AVAL / YEARS) AS mean
    FROM place
    LEFT JOIN known USING (output, level)
    GROUP BY output, level
)
FROM rate UNPIVOT INCLUDE NULLS (value FOR statistic IN (n, events, person_time, estimate, mean))
