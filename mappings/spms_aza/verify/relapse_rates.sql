-- Annualised rates: the sum of relapses over the sum of person-years. Completers by years (T14.2.1); all patients by days of
-- observation (T14.2.1.1). Beside each, the mean of the patients' own rates.
WITH included AS (
    SELECT 'T14.2.1' AS output, APERIODC AS level, AVAL, PYRS AS YEARS FROM RELAPSE_YEARS WHERE COMPLETED
    UNION ALL
    SELECT 'T14.2.1.1', APERIODC, AVAL, PYRSOBS FROM RELAPSE_YEARS
),
rate AS (
    SELECT output, level,
           CAST(count(*) AS DOUBLE) AS n,
           CAST(sum(AVAL) AS DOUBLE) AS events,
           sum(YEARS) AS person_time,
           sum(AVAL) / sum(YEARS) AS estimate,
           avg(AVAL / YEARS) AS mean
    FROM included
    WHERE AVAL IS NOT NULL AND YEARS IS NOT NULL
    GROUP BY output, level
)
UNPIVOT rate ON n, events, person_time, estimate, mean INTO NAME statistic VALUE value
